"""What the reading process and the rest of the system say to each other, and the limits it keeps.

A file of a few kilobytes can claim billions of cells. It is read in a process of its own with limits of memory and
time (``readers/reading_process.py``), which prints one JSON document a line: ``{"name", "visible"}`` opens a sheet,
then ``[row number, cells]`` for each row that is not empty, then ``{"hidden": [row numbers],
"columns": [positions]}`` if any are hidden.
``{"problem": "password" | "broken" | "size" | "wide" | "page"}`` ends it all. Formulas arrive as their values, errors
as their text; a cell merged over several rows counts in each of them.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

MEMORY = 2**30
SECONDS = 60
MAX_ROWS = 100_100
"""Rows of one sheet that are not empty: the data and what stands above and below it."""
MAX_COLUMNS = 1000
MAX_OUTPUT = 200 * 2**20
NO_RESULT = "#没有算出的公式!"
"""What stands for a formula whose value the file does not have."""


def encode(value: Any) -> Any:
    """A cell as JSON; dates and times carry their kind."""
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, time | timedelta):
        return {"time": str(value)}
    return value
