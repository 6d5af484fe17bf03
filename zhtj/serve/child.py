"""A child process that never outlives its parent, not even one that was killed outright."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(number: int = signal.SIGTERM) -> None:
    """Have the kernel send this process ``number`` when its parent ends."""
    _libc.prctl(PR_SET_PDEATHSIG, number)


def _prepare(parent: int, number: int) -> Callable[[], None]:
    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        die_with_parent(number)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def start(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    talks: bool = False,
    death_signal: int = signal.SIGTERM,
    user: int | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own: a Ctrl-C reaches only the parent, which then stops its children.

    Call it from the main thread: the kernel watches over the thread that starts a child.

    Args:
        command: program and arguments.
        env: the whole environment; None inherits it.
        log: file that receives what it prints; None means standard error.
        talks: its standard output goes where ours goes all the same.
        death_signal: sent to the child when the parent ends in whatever way.
        user: number of the user it runs as; None means the same.
        cwd: folder it starts in; None means the same.

    Raises:
        OSError: it cannot be started.
    """
    with ExitStack() as stack:
        messages = stack.enter_context(log.open("ab")) if log else sys.stderr
        return subprocess.Popen(
            [str(part) for part in command],
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=None if talks else messages,
            stderr=messages,
            start_new_session=True,
            user=user,
            extra_groups=None if user is None else (),
            # Runs last before exec, as a change of user would undo it; safe, as neither the supervisor nor the test
            # services run threads.
            preexec_fn=_prepare(os.getpid(), death_signal),  # noqa: PLW1509
        )


def stop(process: subprocess.Popen[bytes], limit: float, number: int = signal.SIGTERM) -> bool:
    """End ``process`` and what it started: politely, and after ``limit`` seconds by force.

    Returns whether politeness was enough.
    """
    polite = True
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            polite = False
    sweep_up(process)
    process.wait()
    return polite


def sweep_up(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of the process group that ``process`` leads."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
