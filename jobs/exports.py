"""Exports as a job."""

from __future__ import annotations

from flask import current_app

from zhtj.exports import work


def work_off(number: int) -> bool:
    """Write the file of an export. Returns whether there is one."""
    return work.work_off(number, current_app.config["ZHTJ"].instance)
