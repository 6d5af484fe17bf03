"""Waiting for other processes, and looking at them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 60.0


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Return when ``condition`` holds; fail if it does not within ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for: {what}"
        time.sleep(0.03)


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def of_folder(folder: Path) -> dict[int, str]:
    """The processes that carry this folder in their environment or arguments: number and command line."""
    wanted = str(folder).encode()
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            # A server that writes its title overwrites its environment, but names its socket in the title.
            environment, arguments = ((process / part).read_bytes() for part in ("environ", "cmdline"))
            if wanted in environment + arguments and is_running(int(process.name)):
                found[int(process.name)] = arguments.replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found
