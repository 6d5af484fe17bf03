"""The port of the web server: refused while somebody else listens on it, kept from others from then on."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

# Seconds a server that is just stopping may keep the port.
PATIENCE = 3.0
CONNECT_LIMIT = 1.0
# Where the installation is reached as http://localhost, which a browser looks for on both kinds of addresses.
HERE = {"127.0.0.1": ("127.0.0.1", "::1"), "0.0.0.0": ("127.0.0.1", "::1")}  # noqa: S104 - a key, no listener
HERE |= {"::1": ("::1", "127.0.0.1"), "::": ("::1", "127.0.0.1"), "localhost": ("127.0.0.1", "::1")}


class PortTakenError(Exception):
    """The port cannot be had; the message is for the operator."""


def own(host: str, port: int) -> socket.socket:
    """Keep the port for our own web server, which shares it, for as long as the socket is open.

    Args:
        host: address the web server will listen on.
        port: its number.

    Raises:
        PortTakenError: somebody else has it, or it cannot be had at all.
    """
    deadline = time.monotonic() + PATIENCE
    while problem := _problem(host, port):
        if time.monotonic() > deadline:
            raise PortTakenError(f"端口 {port} {problem}。换一个端口：make demo PORT={port % 60000 + 1}")
        time.sleep(0.2)
    held = socket.socket(_family(host))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    # What is left of the connections of a server that has gone may still forbid it, and is no rival.
    with suppress(OSError):
        held.bind((host, port))
    return held


def is_local(host: str) -> bool:
    """Whether an installation that listens on ``host`` is reached as http://localhost."""
    return host in HERE


def target(host: str) -> str:
    """The address at which what listens on ``host`` is reached from this machine."""
    return HERE.get(host, (host,))[0]


def _problem(host: str, port: int) -> str:
    """Why the port cannot be had; "" if it can."""
    for address in HERE.get(host, (host,)):
        if _answers(address, port):
            return f"已被占用（{address} 上有另一个服务在监听）"
    try:
        with socket.socket(_family(host)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        return f"已被占用或不可用（{error}）"
    return ""


def _answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=CONNECT_LIMIT) as line:
            # The kernel may give the call the very port it calls: then one has reached oneself.
            return bool(line.getsockname() != line.getpeername())
    except (OSError, OverflowError):
        return False


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
