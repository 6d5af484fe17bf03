"""The wait for a web server, which is a small program: ``python -m tests.serve.web_rig KIND PORT QUIET TELL LOGS``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from zhtj.serve.__main__ import CannotStartError, wait_for_web
from zhtj.serve.supervisor import Service, Supervisor, say

WORK = """
import os, socket, sys, time
def work(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(20000))
        time.sleep(0.01)
def listen():
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(sys.argv[1])))
    server.listen(50)
    return server
def answer(server):
    line = server.accept()[0]
    line.recv(1000)
    line.sendall(b"HTTP/1.1 200 OK\\r\\ncontent-length: 3\\r\\n\\r\\nok\\n")
    line.close()
"""
PROGRAMS = {
    # Needs long to load, and works all the time.
    "slow": WORK + "work(4)\nserver = listen()\nwhile True: answer(server)",
    # Listens at once and needs long for its first answer, longer than one would wait for one.
    "pensive": WORK + "server = listen()\nwork(7)\nwhile True: answer(server)",
    # Does nothing at all, once without and once with a port.
    "idle": WORK + "time.sleep(600)",
    "deaf": WORK + "server = listen()\ntime.sleep(600)",
    "dying": "raise SystemExit('no such module')",
    # Lives, but its workers die as soon as they begin.
    "losing": WORK + "while True:\n    if not os.fork(): time.sleep(0.3); os._exit(1)\n    work(0.5)\n    os.wait()",
}


def main(kind: str, port: str, quiet: str, tell: str, logs: str) -> int:
    with Supervisor(Path(logs), os.environ) as supervisor:
        web = Service("web", "网页服务", (sys.executable, "-c", PROGRAMS[kind], port), limit=1)
        supervisor.start(web)
        try:
            wait_for_web(supervisor, web, "127.0.0.1", int(port), quiet=float(quiet), tell=float(tell))
        except CannotStartError as error:
            say(str(error))
            return 1
        say("served")
        return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
