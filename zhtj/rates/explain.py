"""Why somebody counts or does not, in words, each with its rule (PD-25). Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from zhtj.graduation.models import CloseReason, GraduateCategory
from zhtj.kernel import dates
from zhtj.rates.rules import WHY_CLOSED, Counted, RateKind
from zhtj.transfers.workflow import State


@dataclass(frozen=True, slots=True)
class Explanation:
    """One sentence and the rules it rests on."""

    text: str
    rules: tuple[str, ...]

    def __str__(self) -> str:
        """As it stands on the page and in a file."""
        return f"{self.text}（{'、'.join(self.rules)}）"


_INSIDE = Explanation("本地区内部的转接只算一次，不算从外地区转入", ("PD-24",))
_ENDED = Explanation("未同意、已撤销的申请不计入接收方，毕业组织的分母不变", ("M-09", "PD-24"))
_ALL = Explanation("分母是本地区本届全部毕业生团员，延迟毕业、出国（境）学习和教师不计入", ("M-11", "PD-12"))
DEFINED: Mapping[RateKind, tuple[Explanation, ...]] = {
    RateKind.FURTHER_STUDY: (
        Explanation("升学包括校内专升本；没有登记去向的不在其中，算在学社衔接率里", ("M-01", "PD-09")),
        _INSIDE,
        _ENDED,
    ),
    RateKind.SOCIETY: (
        Explanation("没有提交申请、没有登记去向的毕业生都在分母里", ("M-04",)),
        Explanation("因未就业保留在学校、转到学校流动团员团支部的不算完成", ("M-03", "M-12")),
        _INSIDE,
        _ENDED,
    ),
    RateKind.UNIT: (Explanation("转到工作单位的团组织才计入分子，转往特殊单位不计入", ("M-05", "PD-24")),),
    RateKind.INITIATED: (Explanation("提交过转出申请就算发起，只有已撤销的申请不算", ("M-06", "PD-24")), _ALL),
    RateKind.DONE: (Explanation("转接完成才计入分子，之后再次转接不影响", ("M-07", "PD-20")), _ALL),
}


@dataclass(frozen=True, slots=True)
class GraduateOnDay:
    """What is known of a graduate on the day that is asked about.

    Args:
        season: year.
        counted: how he counts.
        state: of the application this rests on; None if there is none.
        since: on which day he got there.
        to: the destination as screens call it; of a special unit the generic one.
        is_special: the destination is a special unit.
        from_outside: he comes in from outside the area that is looked at.
        kept_at: the school's branch for floating members in which he stays, if he does.
        with_unit: his old unit has stated that his relation stays there (定向委培).
    """

    season: int
    counted: Counted
    state: State | None = None
    since: date | None = None
    to: str = ""
    is_special: bool = False
    from_outside: bool = False
    kept_at: str = ""
    with_unit: bool = False


def why(person: GraduateOnDay, kind: RateKind) -> list[Explanation]:
    """Why he counts in a rate, or in its denominator alone: where he belongs, then how far he is."""
    if kind is RateKind.INITIATED:
        return [_belongs(person), _initiated(person)]
    return [_belongs(person), _done(person, kind) if person.counted.done else _not_done(person, kind)]


def _belongs(person: GraduateOnDay) -> Explanation:
    words, rules = {
        GraduateCategory.FURTHER_STUDY: ("升学", ("M-01",)),
        GraduateCategory.SOCIETY: ("流向社会", ("M-02",)),
        None: ("没有登记去向，按流向社会计", ("M-04", "PD-09")),
    }[person.counted.category]
    if person.from_outside:
        return Explanation(f"从外地区申请转入，{words}", ("PD-24",))
    return Explanation(words, rules)


def _done(person: GraduateOnDay, kind: RateKind) -> Explanation:
    when = f"已于 {dates.in_year(person.since, person.season)} " if person.since else "已"
    where = f"{when}转{'往' if person.is_special else '入'}{person.to}" if person.to else f"{when}办完转接"
    if kind is RateKind.UNIT:
        ends = "，计入" if person.counted.to_unit else "，不是工作单位团组织，不计入分子"
        return Explanation(where + ends, ("M-05",))
    if person.is_special:
        return Explanation(f"{where}，只由毕业学校一方计为完成", ("PD-24",))
    return Explanation(f"{where}，计为完成", (kind.rule,))


def _initiated(person: GraduateOnDay) -> Explanation:
    if person.counted.initiated:
        return Explanation("已经发起转出，计为已发起", ("M-06",))
    if person.state is State.WITHDRAWN:
        return Explanation("申请已撤销，不算发起", ("M-06", "PD-24"))
    if person.counted.done:
        return Explanation("没有经本系统发起的申请，不算发起", ("M-06",))
    return Explanation("没有发起转出，仍计入分母", ("M-06", "M-04"))


def _not_done(person: GraduateOnDay, kind: RateKind) -> Explanation:
    state, to = person.state, person.to
    if person.kept_at or state is None or (person.with_unit and not state.is_open):
        return _stays(person)
    when = f"（{dates.in_year(person.since, person.season)}）" if person.since else ""
    if state.is_open:
        return Explanation(f"已申请转{'往' if person.is_special else '入'}{to}，{state.label}，未完成", (kind.rule,))
    if state is State.RETURNED and person.from_outside:
        return Explanation(f"申请在{to}超期退回{when}，本人重新申请以前仍计入这里，未完成", ("PD-24",))
    if state is State.WITHDRAWN:
        return Explanation(f"申请已撤销{when}，不影响双方衔接率，仍计入毕业组织的分母", ("M-09",))
    rules = ("PD-12", "PD-58") if state is State.COMPLETED else ("PD-24", "M-04")
    return Explanation(f"{_ended(state, to)}{when}，需要重新申请，未完成", rules)


def _stays(person: GraduateOnDay) -> Explanation:
    """Why somebody is where he was: retained, with his unit, or without an application."""
    if person.kept_at:
        return Explanation(f"保留在{person.kept_at}，未完成", ("M-03", "M-12"))
    if person.with_unit:
        return Explanation("定向委培，原单位说明组织关系留在该单位，没有转出，计为未完成", ("M-04", "PD-60"))
    return Explanation("没有提交申请，仍计入分母", ("M-04",))


def _ended(state: State, to: str) -> str:
    return {
        State.COMPLETED: f"已在本校内转到{to}，不是升学，也不是到用人单位",
        State.REFUSED: f"{to}未同意转入",
        State.RETURNED: f"{to}没有按期办理，申请超期退回",
        State.FAILED_EXTERNAL: f"{to}没有接收",
    }.get(state, f"申请{state.label}")


_CLOSED_BY = {
    CloseReason.MARK: ("PD-08",),
    CloseReason.DELAYED: ("M-11", "PD-12"),
    CloseReason.TEACHER: ("PD-12",),
    CloseReason.OVERSEAS: ("PD-12",),
    CloseReason.LEFT: ("PD-13",),
}


def why_closed(reason: CloseReason, since: date | None, season: int) -> Explanation:
    """Why somebody of the season is in no denominator, from which day on (PD-12, PD-13)."""
    when = f"，自 {dates.in_year(since, season)} 起不计入" if since else ""
    return Explanation(WHY_CLOSED[reason] + when, _CLOSED_BY[reason])


def why_taken_over(branch: str, on: date, season: int) -> Explanation:
    """Why a graduate on the way to a township counts at the county (T-03, PD-58)."""
    when = dates.in_year(on, season)
    return Explanation(f"乡镇街道暂不能接收，{when} 由县级接收到{branch}，计入县级，不计入这里", ("T-03", "PD-58"))


def why_late(completed_on: date, season: int) -> Explanation:
    """Why a transfer that was completed after the season froze counts nowhere (PD-08)."""
    return Explanation(
        f"{dates.in_year(completed_on, season)} 才办完，本届已于 12月31日 封存，单列、不计入衔接率", ("PD-08",)
    )


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Who is responsible until when (M-17): the old school, the receivers, the admitting schools."""

    school: date
    receivers: date
    admitting: date


def responsible(deadlines: Deadlines, on: date) -> Explanation:
    """Who is responsible on a day, in one sentence (M-17)."""
    season = deadlines.school.year
    school, receivers, admitting = (
        dates.in_year(each, season) for each in (deadlines.school, deadlines.receivers, deadlines.admitting)
    )
    if on <= deadlines.school:
        society = f"流向社会的转接：{school}前由毕业学校负责发起，此后到 {receivers}由接收团组织负责"
    elif on <= deadlines.receivers:
        society = f"流向社会的转接：毕业学校的期限（{school}）已过，{receivers}前由接收团组织负责"
    else:
        society = f"流向社会的转接：毕业学校（{school}）和接收团组织（{receivers}）的期限都已过，没有完成的请尽快办结"
    study = f"由录取学校负责，{admitting}前完成" if on <= deadlines.admitting else f"录取学校的期限（{admitting}）已过"
    return Explanation(f"{society}；升学的转接：{study}", ("M-17",))
