"""The five rates and who counts in them, each defined once (M-01 … M-12, PD-24). Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from enum import StrEnum

from zhtj.graduation.models import CloseReason, GraduateCategory, RegisterChange
from zhtj.orgs.models import SEGMENT
from zhtj.transfers.workflow import OPEN, State

_CENT = Decimal("0.01")
NOTHING = "—"


@dataclass(frozen=True, slots=True)
class Figures:
    """The counts all rates are made of, for one organisation and season at one time (PD-24).

    Args:
        further_study, society: own graduates, B and E; who has not registered counts as society (M-04).
        further_study_done, society_done: of these, completed.
        unregistered: of ``society``, those without any registration (PD-09).
        to_unit: of ``society_done``, those who went to an employer's organisation (M-05).
        initiated: own graduates for whom a transfer was ever submitted, unless only withdrawn ones (M-06).
        incoming_study, incoming_society: applicants from outside the area into it, C and F.
        incoming_study_done, incoming_society_done: of these, completed.
    """

    further_study: int = 0
    further_study_done: int = 0
    society: int = 0
    society_done: int = 0
    unregistered: int = 0
    to_unit: int = 0
    initiated: int = 0
    incoming_study: int = 0
    incoming_study_done: int = 0
    incoming_society: int = 0
    incoming_society_done: int = 0

    def __add__(self, other: Figures) -> Figures:
        """Both together."""
        return Figures(*(getattr(self, name) + getattr(other, name) for name in FIGURES))

    def __neg__(self) -> Figures:
        """What takes these away again."""
        return Figures(*(-getattr(self, name) for name in FIGURES))

    def __bool__(self) -> bool:
        """Whether there is anything at all."""
        return any(getattr(self, name) for name in FIGURES)

    @property
    def graduates(self) -> int:
        """Own graduates who count, of either kind."""
        return self.further_study + self.society

    @property
    def done(self) -> int:
        """Of these, completed."""
        return self.further_study_done + self.society_done


FIGURES: tuple[str, ...] = tuple(field.name for field in fields(Figures))


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate as two counts. 0/0 has no value and is shown as —."""

    numerator: int
    denominator: int

    @property
    def value(self) -> Decimal | None:
        """In per cent, two decimals, half up (PD-24)."""
        if not self.denominator:
            return None
        return (Decimal(100 * self.numerator) / self.denominator).quantize(_CENT, ROUND_HALF_UP)

    def __str__(self) -> str:
        """As it is printed."""
        return NOTHING if self.value is None else f"{self.value}%"

    def missing(self, target: Decimal) -> int:
        """How many more people have to be completed to reach ``target`` per cent (PD-26)."""
        # PD-26: whole people, so that the target is reached and not only nearly.
        wanted = (target * self.denominator / 100).to_integral_value(ROUND_CEILING)
        return max(0, int(wanted) - self.numerator)


class RateKind(StrEnum):
    """The five rates (五项指标, M-01, M-02, M-05 … M-07)."""

    FURTHER_STUDY = "further_study"
    SOCIETY = "society"
    UNIT = "unit"
    INITIATED = "initiated"
    DONE = "done"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return _LABELS[self]

    @property
    def rule(self) -> str:
        """The rule that defines it."""
        return _RULES[self]

    @property
    def by_category(self) -> bool:
        """Whether it is of further study or society: who has registered nothing is counted as society (M-02)."""
        return self in {RateKind.FURTHER_STUDY, RateKind.SOCIETY, RateKind.UNIT}

    @property
    def counts_unregistered(self) -> bool:
        """Whether its denominator holds those who have registered nothing."""
        return self is not RateKind.FURTHER_STUDY

    @property
    def formula(self) -> str:
        """Numerator and denominator in words."""
        return _FORMULAS[self]

    def of(self, figures: Figures) -> Rate:
        """This rate of these figures."""
        found = figures
        # M-01: A / (B + C).
        if self is RateKind.FURTHER_STUDY:
            return Rate(
                found.further_study_done + found.incoming_study_done, found.further_study + found.incoming_study
            )
        # M-02: D / (E + F).
        if self is RateKind.SOCIETY:
            return Rate(found.society_done + found.incoming_society_done, found.society + found.incoming_society)
        # M-05: to employers' organisations, over all but further study.
        if self is RateKind.UNIT:
            return Rate(found.to_unit, found.society)
        # M-06, M-07: over all graduate members.
        return Rate(found.initiated if self is RateKind.INITIATED else found.done, found.graduates)


_LABELS = {
    RateKind.FURTHER_STUDY: "升学衔接率",
    RateKind.SOCIETY: "学社衔接率",
    RateKind.UNIT: "单位团组织转接率",
    RateKind.INITIATED: "转出发起率",
    RateKind.DONE: "转出完成率",
}
_RULES = {
    RateKind.FURTHER_STUDY: "M-01",
    RateKind.SOCIETY: "M-02",
    RateKind.UNIT: "M-05",
    RateKind.INITIATED: "M-06",
    RateKind.DONE: "M-07",
}
_FORMULAS = {
    RateKind.FURTHER_STUDY: "升学且已完成转接的人数 ÷（本地区升学毕业生 + 从外地区申请转入的升学毕业生）",
    RateKind.SOCIETY: "流向社会且已完成转接的人数 ÷（本地区流向社会毕业生 + 从外地区申请转入的流向社会毕业生）",
    RateKind.UNIT: "转往工作单位团组织的人数 ÷ 本地区流向社会毕业生",
    RateKind.INITIATED: "已发起转出的人数 ÷ 本地区全部毕业生团员",
    RateKind.DONE: "已完成转出的人数 ÷ 本地区全部毕业生团员",
}


@dataclass(frozen=True, slots=True)
class Counted:
    """How a graduate counts on one day (PD-24).

    Args:
        category: None: not registered, counts as society.
        done: his transfer is complete, and was before the season froze.
        to_unit: it led to an employer's organisation.
        initiated: something was submitted that was not withdrawn.
        application_id: what this rests on.
        to_path: where he counts as coming in, as far as the origin does not lie there too; None: nowhere.
    """

    category: GraduateCategory | None = None
    done: bool = False
    to_unit: bool = False
    initiated: bool = False
    application_id: int | None = None
    to_path: str | None = None

    def own(self) -> Figures:
        """What he adds where he graduated."""
        study = self.category is GraduateCategory.FURTHER_STUDY
        return Figures(
            further_study=int(study),
            further_study_done=int(study and self.done),
            # M-04: whoever has registered nothing, and applied for nothing, stands in the denominator.
            society=int(not study),
            society_done=int(not study and self.done),
            unregistered=int(self.category is None),
            to_unit=int(not study and self.to_unit),
            initiated=int(self.initiated),
        )

    def incoming(self) -> Figures:
        """What he adds where he goes, as seen by whoever he comes to from outside."""
        study = self.category is GraduateCategory.FURTHER_STUDY
        return Figures(
            incoming_study=int(study),
            incoming_study_done=int(study and self.done),
            incoming_society=int(not study),
            incoming_society_done=int(not study and self.done),
        )


@dataclass(frozen=True, slots=True)
class Span:
    """``counted`` from the day ``since`` to the day before ``until``; None: until now."""

    since: date
    until: date | None
    counted: Counted


@dataclass(frozen=True, slots=True)
class Tried:
    """One application of a graduate in the season, with the states it went through.

    Args:
        to_path: destination as it stood when he applied; None for special units and external systems, which count at
            the origin only (PD-24).
        to_unit: the destination is an employer's organisation; special units are none (M-05).
        steps: (day, state reached), in order; the first is the submission.
        counts: False for a move inside the own school that leads neither into study nor to an employer (PD-58).
        taken_to: the county that took him over from the township he had applied to (T-03, PD-58).
    """

    id: int
    to_path: str | None
    to_unit: bool
    steps: Sequence[tuple[date, State]]
    counts: bool = True
    taken_to: str | None = None

    def state_on(self, day: date) -> State | None:
        """Its state at the end of a day; None: not submitted yet."""
        reached = self._reached(day)
        return reached[-1] if reached else None

    def comes_in(self, day: date) -> str | None:
        """Where he counts as coming in (C, F) at the end of a day; None: nowhere.

        A returned application stays with the organisation that let it lapse: with the new side it still counts,
        with the old side it is only a graduate who has to apply again (PD-24).
        """
        reached = self._reached(day)
        # PD-24: with the new side as long as it is open, done or returned; never with the old one.
        if not self.counts or not reached or reached[-1] not in _COMING:
            return None
        if reached[-2:] == [State.AWAITING_RELEASE, State.RETURNED]:
            return None
        taken = self.taken_to if reached[-1] is State.COMPLETED else None
        return taken or self.to_path

    def _reached(self, day: date) -> list[State]:
        return [state for when, state in self.steps if when <= day]


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that ever happened to a row of the register, by day.

    Args:
        season: its year; what happens afterwards no longer counts (PD-08).
        opened_on: first day.
        category: at present.
        changes: (day, what, before, after) as the register noted them, in order.
        completed_on: the day on which his transfer was complete.
        tried: his applications of the season, in order.
    """

    season: int
    opened_on: date
    category: GraduateCategory | None
    changes: Sequence[tuple[date, RegisterChange, str | None, str | None]] = ()
    completed_on: date | None = None
    tried: Sequence[Tried] = ()

    def counted_on(self, day: date) -> Counted | None:
        """How he counts at the end of a day; None: not at all, as before his row was opened or while it is closed."""
        if day < self.opened_on or self._closed_on(day):
            return None
        # M-03, M-12: a completed transfer alone; being kept at school, in whichever branch, is none.
        done = self.completed_on is not None and self.completed_on <= day
        states = [(each, each.state_on(day)) for each in self.tried]
        if done:
            # The first that was completed; later ones are secondary transfers and count nowhere.
            rests_on = next((each for each, state in states if state is State.COMPLETED and each.counts), None)
        else:
            rests_on = next((each for each, state in reversed(states) if state is not None), None)
        return Counted(
            self._category_on(day),
            done,
            done and rests_on is not None and rests_on.to_unit,
            any(state not in {None, State.WITHDRAWN} for _, state in states),
            rests_on.id if rests_on is not None else None,
            rests_on.comes_in(day) if rests_on is not None else None,
        )

    def _closed_on(self, day: date) -> bool:
        closed = False
        for when, change, _, _ in self.changes:
            if when <= day and change is not RegisterChange.CATEGORY:
                closed = change is RegisterChange.CLOSED
        return closed

    def _category_on(self, day: date) -> GraduateCategory | None:
        noted = [each for each in self.changes if each[1] is RegisterChange.CATEGORY]
        if not noted:
            return self.category
        found = noted[0][2]
        for when, _, _, after in noted:
            if when <= day:
                found = after
        return GraduateCategory(found) if found else None

    def _days(self) -> list[date]:
        days = {self.opened_on, *(each[0] for each in self.changes)}
        days |= {when for each in self.tried for when, _ in each.steps}
        if self.completed_on is not None:
            days.add(self.completed_on)
        last = date(self.season, 12, 31)
        return sorted(day for day in days if self.opened_on <= day <= last)


# In which an application counts at its destination; a returned one stays there until there is a new one.
# M-09: a withdrawn one counts on neither side.
_COMING = OPEN | {State.RETURNED, State.COMPLETED}


def spans(story: Story) -> list[Span]:
    """How a graduate counted, from day to day; the last one holds on, through the end of the season and after it."""
    found: list[Span] = []
    for day, counted in _changes(story):
        if found and found[-1].until is None:
            found[-1] = replace(found[-1], until=day)
        if counted is not None:
            found.append(Span(day, None, counted))
    return found


def _changes(story: Story) -> Iterator[tuple[date, Counted | None]]:
    before: Counted | None = None
    for day in story._days():  # noqa: SLF001 - the story's own reader
        counted = story.counted_on(day)
        if counted != before:
            yield day, counted
        before = counted


def meeting_place(one: str, other: str) -> str:
    """The lowest place above both paths, which may be one of them; "" if nothing is above both."""
    end = 0
    while end < min(len(one), len(other)) and one[end : end + SEGMENT] == other[end : end + SEGMENT]:
        end += SEGMENT
    return one[:end]


def total(figures: Iterable[Figures]) -> Figures:
    """All of them together."""
    found = Figures()
    for each in figures:
        found += each
    return found


WHY_CLOSED = {
    CloseReason.MARK: "毕业时间标记已更改，不再属于本届毕业生",
    CloseReason.DELAYED: "已标记为延迟毕业，暂不纳入统计",
    CloseReason.TEACHER: "已标记为教师，暂不纳入统计",
    CloseReason.OVERSEAS: "出国（境）学习，暂不纳入统计",
    CloseReason.LEFT: "已离团、去世或除名，不再计入",
}
