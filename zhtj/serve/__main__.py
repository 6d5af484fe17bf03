"""``python -m zhtj.serve``: the whole installation on one machine, for demonstration and small places.

Starts the embedded queue, brings the database up to date, loads the demonstration world into an empty one, then keeps
web server, worker and scheduler running until Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import argparse
import fcntl
import io
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from zhtj import config
from zhtj.serve import child, embedded, port
from zhtj.serve.patience import QUIET, TELL, Patience, Probe, StuckError
from zhtj.serve.supervisor import Service, StepFailedError, Stopped, Supervisor, say

FLASK = (sys.executable, "-m", "flask", "--app", "app")
# Ends of the web server before its first page, after which starting it again is no use.
START_ATTEMPTS = 3
WEB_WORKERS = 2
WEB_THREADS = 4


class CannotStartError(Exception):
    """The installation cannot start; the message is for the operator."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    options = _options(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if options.with_parent:
        child.die_with_parent()
    os.chdir(config.ROOT)
    os.environ.setdefault("ZHTJ_ENV", "demo")
    try:
        conf = config.load()
        with ExitStack() as stack:
            stack.enter_context(_sole_instance(conf.instance, options.port))
            stack.enter_context(port.own(options.host, options.port))
            return _serve(conf, options.host, options.port)
    except (port.PortTakenError, config.ConfigError) as error:  # wrong use, not a fault
        say(f"无法启动：{error}")
        return 2
    except (CannotStartError, StepFailedError, embedded.EmbeddedError) as error:
        say(f"无法启动：{error}")
        return 1
    except (Stopped, KeyboardInterrupt):
        return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m zhtj.serve", description="启动演示系统")
    parser.add_argument("--host", default="127.0.0.1", help="监听地址（默认只限本机）")
    parser.add_argument("--port", type=int, default=8000, help="端口（默认 8000）")
    parser.add_argument("--with-parent", action="store_true", help="启动它的进程结束时一同结束")
    return parser.parse_args(arguments)


def _sole_instance(instance: Path, port: int) -> TextIO:
    """Keep a lock on the data folder for as long as this process lives. Raises CannotStartError."""
    instance.mkdir(parents=True, exist_ok=True)
    lock = (instance / "serve.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip() or "端口不明"
        lock.close()
        raise CannotStartError(f"这个目录里的系统已经在运行（{holder}），请先停止它。") from error
    lock.truncate(0)
    lock.write(f"进程 {os.getpid()}，端口 {port}\n")
    lock.flush()
    return lock


def _serve(conf: config.Config, host: str, number: int) -> int:
    redis_url = conf.redis_url or embedded.embedded_redis_url(conf.instance)
    env = {**os.environ, "ZHTJ_REDIS_URL": redis_url, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
    address = f"http://{'localhost' if port.is_local(host) else host}:{number}/"
    with Supervisor(conf.instance / "log", env) as supervisor:
        try:
            if not conf.redis_url:
                _start_queue(supervisor, conf.instance)
            say("正在准备数据库……")
            supervisor.step("准备数据库", (sys.executable, "-m", "zhtj.serve.prepare"))
            say("正在启动网页服务……")
            web = _start_services(supervisor, host, number)
            wait_for_web(supervisor, web, port.target(host), number)
            say(f"\n系统已启动：{address}\n日志：{supervisor.logs}\n按 Ctrl-C 全部停止。")
            supervisor.run()
        except Stopped:
            pass
        say("正在停止……")
        supervisor.stop()
    say("已全部停止。")
    return 0


def _start_queue(supervisor: Supervisor, instance: Path) -> None:
    path = embedded.socket_path(instance)
    queue = Service(
        "queue", "任务队列", embedded.command(instance), limit=5, before=lambda: path.unlink(missing_ok=True)
    )
    supervisor.start(queue)
    if queue.process is not None:
        embedded.wait_until_ready(instance, queue.process, supervisor.pause)


def _start_services(supervisor: Supervisor, host: str, number: int) -> Service:
    """Start the three kinds of processes; returns the web server."""
    granian = Path(sys.executable).parent / "granian"
    command = (
        *(granian, "--interface", "wsgi", "--http", "1", "--host", host, "--port", str(number)),
        *("--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS), "--respawn-failed-workers"),
        *("--workers-kill-timeout", "5", "--log-level", "warning", "app:app"),
    )
    web = Service("web", "网页服务", command)
    supervisor.start(web)
    supervisor.start(Service("worker", "后台进程", (*FLASK, "worker")))
    supervisor.start(Service("scheduler", "调度程序", (*FLASK, "scheduler")))
    return web


def wait_for_web(
    supervisor: Supervisor, web: Service, address: str, number: int, *, quiet: float = QUIET, tell: float = TELL
) -> None:
    """Return when the first page is served, however long that takes while the web server lives and works.

    Raises:
        CannotStartError: it ended again and again, or does nothing any more.
        Stopped: the supervisor was told to stop.
    """
    most = WEB_WORKERS * START_ATTEMPTS
    patience = Patience(f"网页服务在端口 {number} 应答", most=most, quiet=quiet, tell=tell)
    question = Probe(address, number, "/healthz")
    try:
        while not question.is_answered():
            if web.restarts >= START_ATTEMPTS:
                raise CannotStartError(f"网页服务没有启动起来。\n{supervisor.tail('web')}")
            patience.look(web.process)
            supervisor.tend(0.2)
    except StuckError as error:
        raise CannotStartError(f"{error}\n{supervisor.tail('web')}") from error
    finally:
        question.close()


if __name__ == "__main__":
    sys.exit(main())
