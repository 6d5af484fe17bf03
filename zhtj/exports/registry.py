"""Every list that can be exported, by key."""

from __future__ import annotations

from zhtj.exports import dry_runs, graduate_progress, graduates, people, rates, statistics, transfers
from zhtj.exports.lists import ExportList

LISTS: dict[str, ExportList] = {
    one.key: one
    for one in (
        *people.LISTS,
        *graduates.LISTS,
        *graduate_progress.LISTS,
        *rates.LISTS,
        *transfers.LISTS,
        *statistics.LISTS,
        *dry_runs.LISTS,
    )
}
