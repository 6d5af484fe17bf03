"""``flask worker`` and ``flask scheduler``."""

from __future__ import annotations

import click
from flask import Flask, current_app

from jobs import schedule, worker


@click.command("worker")
@click.option("--burst", is_flag=True, help="队列空了就结束")
def worker_command(*, burst: bool) -> None:
    """运行后台进程，执行队列里的任务."""
    worker.run(_application(), burst=burst)


@click.command("scheduler")
def scheduler_command() -> None:
    """运行调度程序，按时把定期任务放进队列."""
    schedule.run(_application())


def _application() -> Flask:
    application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way
    return application


def register(app: Flask) -> None:
    """Add both commands."""
    app.cli.add_command(worker_command)
    app.cli.add_command(scheduler_command)
