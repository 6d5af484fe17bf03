"""A season's real applications, read in chunks and compared: what would be otherwise if a layer held (PD-62).

Nothing is written: the database itself refuses to, see ``database.reading_only``. Refused, withdrawn and returned
applications are compared as well: under another edition they might not have ended so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from zhtj.editions.rules import (
    Course,
    PolicyChange,
    RequestedTransfer,
    Touched,
    county,
    not_done,
    of_course,
    of_request,
)
from zhtj.editions.text_changes import TextChange, text_changes
from zhtj.graduation.season_line import in_season
from zhtj.kernel import clock, dates
from zhtj.kernel.database import among, session
from zhtj.kernel.errors import DomainError
from zhtj.letters.models import Letter
from zhtj.orgs.policies import SeasonPolicies, policies_of
from zhtj.policy.layers import PolicyError, layer_names
from zhtj.policy.layers import layer as read_layer
from zhtj.policy.model import Policy
from zhtj.policy.vocabulary import PlaceTie, Reason
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.workflow import RUNNING, Action

CHUNK = 5000
_GIVEN = ("unit_name", "unit_address", "place", "remark")
# A reason's fields, by the column they are kept in; unit and school share one.
_FIELDS = {"unit_name": ("unit", "school"), "unit_address": ("address",), "place": ("place",), "remark": ("remark",)}


@dataclass(frozen=True, slots=True)
class Compared:
    """One application and what would be otherwise: nothing, if ``changes`` is empty."""

    application_id: int
    reason: Reason
    changes: tuple[PolicyChange, ...]

    @property
    def touched(self) -> frozenset[Touched]:
        """What of it is otherwise."""
        return frozenset(each.difference.touches for each in self.changes)


def known_layers() -> dict[str, str]:
    """Layers that can be tried, with their titles, the newest first."""
    heads = [read_layer(name).layer for name in layer_names()]
    return {head.name: head.title for head in reversed(heads) if head.scope != "base"}


@dataclass(frozen=True, slots=True)
class DryRun:
    """A layer, tried on a season's applications out of one part of the tree.

    Args:
        layer: its name.
        season: year of graduation.
        path: of the organisation whose graduates are meant, wherever they have moved since.
    """

    layer: str
    season: int
    path: str

    def check(self) -> None:
        """Raise DomainError for a layer there is not, or where it cannot be tried on that season."""
        if self.layer not in known_layers():
            raise DomainError(
                f"没有名为 {self.layer} 的政策层。", fix=f"可选：{'、'.join(known_layers())}。", field="layer"
            )
        if not 1 <= self.season <= clock.today().year:
            raise DomainError("只能比较本届或往届。", fix="请选择已经开始的届别。", field="season")
        try:
            self.policies()
        except PolicyError as error:
            raise DomainError(str(error), field="layer", rule="PD-62") from error

    def policies(self) -> tuple[Policy, Policy]:
        """What holds for the organisation itself, and what would."""
        known = policies_of(self.season)
        return known.at(self.path), known.under(self.layer, self.path)

    def texts(self) -> list[TextChange]:
        """The texts that would be otherwise for the organisation itself."""
        return text_changes(*self.policies())

    def count(self) -> int:
        """How many applications are compared."""
        return session.scalar(select(func.count()).select_from(Application).where(*self._where())) or 0

    def chunks(self, after: int = 0) -> Iterator[list[Compared]]:
        """All applications behind ``after``, by id, many at a time; each read when it is asked for."""
        pairs = _Pairs(self.layer, policies_of(self.season))
        while rows := self._rows(after):
            after = rows[-1].id
            yield _compared(rows, pairs)

    def _where(self) -> tuple[ColumnElement[bool], ...]:
        return Application.season == self.season, in_season(self.path, Application.season_path)

    def _rows(self, after: int) -> list[Any]:
        columns = (Application.id, Application.season_path, Application.reason, Application.kind, Application.initiator)
        times = (Application.state, Application.submitted_at, Application.ended_at)
        given = (getattr(Application, name) for name in _GIVEN)
        query = select(*columns, *times, *given).where(*self._where(), Application.id > after)
        return list(session.execute(query.order_by(Application.id).limit(CHUNK)))


class _Pairs:
    """The two policies of each place, laid together once."""

    def __init__(self, layer: str, known: SeasonPolicies) -> None:
        self._layer, self._known = layer, known
        self._found: dict[int, tuple[Policy, Policy]] = {}

    def at(self, path: str) -> tuple[Policy, Policy]:
        before = self._known.at(path)
        if id(before) not in self._found:
            self._found[id(before)] = before, self._known.under(self._layer, path)
        return self._found[id(before)]


def _compared(rows: list[Any], pairs: _Pairs) -> list[Compared]:
    ids = [row.id for row in rows]
    steps, letters = _steps(ids), _letters(ids)
    now = clock.now()
    return [_compare(row, *pairs.at(row.season_path), steps, letters, now) for row in rows]


def _compare(  # noqa: PLR0917 - one row and what was read for its whole chunk
    row: Any,
    before: Policy,
    after: Policy,
    steps: Mapping[int, tuple[datetime | None, datetime | None]],
    letters: Mapping[int, datetime],
    now: datetime,
) -> Compared:
    left, taken = steps.get(row.id, (None, None))
    asked = _request(row, before, after)
    course = Course(
        row.state,
        row.submitted_at,
        left or row.ended_at,
        _day(row.ended_at),
        _day(taken),
        _day(letters.get(row.id)),
    )
    found = [*of_request(before, after, asked), *of_course(before, after, asked, course, now)]
    lost = not_done(found, course)
    return Compared(row.id, asked.reason, (*found, lost) if lost else tuple(found))


def _request(row: Any, before: Policy, after: Policy) -> RequestedTransfer:
    reason = Reason(row.reason)
    fits = (True, True)
    if reason is Reason.SPECIAL_UNIT:
        fits = before.special_remark_fits(row.remark or ""), after.special_remark_fits(row.remark or "")
    return RequestedTransfer(
        reason,
        row.kind,
        PlaceTie(row.place) if row.place in set(PlaceTie) else None,
        row.initiator,
        frozenset(field for name in _GIVEN if getattr(row, name) for field in _FIELDS[name]),
        county(before, after, dates.local(row.submitted_at)),
        fits,
    )


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else dates.local(moment)


def _steps(ids: Collection[int]) -> dict[int, tuple[datetime | None, datetime | None]]:
    """When the clock of each stopped, and when a county took it over."""
    stopped = func.min(ApplicationEvent.at).filter(ApplicationEvent.to_state.not_in(RUNNING))
    taken = func.min(ApplicationEvent.at).filter(ApplicationEvent.action == Action.TAKE_OVER)
    query = select(ApplicationEvent.application_id, stopped, taken).where(among(ApplicationEvent.application_id, ids))
    rows = session.execute(query.group_by(ApplicationEvent.application_id))
    return {number: (left, over) for number, left, over in rows}


def _letters(ids: Collection[int]) -> dict[int, datetime]:
    """When the first letter was issued for each."""
    query = select(Letter.application_id, func.min(Letter.issued_at)).where(among(Letter.application_id, ids))
    return {number: at for number, at in session.execute(query.group_by(Letter.application_id)) if number is not None}
