"""The people behind a figure, each with the step he is at and the reason why he counts (PD-25)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.attributes import set_committed_value

from zhtj.graduation.models import CloseReason, GraduateCategory, RegisterRow
from zhtj.kernel import dates
from zhtj.kernel.sql.listing import Listing
from zhtj.kernel.sql.replica import reports
from zhtj.orgs.models import SCHOOL_INDUSTRIES, Organisation, Purpose
from zhtj.people.finding import search
from zhtj.people.models import Account, Member, Membership
from zhtj.rates import explain, queries, uncounted
from zhtj.rates.counting import keeping
from zhtj.rates.explain import Explanation, GraduateOnDay
from zhtj.rates.models import Standing
from zhtj.rates.queries import Place
from zhtj.rates.rules import RateKind
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.rules import counts
from zhtj.transfers.watching.graduates import NOT_STARTED, STEPS, UNCOUNTED
from zhtj.transfers.workflow import State, Track

CLOSED, LATE, TAKEN_OVER = "closed", "late", "taken_over"
_TEXTS = {CLOSED: "不计入的毕业生", LATE: "封存以后才办完的毕业生", TAKEN_OVER: "由县级接收的毕业生"}


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which list.

    Args:
        place: whose, see ``queries.behind``.
        season: year.
        key: one of ``queries.asked_for``, or ``closed``, ``closed.<reason>``, ``late``, ``taken_over``.
        day: at the end of which; None: now.
        text: start of the name, or a whole student number.
    """

    place: Place
    season: int
    key: str
    day: date | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class ListedGraduate:
    """One person of a list.

    Args:
        row: with his member record, account, origin and present branch.
        category: on the day.
        application: what his counting rests on, with its organisations.
        state: its state on the day; None without an application.
        holder: who must act now; None where nothing waits, and on past days.
        from_outside: he comes in from outside the area.
        reasons: why he counts or not.
        is_done: completed, on the day.
        is_counted: he is in a denominator; False in the lists of those who are not, or were too late.
    """

    row: RegisterRow
    category: GraduateCategory | None
    application: Application | None
    state: State | None
    holder: Organisation | None
    from_outside: bool
    reasons: tuple[Explanation, ...]
    is_done: bool = False
    is_counted: bool = True

    @property
    def is_own_turn(self) -> bool:
        """Whether nobody but himself can go on: he counts, is not completed, and nothing is under way."""
        return self.is_counted and not self.is_done and (self.state is None or not self.state.is_open)

    @property
    def is_uncounted(self) -> bool:
        """Whether what is complete is a move inside his own school, which does not count as such (⑥, PD-58)."""
        found = self.application
        done = self.state is State.COMPLETED and not self.is_done
        return done and found is not None and not counts(found.kind, found.reason)

    @property
    def step(self) -> str:
        """Where he stands, in words; "" for nobody who has to move."""
        if self.is_uncounted:
            return STEPS[UNCOUNTED]
        if self.is_done or self.state is not None:
            return (State.COMPLETED if self.is_done or self.state is None else self.state).label
        return STEPS[NOT_STARTED] if self.is_counted else ""


def title(key: str) -> str:
    """What the people of a list are, in words. Raises DomainError: there is no such list."""
    if key in _TEXTS:
        return _TEXTS[key]
    reason = _close_reason(key)
    return f"{_TEXTS[CLOSED]}：{reason.label}" if reason else queries.asked_for(key)


def _close_reason(key: str) -> CloseReason | None:
    start, _, name = key.partition(".")
    return CloseReason(name) if start == CLOSED and name in set(CloseReason) else None


def _is_of_register(key: str) -> bool:
    return key in _TEXTS or _close_reason(key) is not None


def listing(asked: ListQuery) -> Listing[ListedGraduate]:
    """A list, class by class; it has as many people as the figure says (PD-25).

    Raises:
        DomainError: there is no such list.
    """
    keeping.settle()
    query = _query(asked)
    if _is_of_register(asked.key):
        return Listing(
            query,
            [RegisterRow.season_path, RegisterRow.id],
            loads=[joinedload(RegisterRow.member).joinedload(Member.account)],
            dress=lambda rows: _not_counted(asked, rows),
            reader=reports,
        )
    return Listing(
        query,
        [Standing.season_path, Standing.row_id],
        loads=(
            joinedload(Standing.row).joinedload(RegisterRow.member).joinedload(Member.account),
            joinedload(Standing.application),
        ),
        dress=lambda standings: _counted(asked, standings),
        reader=reports,
    )


def _query(asked: ListQuery) -> Select[Any]:
    query: Select[Any]
    if asked.key == LATE:
        query, row_id = uncounted.late(asked.place, asked.season), RegisterRow.id
    elif asked.key == TAKEN_OVER:
        query, row_id = uncounted.taken_over(asked.place, asked.season, asked.day), RegisterRow.id
    elif _is_of_register(asked.key):
        query = uncounted.closed(asked.place, asked.season, asked.day, _close_reason(asked.key))
        row_id = RegisterRow.id
    else:
        query, row_id = queries.behind(asked.place, asked.season, asked.key, asked.day), Standing.row_id
    return query.where(row_id.in_(_named(asked))) if asked.text else query


def _named(asked: ListQuery) -> Select[Any]:
    return (
        select(RegisterRow.id)
        .join(Member, Member.id == RegisterRow.member_id)
        .join(Account, Account.id == Member.account_id)
        .where(RegisterRow.season == asked.season, search.is_named(asked.text))
    )


# ---- lines


def _counted(asked: ListQuery, standings: Sequence[Standing]) -> list[ListedGraduate]:
    _attach([each.row for each in standings], [each.application for each in standings if each.application])
    moment = uncounted.end_of(asked.season, asked.day)
    steps = _steps([each.application_id for each in standings if each.application_id], moment)
    stays = _stays([each.row for each in standings], moment)
    kind = queries.rate_of(asked.key)
    area = queries.area(asked.place) if isinstance(asked.place, str) else asked.place
    return [_line(each, kind, area, steps, stays, moment) for each in standings]


Steps = Mapping[int, tuple[State, datetime]]


def _line(  # noqa: PLR0917 - what was read once for all lines of the page
    standing: Standing,
    kind: RateKind | None,
    area: Sequence[str],
    steps: Steps,
    stays: Mapping[int, Organisation],
    moment: datetime | None,
) -> ListedGraduate:
    row, application = standing.row, standing.application
    state, at = steps.get(standing.application_id or 0, (None, None))
    since = row.completed_at if standing.done else at
    outside = not any(standing.season_path.startswith(path) for path in area)
    stay = stays.get(row.member_id)
    person = GraduateOnDay(
        row.season,
        keeping.counted(standing),
        state,
        dates.local(since) if since else None,
        application.to_name if application else "",
        is_special=application is not None and application.track is Track.SPECIAL,
        from_outside=outside,
        kept_at=stay.short_name if stay is not None and _is_kept(stay) else "",
        with_unit=row.with_unit_since is not None and (moment is None or row.with_unit_since < moment),
    )
    waits = moment is None and application is not None and application.state.is_open
    return ListedGraduate(
        row,
        standing.category,
        application,
        state,
        application.holder if application and waits else None,
        outside,
        tuple(explain.why(person, kind or _own_rate(standing.category))),
        standing.done,
    )


def _own_rate(category: GraduateCategory | None) -> RateKind:
    return RateKind.FURTHER_STUDY if category is GraduateCategory.FURTHER_STUDY else RateKind.SOCIETY


def _is_kept(organisation: Organisation) -> bool:
    """Whether it is a school's branch for floating members: who stays there is not completed (M-03, M-12)."""
    return organisation.purpose is Purpose.FLOATING and organisation.industry in SCHOOL_INDUSTRIES


def _not_counted(asked: ListQuery, rows: Sequence[RegisterRow]) -> list[ListedGraduate]:
    _attach(rows, [])
    if asked.key == LATE:
        done = ((row, row.completed_at) for row in rows if row.completed_at)
        reasons = {row.id: explain.why_late(dates.local(at), row.season) for row, at in done}
    elif asked.key == TAKEN_OVER:
        takers = uncounted.takers(rows, asked.season, asked.day)
        reasons = {
            number: explain.why_taken_over(name, dates.local(at), asked.season) for number, (name, at) in takers.items()
        }
    else:
        why = uncounted.reasons(rows, asked.season, asked.day)
        reasons = {
            number: explain.why_closed(reason, dates.local(at), asked.season) for number, (reason, at) in why.items()
        }
    return [
        ListedGraduate(
            row, row.category, None, None, None, from_outside=False, reasons=(reasons[row.id],), is_counted=False
        )
        for row in rows
        if row.id in reasons
    ]


# ---- what lies around them, read once a page

_BY_ID = (
    select(Organisation)
    .where(Organisation.id.in_(bindparam("ids", expanding=True)))
    .options(joinedload(Organisation.office))
)
_ENDS = ("from_org", "to_org", "final_org", "holder")


def _attach(rows: Sequence[RegisterRow], applications: Sequence[Application]) -> None:
    wanted = {row.origin_org_id for row in rows} | {row.member.org_id for row in rows}
    wanted |= {getattr(each, f"{name}_id") for each in applications for name in _ENDS}
    ids = list(wanted - {None})
    known = {each.id: each for each in reports().scalars(_BY_ID, {"ids": ids})} if ids else {}
    for row in rows:
        set_committed_value(row, "origin", known.get(row.origin_org_id or 0))
        set_committed_value(row.member, "org", known[row.member.org_id])
    for each in applications:
        for name in _ENDS:
            set_committed_value(each, name, known.get(getattr(each, f"{name}_id")))


def _steps(ids: Sequence[int], moment: datetime | None) -> Steps:
    """State of each of these applications at a moment, and since when."""
    query = select(ApplicationEvent.application_id, ApplicationEvent.to_state, ApplicationEvent.at).where(
        ApplicationEvent.application_id.in_(ids)
    )
    if moment is not None:
        query = query.where(ApplicationEvent.at < moment)
    found: dict[int, tuple[State, datetime]] = {}
    if ids:
        for number, state, at in reports().execute(query.order_by(ApplicationEvent.id)):
            if number not in found or found[number][0] is not state:
                found[number] = (state, at)
    return found


def _stays(rows: Sequence[RegisterRow], moment: datetime | None) -> dict[int, Organisation]:
    """Where each of these members stood at a moment."""
    if moment is None:
        return {row.member_id: row.member.org for row in rows}
    query = (
        select(Membership.member_id, Organisation)
        .join(Organisation, Organisation.id == Membership.org_id)
        .where(
            Membership.member_id.in_([row.member_id for row in rows]),
            Membership.started_at < moment,
            or_(Membership.ended_at.is_(None), Membership.ended_at >= moment),
        )
    )
    return {number: organisation for number, organisation in reports().execute(query)} if rows else {}  # noqa: C416
