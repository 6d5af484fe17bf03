"""Finds out which system packages are missing and installs them (Debian, Ubuntu).

Run by file name before the virtual environment exists, so it needs nothing but the standard library:
``python3 zhtj/serve/packages.py run|test``. Exit status 0: go on; 1: something essential is missing.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

RUN, TEST = "run", "test"


@dataclass(frozen=True)
class Need:
    """Something the system has to offer.

    Args:
        what: said to the operator.
        packages: Debian's packages that bring it.
        present: whether it is there.
        since: the purpose from which on it is needed (``test`` includes ``run``).
        essential: the purposes that make no sense without it.
    """

    what: str
    packages: tuple[str, ...]
    present: Callable[[], bool]
    since: str
    essential: frozenset[str]


def _library(*names: str) -> Callable[[], bool]:
    def present() -> bool:
        try:
            for name in names:
                ctypes.CDLL(name)
        except OSError:
            return False
        return True

    return present


def _program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


def _postgresql() -> bool:
    return any(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or bool(shutil.which("initdb"))


def _venv_package() -> str:
    """The system's own interpreter has a plain package name, others carry their version."""
    own = Path("/usr/bin/python3").resolve() == Path(sys.executable).resolve()
    return "python3-venv" if own else f"python3.{sys.version_info.minor}-venv"


NEEDS = (
    Need(
        "Python 虚拟环境",
        (_venv_package(),),
        lambda: importlib.util.find_spec("ensurepip") is not None,
        RUN,
        frozenset({RUN, TEST}),
    ),
    # Without the subset library a letter takes seconds instead of a tenth of one.
    Need(
        "生成 PDF 介绍信的排版库",
        ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
        _library("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0"),
        RUN,
        frozenset({TEST}),
    ),
    Need("测试用的 PostgreSQL", ("postgresql",), _postgresql, TEST, frozenset({TEST})),
    Need(
        "测试用的浏览器 Chromium",
        ("chromium",),
        _program("chromium", "chromium-browser", "google-chrome"),
        TEST,
        frozenset({TEST}),
    ),
    Need("测试用的 Node.js", ("nodejs",), _program("node", "nodejs"), TEST, frozenset({TEST})),
    Need("测试用的 npm", ("npm",), _program("npm"), TEST, frozenset({TEST})),
)


def missing(purpose: str, needs: Sequence[Need] = NEEDS) -> list[Need]:
    """What ``purpose`` wants and the system does not offer."""
    return [need for need in needs if (need.since == RUN or purpose == TEST) and not need.present()]


def privilege() -> list[str] | None:
    """What to write before a command to run it as root without being asked; None if there is no way."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    asked = subprocess.run([sudo, "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return [sudo, "-n"] if asked.returncode == 0 else None


def install(packages: Sequence[str], prefix: Sequence[str]) -> None:
    """Install packages; those that do not exist on this system do not keep the others from being installed."""
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]

    def call(*arguments: str) -> int:
        return subprocess.run(
            [*apt, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False
        ).returncode

    call("update")
    if call("install", "--no-install-recommends", *packages) == 0 or len(packages) == 1:
        return
    for package in packages:
        call("install", "--no-install-recommends", package)


def ensure(purpose: str, needs: Sequence[Need] = NEEDS) -> bool:
    """Install what is missing if that is allowed, and tell the operator what stays missing.

    Returns whether it makes sense to go on.
    """
    absent = missing(purpose, needs)
    prefix = privilege() if absent else None
    if absent and prefix is not None and shutil.which("apt-get"):
        _say(f"正在安装系统软件包：{_names(absent)}（可能需要几分钟）……")
        install(_packages(absent), prefix)
        absent = missing(purpose, absent)
    if not absent:
        return True
    _say(f"缺少：{'、'.join(need.what for need in absent)}")
    _say(f"请由管理员执行：sudo apt-get install -y --no-install-recommends {_names(absent)}")
    stop = [need.what for need in absent if purpose in need.essential]
    _say(f"没有{'、'.join(stop)}就不能继续。" if stop else "先继续，相应功能暂不可用。")
    return not stop


def _packages(needs: Sequence[Need]) -> list[str]:
    return [package for need in needs for package in need.packages]


def _names(needs: Sequence[Need]) -> str:
    return " ".join(_packages(needs))


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main(arguments: Sequence[str]) -> int:
    """The command; see the module."""
    if list(arguments) not in ([RUN], [TEST]):
        _say("用法：python3 zhtj/serve/packages.py run|test")
        return 2
    return 0 if ensure(arguments[0]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
