"""The reason why somebody counts or not, in words with the rule."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from zhtj.graduation.models import CloseReason, GraduateCategory
from zhtj.rates import explain
from zhtj.rates.explain import Deadlines, GraduateOnDay
from zhtj.rates.rules import Counted, RateKind
from zhtj.transfers.workflow import State

SOCIETY, STUDY = GraduateCategory.SOCIETY, GraduateCategory.FURTHER_STUDY
SEPTEMBER = date(2026, 9, 3)


def said(person: GraduateOnDay, kind: RateKind = RateKind.SOCIETY) -> str:
    """All sentences together."""
    return "；".join(map(str, explain.why(person, kind)))


def person(category: GraduateCategory | None = SOCIETY, **known: Any) -> GraduateOnDay:
    """A graduate of 2026; ``done``, ``to_unit``, ``initiated`` belong to how he counts."""
    how: dict[str, Any] = {name: known.pop(name, False) for name in ("done", "to_unit", "initiated")}
    return GraduateOnDay(2026, Counted(category, **how), **known)


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (
            person(done=True, state=State.COMPLETED, since=SEPTEMBER, to="研发团支部"),
            "流向社会（M-02）；已于 9月3日 转入研发团支部，计为完成（M-02）",
        ),
        (person(kept_at="某大学流动团员团支部"), "流向社会（M-02）；保留在某大学流动团员团支部，未完成（M-03、M-12）"),
        (person(), "流向社会（M-02）；没有提交申请，仍计入分母（M-04）"),
        (person(None), "没有登记去向，按流向社会计（M-04、PD-09）；没有提交申请，仍计入分母（M-04）"),
        (
            person(state=State.AWAITING_ACCEPTANCE, to="研发团支部", from_outside=True),
            "从外地区申请转入，流向社会（PD-24）；已申请转入研发团支部，待转入方审批，未完成（M-02）",
        ),
        (
            person(state=State.RETURNED, since=date(2026, 10, 12), to="研发团支部", from_outside=True),
            "从外地区申请转入，流向社会（PD-24）；申请在研发团支部超期退回（10月12日），本人重新申请以前仍计入这里，未完成（PD-24）",
        ),
        (
            person(state=State.RETURNED, since=date(2026, 10, 12), to="研发团支部"),
            "流向社会（M-02）；研发团支部没有按期办理，申请超期退回（10月12日），需要重新申请，未完成（PD-24、M-04）",
        ),
        (
            person(state=State.REFUSED, since=SEPTEMBER, to="研发团支部"),
            "流向社会（M-02）；研发团支部未同意转入（9月3日），需要重新申请，未完成（PD-24、M-04）",
        ),
        (
            person(state=State.WITHDRAWN, since=SEPTEMBER),
            "流向社会（M-02）；申请已撤销（9月3日），不影响双方衔接率，仍计入毕业组织的分母（M-09）",
        ),
        (
            person(done=True, since=SEPTEMBER, to="参军入伍", is_special=True),
            "流向社会（M-02）；已于 9月3日 转往参军入伍，只由毕业学校一方计为完成（PD-24）",
        ),
    ],
)
def test_a_reason_names_what_happened_and_the_rule(who: GraduateOnDay, words: str) -> None:
    assert said(who) == words


def test_further_study_is_explained_by_its_own_rate() -> None:
    who = person(STUDY, done=True, since=date(2027, 1, 4), to="某大学2026级团支部")
    assert (
        said(who, RateKind.FURTHER_STUDY) == "升学（M-01）；已于 2027年1月4日 转入某大学2026级团支部，计为完成（M-01）"
    )


@pytest.mark.parametrize(
    ("who", "kind", "ends"),
    [
        (person(done=True, to_unit=True, to="研发团支部"), RateKind.UNIT, "已转入研发团支部，计入（M-05）"),
        (
            person(done=True, to="井岗镇流动团员团支部"),
            RateKind.UNIT,
            "已转入井岗镇流动团员团支部，不是工作单位团组织，不计入分子（M-05）",
        ),
        (person(initiated=True), RateKind.INITIATED, "已经发起转出，计为已发起（M-06）"),
        (person(state=State.WITHDRAWN), RateKind.INITIATED, "申请已撤销，不算发起（M-06、PD-24）"),
        (person(), RateKind.INITIATED, "没有发起转出，仍计入分母（M-06、M-04）"),
        (person(done=True, to="研发团支部"), RateKind.DONE, "已转入研发团支部，计为完成（M-07）"),
        (person(), RateKind.DONE, "没有提交申请，仍计入分母（M-04）"),
    ],
)
def test_each_rate_explains_its_own_numerator(who: GraduateOnDay, kind: RateKind, ends: str) -> None:
    assert said(who, kind).endswith(ends)


@pytest.mark.parametrize("reason", list(CloseReason))
def test_whoever_does_not_count_is_told_why_and_since_when(reason: CloseReason) -> None:
    found = explain.why_closed(reason, SEPTEMBER, 2026)
    assert found.text.endswith("自 9月3日 起不计入")
    assert found.rules


def test_a_delay_is_out_of_scope_by_its_rule() -> None:
    assert "M-11" in explain.why_closed(CloseReason.DELAYED, None, 2026).rules


@pytest.mark.rule("M-17")
@pytest.mark.parametrize(
    ("on", "words"),
    [
        (date(2026, 8, 31), ("8月31日前由毕业学校负责", "由录取学校负责，10月31日前")),
        (date(2026, 9, 1), ("毕业学校的期限（8月31日）已过，9月30日前由接收团组织负责", "由录取学校负责")),
        (date(2026, 10, 1), ("期限都已过", "由录取学校负责")),
        (date(2026, 11, 1), ("期限都已过", "录取学校的期限（10月31日）已过")),
    ],
)
def test_responsibility_by_date(on: date, words: tuple[str, ...]) -> None:
    deadlines = Deadlines(date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31))
    found = explain.responsible(deadlines, on)
    assert all(each in found.text for each in words)


def test_every_rate_is_defined_in_words() -> None:
    assert set(explain.DEFINED) == set(RateKind)
