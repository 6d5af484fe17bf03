"""The statistics of graduating classes, branches, students and members as the printed form has them (F-10)."""

from __future__ import annotations

from dataclasses import dataclass

from zhtj.exports.lists import Column, ExportList
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, Permission, check
from zhtj.kernel.sql.listing import ReadyListing
from zhtj.orgs.models import Organisation
from zhtj.rates.reports import statistics
from zhtj.rates.reports.statistics import COLUMNS, TITLE, FourCounts

TOTAL = "合计"


@dataclass(frozen=True, slots=True)
class StatisticsFilters:
    """Whose table, of which season."""

    org_id: int
    season: int


@dataclass(frozen=True, slots=True)
class StatisticsRow:
    """One line: a name and its four counts."""

    name: str
    counts: FourCounts


def _rows(seat: ActiveSeat, chosen: StatisticsFilters) -> list[StatisticsRow]:
    organisation = session.get_one(Organisation, chosen.org_id)
    check(seat, Permission.RATES, organisation.path)
    table = statistics.table(organisation, chosen.season)
    return [
        *(StatisticsRow(line.organisation.full_name, line.counts) for line in table.lines),
        StatisticsRow(TOTAL, table.total),
    ]


def _cell(number: int) -> Column:
    def text(row: StatisticsRow) -> str:
        value = row.counts.cells[number]
        return "" if value is None else str(value)

    return Column(COLUMNS[number], text)


STATISTICS = ExportList(
    "statistics",
    TITLE,
    Permission.RATES,
    StatisticsFilters,
    lambda seat, chosen: ReadyListing(_rows(seat, chosen)),
    (Column("单位", lambda row: row.name), *(_cell(number) for number in range(len(COLUMNS)))),
    banner=True,
)

LISTS = (STATISTICS,)
