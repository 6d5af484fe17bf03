"""Long imports as a job."""

from __future__ import annotations

from zhtj.imports import work


def work_off(number: int) -> bool:
    """Do what a batch waits for. Returns whether it was done."""
    return work.work_off(number)
