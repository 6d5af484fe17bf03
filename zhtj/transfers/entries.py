"""What forbids somebody to come into an organisation, whatever the way and the moment (PD-57).

Asked at submission and again at release, acceptance, allocation, take-over and whatever completes at once: by then a
class may have been converted, a graduate delayed, a branch closed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from sqlalchemy import and_, select
from sqlalchemy.orm import aliased

from zhtj.graduation.queries import delayed_among
from zhtj.kernel.database import among, session
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Category, Organisation, Purpose, Tier
from zhtj.orgs.rules import destination_problem
from zhtj.policy.vocabulary import Reason
from zhtj.transfers.kinds import Basics
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State, Track, Way

STUDYING = frozenset({Reason.FURTHER_STUDY, Reason.INTERNAL_UPGRADE, Reason.INTERNAL_TRANSFER})
# A school keeps its own people there: cases lead into them, no transfer (PD-10).
_FOR_WHO_STAYS = frozenset({Purpose.OVERSEAS, Purpose.DELAYED})


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who would come in now.

    Args:
        closed: why nobody can be transferred there, "" if somebody can (O-09, O-10).
        purpose: what the organisation was built for.
        of_school: it belongs to a school.
        reason: key of the reason of the transfer.
        is_delayed: a delayed graduate who is still at school.
    """

    closed: str
    purpose: Purpose | None
    of_school: bool
    reason: str
    is_delayed: bool

    @classmethod
    def into(cls, organisation: Organisation, reason: str, *, of_school: bool, is_delayed: bool) -> Self:
        """The entry into an organisation as it stands."""
        return cls(destination_problem(organisation), organisation.purpose, of_school, reason, is_delayed)


def _in_use(entry: Entry) -> DomainError | None:
    """Neither closed nor a graduates' organisation (O-09, O-10)."""
    return DomainError(entry.closed, field="branch", rule="O-10") if entry.closed else None


def _not_delayed(entry: Entry) -> DomainError | None:
    """A delayed graduate comes into no floating branch, of whatever host (R-08)."""
    if not (entry.is_delayed and entry.purpose is Purpose.FLOATING):
        return None
    return DomainError(
        "延迟毕业的团员仍在学校，不能编入流动团员团支部。",
        fix="请转到实际就读的团支部；毕业时间有误的，请学校撤销延迟毕业标记。",
        field="branch",
        rule="R-08",
    )


def _not_staying(entry: Entry) -> DomainError | None:
    """Into a school's branch for those who stay a case leads, no transfer (M-12, PD-10)."""
    kept = entry.purpose in _FOR_WHO_STAYS or (entry.of_school and entry.purpose is Purpose.FLOATING)
    if not kept:
        return None
    return DomainError(
        "转入的团员不能分配到学校的流动、出国（境）或延迟毕业团支部。",
        fix="请选择其他团支部；要留在学校的，由本人申请保留团组织关系、出国（境）学习或延迟毕业。",
        field="branch",
        rule="M-12",
    )


def _studying(entry: Entry) -> DomainError | None:
    """A new students' branch takes in those who study (T-09)."""
    if entry.purpose is not Purpose.NEW_STUDENTS or entry.reason in STUDYING:
        return None
    return DomainError("新生团组织只接收升学的团员。", fix="请选择其他团支部。", field="branch", rule="T-09")


ENTRY: tuple[Callable[[Entry], DomainError | None], ...] = (_in_use, _not_delayed, _not_staying, _studying)


def entry_problem(entry: Entry) -> DomainError | None:
    """The first thing that forbids it."""
    return next((problem for check in ENTRY if (problem := check(entry)) is not None), None)


# ---- asked of applications


@dataclass(frozen=True, slots=True)
class Entrants:
    """Members on their way, and where they could come in: read for many applications at once.

    Args:
        delayed: ids of members who are delayed graduates still at school.
        basics: whose each organisation is.
        landings: by id of a committee, what the branches are for that are in use below it.
    """

    delayed: Collection[int]
    basics: Basics
    landings: Mapping[int, Collection[Purpose | None]]

    @classmethod
    def of(cls, applications: Sequence[Application], branch: Organisation | None = None) -> Self:
        """Read what is needed to judge these applications; ``branch`` is where all of them would arrive."""
        domestic = [each for each in applications if each.track is Track.DOMESTIC]
        places = {each.to_org_id: each.to_org for each in domestic}
        return cls(
            delayed_among({each.member_id for each in domestic}),
            Basics([*places.values(), *([branch] if branch is not None else [])]),
            landings([each for each in places.values() if not each.is_branch]) if branch is None else {},
        )

    def problem(self, application: Application, after: State, branch: Organisation | None = None) -> DomainError | None:
        """Why the member may not come to ``after`` now; None where nothing forbids it, or nobody comes in by it.

        Args:
            application: one of those that were read.
            after: the state to be reached.
            branch: where the member would arrive, if that is not the destination itself.
        """
        if application.track is not Track.DOMESTIC or after not in _COMING_IN:
            return None
        for place in (application.to_org, *([branch] if branch is not None else [])):
            problem = self._into(application, place)
            if problem is not None:
                return problem
        if after is State.AWAITING_ALLOCATION and branch is None:
            return self.nowhere(application)
        return None

    def nowhere(self, application: Application) -> DomainError | None:
        """Why no branch below the destination may take the member; None where one may (PD-57)."""
        place, school = application.to_org, self.basics.is_school(application.to_org)
        delayed = application.member_id in self.delayed
        found = self.landings.get(place.id, ())
        problems = [entry_problem(Entry("", each, school, application.reason, delayed)) for each in found]
        if None in problems:
            return None
        why = next((problem.message for problem in problems if problem is not None), "")
        return DomainError(
            f"{place.short_name}下面没有可以编入的团支部。{why}",
            fix="请先建立团支部；确实不能接收的，选“不同意”并写明。",
            rule="PD-57",
        )

    def _into(self, application: Application, place: Organisation) -> DomainError | None:
        entry = Entry.into(
            place,
            application.reason,
            of_school=self.basics.is_school(place),
            is_delayed=application.member_id in self.delayed,
        )
        problem = entry_problem(entry)
        if problem is not None and place.id == application.to_org_id and place.category is Category.GRADUATES:
            return DomainError(
                f"{place.short_name}已转为毕业生团组织，只出不进，不能再接收。",
                fix="请联系本人改转其他组织或撤销；也可以选“不同意”并写明。",
                rule="O-10",
            )
        return problem


def way_now(application: Application) -> Way:
    """Its way through the workflow as it stands now: who was accepted and may come into no branch any more is barred.

    That is the one thing for which an accepted application may still be refused (PD-57).
    """
    if application.state is not State.AWAITING_ALLOCATION:
        return application.way
    barred = Entrants.of([application]).nowhere(application) is not None
    return replace(application.way, barred=barred)


# What brings somebody in, or nearer to it. Where he waits for the old side he has not been let go yet.
_COMING_IN = frozenset({State.AWAITING_ACCEPTANCE, State.AWAITING_ALLOCATION, State.COMPLETED})


def landings(committees: Sequence[Organisation]) -> dict[int, set[Purpose | None]]:
    """What the branches in use below these committees are for, by id of the committee, in one statement."""
    if not committees:
        return {}
    top, below = aliased(Organisation), aliased(Organisation)
    inside = and_(below.path > top.path, below.path < top.path + "~")
    branches = (
        select(top.id, below.purpose)
        .join(below, inside)
        .where(
            among(top.id, [each.id for each in committees]),
            below.tier == Tier.BRANCH,
            below.category == Category.BRANCH,
            below.closed_at.is_(None),
        )
        .distinct()
    )
    found: dict[int, set[Purpose | None]] = defaultdict(set)
    for number, purpose in session.execute(branches):
        found[number].add(purpose)
    return found
