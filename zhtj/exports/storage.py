"""Where the files of exports lie until they are fetched: encrypted, in the instance's folder.

Web and worker are processes on one machine, or share the folder. A file is named after the export and the attempt that
wrote it, so that what a killed worker left behind can be told from what is still wanted.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from zhtj.kernel import crypto

Answer = TypeVar("Answer")
FOLDER = "exports"
_PIECE = 2**20
_UNFINISHED = ".part"


def folder(instance: Path) -> Path:
    """The folder, readable by the owner alone."""
    path = instance / FOLDER
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write(instance: Path, name: str, fill: Callable[[BinaryIO], Answer]) -> tuple[int, Answer]:
    """Keep a file.

    Args:
        instance: the installation's folder.
        name: to lie under.
        fill: writes the plain file, which never has a name.

    Returns:
        Its plain size in bytes, and what ``fill`` answered.
    """
    place = folder(instance)
    with tempfile.TemporaryFile(dir=place) as plain:
        answer = fill(plain)
        size = plain.seek(0, os.SEEK_END)
        plain.seek(0)
        unfinished = place / f"{name}{_UNFINISHED}"
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
            while piece := plain.read(_PIECE):
                target.write(crypto.seal(piece) + b"\n")
    unfinished.replace(place / name)
    return size, answer


def read(instance: Path, name: str) -> Iterator[bytes]:
    """The plain file, piece by piece. Raises FileNotFoundError at once if it is not there."""
    source = (folder(instance) / name).open("rb")

    def pieces() -> Iterator[bytes]:
        with source:
            for line in source:
                yield crypto.unseal(line.rstrip(b"\n"))

    return pieces()


def remove(instance: Path, name: str) -> None:
    """Throw a file away, finished or not; twice is the same as once."""
    for path in (folder(instance) / name, folder(instance) / f"{name}{_UNFINISHED}"):
        path.unlink(missing_ok=True)


def names(instance: Path) -> set[str]:
    """Names of all files, finished or not."""
    return {entry.name.removesuffix(_UNFINISHED) for entry in os.scandir(folder(instance)) if entry.is_file()}
