"""What every page of the rates is asked: whose figures, of which season, at the end of which day."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import render_template, request, url_for

from zhtj.kernel import clock
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.kernel.sql import replica
from zhtj.orgs import queries as orgs
from zhtj.orgs.models import Organisation
from zhtj.rates import queries
from zhtj.rates.reports import documents
from zhtj.web.access import current_choice, current_seat
from zhtj.web.desks.loading import load_organisation, number_in, own_organisation
from zhtj.web.rendering.navigation import Menu, MenuEntry

# The list that is a page's file, by endpoint; how its address is read stands in ``offered``.
FILES = {
    "rates": "rates",
    "rates_people": "rates-people",
    "rates_ranking": "rates-ranking",
    "rates_curve": "rates-curve",
    "rates_map": "rates-map",
    "rates_stuck": "rates-stuck",
    "rates_stuck_list": "rates-stuck-list",
    "rates_receiving": "rates-receiving",
    "rates_receiving_list": "rates-receiving-list",
}
_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class AskedRates:
    """Whose figures, when.

    Args:
        organisation: the seat's own or one below it.
        season: year.
        day: at the end of which; None: now, or the last state of a season that is over.
        problem: what was wrong with the day or season that was asked for; the page shows the present figures then.
    """

    organisation: Organisation
    season: int
    day: date | None = None
    problem: DomainError | None = None

    @property
    def is_over(self) -> bool:
        """Whether the season has frozen."""
        return self.season < clock.today().year

    @property
    def as_of(self) -> datetime:
        """The moment for which the figures hold (PD-25)."""
        return documents.as_of(self.season, self.day)

    def kept(self, **changed: Any) -> dict[str, Any]:
        """Arguments of an address about the same thing; ``changed`` replaces some, None or "" leaves one out."""
        own = current_seat().org_id
        values = {
            "org": self.organisation.id if self.organisation.id != own else None,
            "season": self.season if self.season != clock.today().year else None,
            "day": self.day.isoformat() if self.day else None,
        }
        return {key: value for key, value in {**values, **changed}.items() if value not in {None, ""}}

    def link(self, endpoint: str, **changed: Any) -> str:
        """Address of another page of the desk about the same thing."""
        return url_for(f".{endpoint}", **self.kept(**changed))


def read(values: Mapping[str, str]) -> AskedRates:
    """What an address or a form asks for; a wrong season or day is told, not refused.

    Raises:
        NotFound: the organisation is not the seat's, nor below it.
    """
    number = number_in(values.get("org", ""))
    organisation = load_organisation(number, Permission.RATES) if number else own_organisation()
    this_year = clock.today().year
    text = values.get("season", "")
    season = int(text) if text.isdecimal() and len(text) == len("2026") else this_year
    if season > this_year:
        problem = DomainError(f"{season} 届还没有开始。", fix=f"下面是 {this_year} 届的数据。", field="season")
        return AskedRates(organisation, this_year, problem=problem)
    asked_day = values.get("day", "")
    if not asked_day:
        return AskedRates(organisation, season)
    try:
        return AskedRates(organisation, season, queries.check_day(season, date.fromisoformat(asked_day)))
    except DomainError as error:
        return AskedRates(organisation, season, problem=error)
    except ValueError:
        wrong = DomainError(f"“{asked_day}”不是日期。", fix="请写成 2026-10-14 这样。", field="day", rule="PD-25")
        return AskedRates(organisation, season, problem=wrong)


def page(template: str, asked: AskedRates, endpoint: str, **values: Any) -> str:
    """Render a page of the desk with the way up, the tabs and the choice of season and day."""
    seat = current_seat()
    line = orgs.line_within(asked.organisation, seat.path)
    crumbs = [(each.short_name, asked.link(endpoint, org=each.id if each.id != seat.org_id else None)) for each in line]
    return render_template(
        template,
        asked=asked,
        crumbs=crumbs,
        here=endpoint,
        tabs=_tabs(asked),
        seasons=[
            (each, f"{each} 届")
            for each in sorted({clock.today().year, asked.season, *queries.seasons()}, reverse=True)
        ],
        as_of=asked.as_of,
        today=clock.today(),
        offered=_offered(asked),
        replica_away=replica.is_away(),
        replica_lag=behind(replica.lag()),
        **values,
    )


def _tabs(asked: AskedRates) -> list[MenuEntry]:
    """The tabs of the figures, those of the rates about the same organisation and season."""
    choice = current_choice()
    if choice is None:
        return []
    return Menu(choice).tabs_with(lambda page: asked.link(page) if page.startswith("rates") else None)


def _offered(asked: AskedRates) -> tuple[str, dict[str, str]] | None:
    """The list that is this page's file, and arguments of its address that differ from the page's own."""
    name = (request.endpoint or "").partition(".")[2]
    key = FILES.get(name)
    if name == "rates" and asked.organisation.is_branch:
        return "rates-people", {"figure": "everyone"}
    if key == "rates-people":
        return key, {"figure": request.args.get("key", "")}
    return (key, {}) if key else None


def behind(lag: timedelta | None) -> str:
    """How old what is read may be, in words; "" where it is the database itself."""
    if lag is None:
        return ""
    seconds = math.ceil(lag.total_seconds())
    if seconds < _MINUTE:
        return f"约晚 {seconds} 秒" if seconds else "与主库一致"
    return f"约晚 {seconds // _MINUTE} 分钟" if seconds < _HOUR else f"约晚 {seconds // _HOUR} 小时"
