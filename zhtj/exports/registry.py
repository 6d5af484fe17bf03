"""Every list that can be exported, by key."""

from __future__ import annotations

from zhtj.exports import graduates, people, progress, rates, statistics, transfers
from zhtj.exports.lists import ExportList

LISTS: dict[str, ExportList] = {
    one.key: one
    for one in (*people.LISTS, *graduates.LISTS, *progress.LISTS, *rates.LISTS, *transfers.LISTS, *statistics.LISTS)
}
