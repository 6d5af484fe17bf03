"""The process that reads a file, and prints the lines that ``zhtj.imports.files.unpack`` describes."""

from __future__ import annotations

import importlib
import json
import resource
import sys

from zhtj.imports.files import unpack
from zhtj.imports.files.readers.sheet_lines import UnreadableError

READERS = {"xlsx": "xlsx", "xls": "xls", "page": "page", "workbook": "workbook_xml"}


def main() -> int:
    """Read standard input, write standard output; one argument, what kind of file it is."""
    resource.setrlimit(resource.RLIMIT_AS, (unpack.MEMORY, unpack.MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (unpack.SECONDS, unpack.SECONDS))
    reader = importlib.import_module(f"zhtj.imports.files.readers.{READERS[sys.argv[1]]}")
    out = sys.stdout.buffer
    written = 0
    problem = ""
    try:
        for line in reader.read(sys.stdin.buffer.read()):
            written += out.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            if written > unpack.MAX_OUTPUT:
                problem = "size"
                break
    except UnreadableError as error:
        problem = str(error)
    except MemoryError:
        problem = "size"
    except (OSError, ValueError):
        problem = "broken"
    if problem:
        out.write(json.dumps({"problem": problem}).encode() + b"\n")
    out.flush()
    return 0
