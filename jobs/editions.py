"""Dry runs of an edition as a job."""

from __future__ import annotations

from zhtj.editions import work


def work_off(number: int) -> bool:
    """Go on with a dry run. Returns whether it is done."""
    return work.work_off(number)
