"""The demonstration world: ``flask demo load`` and ``flask demo accounts``. Everything in it is invented."""

from __future__ import annotations

import json

import click
from flask import Flask
from sqlalchemy import inspect, select

from zhtj.demo import world
from zhtj.kernel.database import session
from zhtj.people.models import Account, Member
from zhtj.people.signing import samples

NOT_SO = 1


def register(app: Flask) -> None:
    """Add the command group."""
    app.cli.add_command(demo_group)


@click.group("demo")
def demo_group() -> None:
    """演示数据."""


@demo_group.command("load")
@click.option("--size", type=click.Choice(tuple(world.SIZES)), default="small", show_default=True, help="规模")
@click.option("--seed", type=int, default=1, show_default=True, help="随机种子；同一种子得到同样的数据")
def load_command(size: str, seed: int) -> None:
    """装入演示数据；已有账号或团员的数据库不会被改动."""
    if not inspect(session.connection()).has_table(Account.__tablename__):
        click.echo("数据库还没有建表，请先运行 flask --app app db upgrade。", err=True)
        raise SystemExit(NOT_SO)
    if session.scalar(select(Account.id).limit(1)) or session.scalar(select(Member.id).limit(1)):
        click.echo("数据库中已有账号或团员，没有装入演示数据。请换一个空的数据库。", err=True)
        raise SystemExit(NOT_SO)
    world.load(size, seed, say=lambda text: click.echo(text, err=True))
    click.echo(world.summary(), err=True)


@demo_group.command("accounts")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def accounts_command(*, as_json: bool) -> None:
    """列出演示账号."""
    rows = samples.listing()
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not rows:
        click.echo("没有演示账号，请先用 demo load 装入演示数据。", err=True)
    for row in rows:
        who = f"{row['organisation']} {row['name']}"
        click.echo(f"{row['role']:<12}{row['username']}  {row['password']}  {who}（{row['note']}）")
