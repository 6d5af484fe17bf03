"""The conversion of 1 June: graduating branches become 毕业生团组织, their members graduates (G-09, G-10, D-05).

The rehearsal and the conversion stand on the same statements, so that what was told beforehand is what happens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update

from zhtj.graduation.events import BranchesConverted
from zhtj.graduation.models import BranchMark, MarkKind, MemberMark
from zhtj.graduation.rules import KEPT, markable_industries
from zhtj.graduation.season_register import in_year
from zhtj.kernel import audit, clock, events
from zhtj.kernel.database import session, touched
from zhtj.kernel.permissions import subtree
from zhtj.orgs.models import SEGMENT, Category, Organisation, Tier
from zhtj.people.models import Member
from zhtj.policy.seasons import policy_for

CHUNK = 1000
NOTICE = timedelta(days=7)
NOTICE_NAME = "conversion-notice"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the conversion will do in one part of the tree.

    Args:
        season: its year.
        day: when.
        branches: how many become 毕业生团组织.
        members: how many become graduates.
        unmarked: branches of schools that have no mark and stay as they are.
    """

    season: int
    day: date
    branches: int
    members: int
    unmarked: int

    @property
    def text(self) -> str:
        """In one sentence."""
        parts = []
        if self.branches:
            parts.append(f"{self.branches:,} 个团支部将转为毕业生团组织，{self.members:,} 名团员将成为毕业生")
        if self.unmarked:
            parts.append(f"还有 {self.unmarked:,} 个团支部没有标记毕业时间")
        return "；".join(parts or ["没有要转换的团支部"]) + "。"


@dataclass(frozen=True, slots=True)
class SchoolForecast:
    """The same for one school, with the organisation that answers for it."""

    org: Organisation
    forecast: Forecast


def convert(*, branches: Collection[int] | None = None) -> tuple[int, int]:
    """Turn the branches that graduate by the end of the season into 毕业生团组织 and their members into graduates.

    From the conversion day of the season on; what was converted is not touched again. Delayed graduates and teachers
    stay what they are, members of mixed branches follow their own marks.

    Args:
        branches: ids to look at; None for all.

    Returns:
        How many branches, and how many members of them.
    """
    season = clock.today().year
    # D-05, G-09: from the conversion day on, by itself.
    if clock.today() < policy_for(season, ()).convert_date:
        return 0, 0
    members, ids = 0, list(session.scalars(_due(select(Organisation.id), season, branches)))
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        turned = session.scalars(
            update(Organisation)
            .where(Organisation.id.in_(chunk), Organisation.category == Category.BRANCH)
            .values(category=Category.GRADUATES)
            .returning(Organisation.id),
            execution_options={"synchronize_session": "fetch"},
        ).all()
        # G-10: with the branch, everybody in it who is neither delayed nor a teacher.
        flagged = update(Member).where(Member.org_id.in_(turned), _turns()).values(is_graduate=True)
        members += touched(session.execute(flagged, execution_options={"synchronize_session": False}))
        audit.record_many("branch.convert", "organisation", [(branch, {"season": season}) for branch in turned])
        if turned:
            events.publish(BranchesConverted(tuple(turned)))
    own = exists().where(_individual(season))
    singly = update(Member).where(own, Member.is_graduate.is_(False), Member.archived_at.is_(None))
    if branches is None:
        session.execute(singly.values(is_graduate=True), execution_options={"synchronize_session": False})
    session.expire_all()
    return len(ids), members


def _individual(season: int) -> ColumnElement[bool]:
    return and_(
        MemberMark.member_id == Member.id,
        MemberMark.org_id == Member.org_id,
        MemberMark.kind == MarkKind.INDIVIDUAL,
        in_year(MemberMark.month, season),
    )


def _due(
    query: Select[*tuple[Any, ...]], season: int, branches: Collection[int] | None = None
) -> Select[*tuple[Any, ...]]:
    """Branches whose time lies in the season and that have not been converted."""
    query = query.join(BranchMark, BranchMark.org_id == Organisation.id).where(
        Organisation.category == Category.BRANCH, in_year(BranchMark.month, season)
    )
    return query if branches is None else query.where(Organisation.id.in_(branches))


def _turns() -> ColumnElement[bool]:
    """Members of a converted branch who become graduates: all but those marked delayed or as teachers."""
    stays = exists().where(
        MemberMark.member_id == Member.id,
        or_(
            MemberMark.kind == MarkKind.DELAYED,
            and_(MemberMark.kind == MarkKind.TEACHER, MemberMark.org_id == Member.org_id),
        ),
    )
    return and_(Member.archived_at.is_(None), ~stays)


def revert(branch: Organisation) -> None:
    """A branch whose mark was changed to a later year is a 团支部 again, its members no graduates (G-14)."""
    if branch.category is not Category.GRADUATES:
        return
    branch.category = Category.BRANCH
    session.flush()
    session.execute(
        update(Member).where(Member.org_id == branch.id).values(is_graduate=False),
        execution_options={"synchronize_session": "fetch"},
    )
    audit.record("branch.revert", "organisation", branch.id)


def due(query: Select[Any]) -> Select[Any]:
    """``query`` over organisations, narrowed to the branches that the season's conversion will turn."""
    return _due(query, clock.today().year)


def unmarked(query: Select[Any]) -> Select[Any]:
    """``query`` over open branches of schools that miss a mark (G-01, O-23)."""
    # G-01, O-23: every branch of a school is to be marked, the newly built ones too.
    return query.where(
        Organisation.category == Category.BRANCH,
        Organisation.closed_at.is_(None),
        Organisation.industry.in_(markable_industries(policy_for(clock.today().year, ()))),
        or_(Organisation.purpose.is_(None), Organisation.purpose.not_in(KEPT)),
        ~exists().where(BranchMark.org_id == Organisation.id),
    )


def season_and_day() -> tuple[int, date]:
    """The season whose conversion comes next or was last, and its day."""
    season = clock.today().year
    return season, policy_for(season, ()).convert_date


def forecast(path: str) -> Forecast:
    """What the conversion will do at and below ``path``, with the marks as they stand now."""
    season, day = season_and_day()
    here = subtree(Organisation.path, path)
    branches = session.scalar(_due(select(func.count(Organisation.id)), season).where(here)) or 0
    joined = select(func.count(Member.id)).select_from(Organisation).join(Member, Member.org_id == Organisation.id)
    members = session.scalar(_due(joined, season).where(here, _turns())) or 0
    missing = session.scalar(unmarked(select(func.count(Organisation.id))).where(here)) or 0
    return Forecast(season, day, branches, members, missing)


def by_school(path: str) -> list[SchoolForecast]:
    """The same school by school, for those that have anything to expect, in the order of the tree."""
    season, day = season_and_day()
    here = subtree(Organisation.path, path)
    found: dict[str, list[int]] = {}
    schools = _Schools()
    joined = select(Organisation.path, func.count(Member.id)).outerjoin(
        Member, and_(Member.org_id == Organisation.id, _turns())
    )
    due = session.execute(_due(joined, season).where(here).group_by(Organisation.path)).all()
    missing = session.scalars(unmarked(select(Organisation.path)).where(here)).all()
    schools.learn([*(line for line, _ in due), *missing])
    for line, members in due:
        numbers = found.setdefault(schools.of(line), [0, 0, 0])
        numbers[0], numbers[1] = numbers[0] + 1, numbers[1] + members
    for line in missing:
        found.setdefault(schools.of(line), [0, 0, 0])[2] += 1
    organisations = {
        one.path: one for part in _parts(sorted(found)) for one in session.scalars(_at(part, select(Organisation)))
    }
    return [
        SchoolForecast(organisations[place], Forecast(season, day, *found[place]))
        for place in sorted(found)
        if place in organisations
    ]


def _at(paths: list[str], query: Select[Any]) -> Select[Any]:
    return query.where(Organisation.path.in_(paths))


def _parts(paths: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(paths), CHUNK):
        yield paths[start : start + CHUNK]


class _Schools:
    """Which school a branch belongs to: the basic committee above it, else its direct superior."""

    def __init__(self) -> None:
        self._basic: set[str] = set()

    def learn(self, branches: list[str]) -> None:
        """Look up the basic committees above these branches."""
        above = {path[:end] for path in branches for end in range(SEGMENT, len(path), SEGMENT)}
        for part in _parts(sorted(above)):
            self._basic.update(
                session.scalars(_at(part, select(Organisation.path)).where(Organisation.tier == Tier.BASIC))
            )

    def of(self, branch: str) -> str:
        """The path of its school."""
        above = (branch[:end] for end in range(SEGMENT, len(branch), SEGMENT))
        return next((path for path in above if path in self._basic), branch[:-SEGMENT])


def notices() -> list[tuple[int, str, str]]:
    """What to tell each school in the week before the conversion: (organisation, title, text); else nothing.

    The caller sends it once a season (``NOTICE_NAME``).
    """
    season, day = season_and_day()
    if not day - NOTICE <= clock.today() < day:
        return []
    title = f"{season} 届毕业生团组织将于 {day.month} 月 {day.day} 日转换"
    return [(one.org.id, title, _letter(one, day)) for one in by_school("")]


def _letter(one: SchoolForecast, day: date) -> str:
    return (
        f"{one.org.short_name}：{day.month} 月 {day.day} 日，{one.forecast.text}\n"
        "请在此之前核对毕业时间标记，没有标记的团支部请尽快标记。延迟毕业的团员和教师，转换后请逐人标记。"
    )
