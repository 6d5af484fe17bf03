"""One application under two policies: what would be otherwise (PD-62). Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from zhtj.kernel import dates
from zhtj.policy.destinations import Verdict, judge, options
from zhtj.policy.model import Policy
from zhtj.policy.parts import Facts
from zhtj.policy.seasons import county_open, return_due
from zhtj.policy.vocabulary import CategoryName, Destination, PlaceTie, Reason, Suitability
from zhtj.transfers.rules import employs
from zhtj.transfers.workflow import Initiator, State


class Touched(StrEnum):
    """What of an application is otherwise (涉及)."""

    DECIDED = "decided"
    ADVISED = "advised"
    COUNTED = "counted"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"decided": "办理不同", "advised": "建议不同", "counted": "统计不同"}[self.value]


class Difference(StrEnum):
    """In which way it is otherwise (不同之处)."""

    FORBIDDEN = "forbidden"
    PERMITTED = "permitted"
    WARNED = "warned"
    NOT_WARNED = "not_warned"
    CASE = "case"
    REASON = "reason"
    INITIATOR = "initiator"
    FIELDS = "fields"
    REMARK = "remark"
    RELEASE = "release"
    RETURNED = "returned"
    NOT_RETURNED = "not_returned"
    DUE = "due"
    COUNTY = "county"
    LETTER = "letter"
    PLACES = "places"
    CATEGORY = "category"
    EMPLOYER = "employer"
    RECEIVER = "receiver"
    STARTED_IN_TIME = "started_in_time"
    DONE_IN_TIME = "done_in_time"
    NOT_DONE = "not_done"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return _DIFFERENCES[self][0]

    @property
    def touches(self) -> Touched:
        """What of an application it concerns."""
        return _DIFFERENCES[self][1]


_DIFFERENCES = {
    Difference.FORBIDDEN: ("不能再转到这里", Touched.DECIDED),
    Difference.PERMITTED: ("原来不能、现在能转到这里", Touched.DECIDED),
    Difference.WARNED: ("须确认并说明情况", Touched.DECIDED),
    Difference.NOT_WARNED: ("不用再说明情况", Touched.DECIDED),
    Difference.CASE: ("改为办理事项，不是转接", Touched.DECIDED),
    Difference.REASON: ("不再有这个转接原因", Touched.DECIDED),
    Difference.INITIATOR: ("发起方不能再发起", Touched.DECIDED),
    Difference.FIELDS: ("缺少须填写的内容", Touched.DECIDED),
    Difference.REMARK: ("备注不合要求", Touched.DECIDED),
    Difference.RELEASE: ("转出方是否须先同意", Touched.DECIDED),
    Difference.RETURNED: ("会超期退回", Touched.DECIDED),
    Difference.NOT_RETURNED: ("当时不会退回", Touched.DECIDED),
    Difference.DUE: ("办理期限不同", Touched.DECIDED),
    Difference.COUNTY: ("县级还不能接收", Touched.DECIDED),
    Difference.LETTER: ("介绍信不能在完成前开具", Touched.DECIDED),
    Difference.PLACES: ("建议的去向不同", Touched.ADVISED),
    Difference.CATEGORY: ("计入的去向类别不同", Touched.COUNTED),
    Difference.EMPLOYER: ("是否计为转到单位", Touched.COUNTED),
    Difference.RECEIVER: ("接收方类别不同", Touched.COUNTED),
    Difference.STARTED_IN_TIME: ("是否按期发起", Touched.COUNTED),
    Difference.DONE_IN_TIME: ("是否按期完成", Touched.COUNTED),
    Difference.NOT_DONE: ("已计完成，不会完成", Touched.COUNTED),
}


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One difference, with what holds and what would hold, in words."""

    difference: Difference
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RequestedTransfer:
    """What somebody asked for, as far as a policy judges it; many applications ask for the same.

    Args:
        reason, kind, place: as the application has them.
        initiator: who started it.
        given: columns that were filled in.
        county: for each of the two policies, whether counties take over on the day of submission (D-15).
        remark_fits: the same, whether a special unit's remark says what it has to (S-04); True for all others.
    """

    reason: Reason
    kind: Destination
    place: PlaceTie | None
    initiator: Initiator
    given: frozenset[str]
    county: tuple[bool, bool]
    remark_fits: tuple[bool, bool] = (True, True)


@dataclass(frozen=True, slots=True)
class Course:
    """What became of it.

    Args:
        state: at present.
        submitted_at: aware.
        left_at: when its clock stopped: decided, returned, withdrawn; None: it still runs.
        ended_on: day on which it ended; None: open.
        taken_over_on: day on which a county took it over (T-03).
        letter_on: day on which a letter was issued for it.
    """

    state: State
    submitted_at: datetime
    left_at: datetime | None
    ended_on: date | None
    taken_over_on: date | None = None
    letter_on: date | None = None


@lru_cache(maxsize=4096)
def of_request(before: Policy, after: Policy, asked: RequestedTransfer) -> tuple[PolicyChange, ...]:
    """What the two policies say differently to what was asked for."""
    return (*_judged(before, after, asked), *_asked(before, after, asked), *_where(before, after, asked))


def of_course(
    before: Policy, after: Policy, asked: RequestedTransfer, course: Course, now: datetime
) -> Iterator[PolicyChange]:
    """What would have become of it otherwise, by the calendar and the terms.

    Args:
        before: the policy that holds.
        after: the one that would.
        asked: what was asked for.
        course: what became of it.
        now: aware.
    """
    yield from _clock(before, after, course, now)
    opens = after.county_fallback_from
    if course.taken_over_on and before.county_fallback_from <= course.taken_over_on < opens:
        yield PolicyChange(Difference.COUNTY, f"{dates.short(course.taken_over_on)}县级接收", f"{dates.short(opens)}起")
    early = course.letter_on and (
        course.state is not State.COMPLETED or course.letter_on < (course.ended_on or date.max)
    )
    if early and after.letter_requires_completion and not before.letter_requires_completion:
        yield PolicyChange(Difference.LETTER, "申请后即可开具", "完成后才开具")
    yield from _in_time(before, after, asked, course)


def not_done(found: list[PolicyChange], course: Course) -> PolicyChange | None:
    """Whoever counts as completed would not, if what led there would not have been possible."""
    hindered = next((each for each in found if each.difference in _HINDERS), None)
    if hindered is None or course.state is not State.COMPLETED:
        return None
    return PolicyChange(Difference.NOT_DONE, "已完成", hindered.difference.label)


_HINDERS = frozenset(
    {Difference.FORBIDDEN, Difference.CASE, Difference.REASON, Difference.INITIATOR, Difference.RETURNED}
    | {Difference.COUNTY}
)


def _facts(asked: RequestedTransfer, *, county: bool) -> Facts:
    """What is known from the application itself; what it had to say to be submitted held then."""
    return Facts(
        county_open=county,
        also_household=True if asked.place is PlaceTie.HOUSEHOLD else None,
        inside_own_school=True if asked.kind is Destination.OWN_SCHOOL else None,
    )


def _verdict(policy: Policy, asked: RequestedTransfer, *, county: bool) -> Verdict:
    facts = {name: value for name, value in _facts(asked, county=county) if value is not None}
    return judge(policy, asked.reason, asked.kind, asked.place, **facts)


def _judged(before: Policy, after: Policy, asked: RequestedTransfer) -> Iterator[PolicyChange]:
    """PD-11: what the destination table says to the place."""
    if asked.reason not in before.reasons or asked.reason not in after.reasons:
        return
    was, would = (
        _verdict(policy, asked, county=county) for policy, county in zip((before, after), asked.county, strict=True)
    )
    if was.case is not would.case:
        yield PolicyChange(
            Difference.CASE, was.case.label if was.case else "转接", would.case.label if would.case else "转接"
        )
    elif was.blocks != would.blocks:
        yield PolicyChange(Difference.FORBIDDEN if would.blocks else Difference.PERMITTED, was.why, would.why)
    elif was.needs_remark != would.needs_remark:
        yield PolicyChange(Difference.WARNED if would.needs_remark else Difference.NOT_WARNED, was.why, would.why)


def _asked(before: Policy, after: Policy, asked: RequestedTransfer) -> Iterator[PolicyChange]:
    """PD-10: what the reason asks for, and of whom."""
    was, would = before.reasons.get(asked.reason), after.reasons.get(asked.reason)
    if was is None or would is None:
        if was is not would:
            yield PolicyChange(Difference.REASON, was.label if was else "没有", would.label if would else "没有")
        return
    if asked.initiator in was.initiators and asked.initiator not in would.initiators:
        allowed = "、".join(Initiator(each).label for each in would.initiators)
        yield PolicyChange(Difference.INITIATOR, asked.initiator.label, allowed)
    known = set(was.fields_for(asked.kind))
    missing = [each for each in would.fields_for(asked.kind) if each not in known and each.value not in asked.given]
    if missing:
        yield PolicyChange(Difference.FIELDS, "不用填写", "、".join(each.label for each in missing))
    if asked.remark_fits == (True, False):
        yield PolicyChange(
            Difference.REMARK,
            "、".join(before.special_unit_remark),
            "、".join(after.special_unit_remark),
        )
    if asked.initiator is Initiator.MEMBER and _released_by(before, asked) != _released_by(after, asked):
        yield PolicyChange(
            Difference.RELEASE, _RELEASED[_released_by(before, asked)], _RELEASED[_released_by(after, asked)]
        )


_RELEASED = {"none": "不用转出方同意", "branch": "原团支部先同意", "committee": "原团委先同意"}


def _released_by(policy: Policy, asked: RequestedTransfer) -> str:
    """PD-15; inside one school the consent is a matter of its own (T-22)."""
    return policy.release_inside_school if asked.kind is Destination.OWN_SCHOOL else policy.release_by


def _where(before: Policy, after: Policy, asked: RequestedTransfer) -> Iterator[PolicyChange]:
    """Where the adviser sends, and how the rates count whoever goes there."""
    was, would = before.reasons.get(asked.reason), after.reasons.get(asked.reason)
    if was is None or would is None:
        return
    advised = [
        _advised(policy, asked.reason, _facts(asked, county=county)) for policy, county in _both(before, after, asked)
    ]
    if advised[0] != advised[1]:
        yield PolicyChange(Difference.PLACES, *_said(*advised))
    if was.category != would.category:
        yield PolicyChange(Difference.CATEGORY, _CATEGORIES[was.category], _CATEGORIES[would.category])
    to_unit = [employs(asked.kind, asked.reason, employers(policy)) for policy in (before, after)]
    if to_unit[0] != to_unit[1]:
        yield PolicyChange(Difference.EMPLOYER, *("计入" if each else "不计入" for each in to_unit))
    receivers = [policy.receiver(asked.reason, asked.kind) for policy in (before, after)]
    counts = [f"{each.label}（{each.counts.label}）" if each else "无" for each in receivers]
    if (receivers[0] and receivers[0].counts) != (receivers[1] and receivers[1].counts):
        yield PolicyChange(Difference.RECEIVER, *counts)


_CATEGORIES: dict[CategoryName | None, str] = {"further_study": "升学", "society": "流向社会", None: "照登记的去向"}


def _both(before: Policy, after: Policy, asked: RequestedTransfer) -> tuple[tuple[Policy, bool], tuple[Policy, bool]]:
    return (before, asked.county[0]), (after, asked.county[1])


@lru_cache(maxsize=64)
def employers(policy: Policy) -> frozenset[Destination]:
    """Kinds that are receiver ① of a policy: an employer's organisation (PD-12)."""
    return frozenset(kind for each in policy.receivers if each.number == 1 for kind in each.destinations)


@lru_cache(maxsize=512)
def _advised(policy: Policy, reason: Reason, facts: Facts) -> frozenset[tuple[Suitability, str]]:
    """Where the adviser sends with this reason: best places and those that will do."""
    return frozenset(
        (each.level, each.title)
        for each in options(policy, reason, facts)
        if each.level in {Suitability.PREFERRED, Suitability.ALLOWED}
    )


def _said(was: frozenset[tuple[Suitability, str]], would: frozenset[tuple[Suitability, str]]) -> tuple[str, str]:
    """Only what differs, best first."""
    return _titles(was - would), _titles(would - was)


def _titles(found: frozenset[tuple[Suitability, str]]) -> str:
    ordered = sorted(found, key=lambda each: (each[0].rank, each[1]))
    return "；".join(f"{level.label}：{title}" for level, title in ordered) or "没有另外的"


# ---- the calendar


@lru_cache(maxsize=4096)
def _due(policy: Policy, day: date) -> datetime:
    noon = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)  # in Shanghai; the hour makes no difference
    return return_due(noon, policy, in_season=True)


def _clock(before: Policy, after: Policy, course: Course, now: datetime) -> Iterator[PolicyChange]:
    """PD-18: the ten days."""
    if course.left_at == course.submitted_at:
        return  # no clock ever ran
    day = dates.local(course.submitted_at)
    was, would = _due(before, day), _due(after, day)
    if was == would:
        return
    said = _until(was), _until(would)
    left = course.left_at
    if course.state is State.RETURNED and left is not None and would > left:
        yield PolicyChange(Difference.NOT_RETURNED, *said)
    elif (left or now) > would and course.state is not State.RETURNED:
        yield PolicyChange(Difference.RETURNED, *said)
    elif left is None or course.state is State.RETURNED:
        yield PolicyChange(Difference.DUE, *said)


def _until(due: datetime) -> str:
    """The last day of a term that ends at its midnight."""
    return f"{dates.short(dates.local(due - timedelta(minutes=1)))}前办理"


def _in_time(before: Policy, after: Policy, asked: RequestedTransfer, course: Course) -> Iterator[PolicyChange]:
    """D-07, D-11: by when the old school has started, and the receivers have taken in."""
    started = dates.local(course.submitted_at)
    study = {policy: _category(policy, asked) == "further_study" for policy in (before, after)}
    in_time = [study[policy] or started <= policy.initiate_target for policy in (before, after)]
    if in_time[0] != in_time[1]:
        yield PolicyChange(Difference.STARTED_IN_TIME, *(_by(policy.initiate_target) for policy in (before, after)))
    if course.state is not State.COMPLETED or course.ended_on is None:
        return
    ends = [policy.further_study_end if study[policy] else policy.society_end for policy in (before, after)]
    if (course.ended_on <= ends[0]) != (course.ended_on <= ends[1]):
        yield PolicyChange(Difference.DONE_IN_TIME, *(_by(each) for each in ends))


def _category(policy: Policy, asked: RequestedTransfer) -> CategoryName | None:
    spec = policy.reasons.get(asked.reason)
    return spec.category if spec else None


def _by(day: date) -> str:
    return f"{dates.short(day)}以前"


def county(before: Policy, after: Policy, submitted_on: date) -> tuple[bool, bool]:
    """Whether counties take over on a day, under each of the two (D-15)."""
    return county_open(before, submitted_on), county_open(after, submitted_on)
