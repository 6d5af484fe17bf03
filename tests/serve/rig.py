"""A supervisor over small programs: ``python -m tests.serve.rig FOLDER LIMIT NAME=PROGRAM …``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from zhtj.serve.supervisor import Service, Supervisor

# Writes who it is, tells when it is asked to stop, and obeys.
OBEDIENT = """
import os, signal, sys, time
def stop(*_):
    with open("stopped", "a") as file:
        file.write(sys.argv[1] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
while True:
    time.sleep(10)
"""
# Has a child of its own and neither of them listens.
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
while True:
    time.sleep(10)
"""
PROGRAMS = {"obedient": OBEDIENT, "stubborn": STUBBORN}


def main(folder: str, limit: str, *services: str) -> None:
    os.chdir(folder)
    with Supervisor(Path("log"), os.environ) as supervisor:
        for service in services:
            name, _, kind = service.partition("=")
            command = (sys.executable, "-c", PROGRAMS[kind], name)
            supervisor.start(Service(name, name, command, limit=float(limit)))
        supervisor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
