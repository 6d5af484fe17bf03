"""``python -m zhtj.serve``: the whole installation on one machine, for demonstration and small places.

Starts the embedded queue, brings the database up to date, loads the demonstration world into an empty one, then keeps
web server, worker and scheduler running until Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import argparse
import fcntl
import io
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TextIO

from zhtj import config
from zhtj.serve import child, embedded
from zhtj.serve.supervisor import Service, StepFailedError, Stopped, Supervisor, say

FLASK = (sys.executable, "-m", "flask", "--app", "app")
# How long a server that is just stopping may keep the port.
PORT_PATIENCE = 3.0
READY_LIMIT = 60.0
# Restarts before the first page was served, after which starting again is no use.
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
            _check_port(options.host, options.port)
            return _serve(conf, options.host, options.port)
    except (CannotStartError, StepFailedError, config.ConfigError, embedded.EmbeddedError) as error:
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


def _check_port(host: str, port: int) -> None:
    """Raises CannotStartError if somebody else has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + PORT_PATIENCE
    while True:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except (OSError, OverflowError) as error:
                if time.monotonic() > deadline:
                    raise CannotStartError(
                        f"端口 {port} 已被占用或不可用（{error}）。换一个端口：make demo PORT={port % 60000 + 1}"
                    ) from error
            else:
                return
        time.sleep(0.2)


def _serve(conf: config.Config, host: str, port: int) -> int:
    redis_url = conf.redis_url or embedded.embedded_redis_url(conf.instance)
    env = {**os.environ, "ZHTJ_REDIS_URL": redis_url, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
    address = f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0', '::1', '::') else host}:{port}/"  # noqa: S104
    with Supervisor(conf.instance / "log", env) as supervisor:
        try:
            if not conf.redis_url:
                _start_queue(supervisor, conf.instance)
            say("正在准备数据库……")
            supervisor.step("准备数据库", (sys.executable, "-m", "zhtj.serve.prepare"))
            _start_services(supervisor, host, port)
            _wait_for_web(supervisor, host, port)
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
        embedded.wait_until_ready(instance, queue.process)


def _start_services(supervisor: Supervisor, host: str, port: int) -> None:
    granian = Path(sys.executable).parent / "granian"
    web = (
        *(granian, "--interface", "wsgi", "--http", "1", "--host", host, "--port", str(port)),
        *("--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS), "--respawn-failed-workers"),
        *("--workers-kill-timeout", "5", "--log-level", "warning", "app:app"),
    )
    supervisor.start(Service("web", "网页服务", web))
    supervisor.start(Service("worker", "后台进程", (*FLASK, "worker")))
    supervisor.start(Service("scheduler", "调度程序", (*FLASK, "scheduler")))


def _wait_for_web(supervisor: Supervisor, host: str, port: int) -> None:
    """Return when the first page is served. Raises CannotStartError if it never is."""
    target = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    deadline = time.monotonic() + READY_LIMIT
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        with suppress(OSError, urllib.error.URLError), opener.open(f"http://{target}:{port}/healthz", timeout=5):
            return
        if supervisor.restarts >= START_ATTEMPTS or time.monotonic() > deadline:
            raise CannotStartError(f"网页服务没有启动起来。\n{supervisor.tail('web')}")
        supervisor.tend(0.2)


if __name__ == "__main__":
    sys.exit(main())
