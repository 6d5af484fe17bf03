"""Which texts of a policy are otherwise under another: values, days, reasons, situations, the destination table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from zhtj.editions.value_names import VALUE_NAMES, WORDS
from zhtj.kernel import dates
from zhtj.policy.destinations import options
from zhtj.policy.model import Policy, Values
from zhtj.policy.parts import DecisionRow, Facts, JoinAge, ReasonSpec, Source
from zhtj.policy.spoken import months
from zhtj.policy.vocabulary import Reason
from zhtj.transfers.workflow import Initiator

NOTHING = "—"
OWN_DECISION = "本系统约定"


@dataclass(frozen=True, slots=True)
class TextChange:
    """One text.

    Args:
        part: which part of the policy.
        name: what it is about.
        before, after: what it says, and what it would say.
        source: the document behind the latter; "" where it is no value.
    """

    part: str
    name: str
    before: str
    after: str
    source: str = ""


def text_changes(before: Policy, after: Policy) -> list[TextChange]:
    """Every text that differs, part by part."""
    found = [*_values(before, after), *_milestones(before, after), *_reasons(before, after)]
    found += [*_situations(before, after), *_table(before, after)]
    return [each for each in found if each.before != each.after]


def spoken(name: str, value: Any) -> str:  # noqa: PLR0911 - a kind of value a line
    """A value of a policy in words."""
    if value is None or value == ():
        return "没有"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, date):
        return (
            dates.short(value)
            if not name.endswith("_from") or name.startswith(("auto", "county"))
            else dates.full(value)
        )
    if isinstance(value, tuple):
        return "、".join(spoken(name, each) for each in value)
    if isinstance(value, JoinAge):
        since = f"{dates.full(value.since)}起" if value.since else "早先"
        return f"{since}不满 {value.error_below} 周岁"
    if isinstance(value, int) and name.endswith("_months"):
        return months(value)
    return WORDS.get(value, value) if isinstance(value, str) else str(getattr(value, "name", value))


def _values(before: Policy, after: Policy) -> Iterator[TextChange]:
    for name in Values.model_fields:
        was, would = getattr(before, name), getattr(after, name)
        if was != would:
            source = after.sources.get(name)
            yield TextChange("规定", VALUE_NAMES[name], spoken(name, was), spoken(name, would), _said(source))


def _said(source: Source | None) -> str:
    """What a value rests on, for the page: the document; where none says it, that we do."""
    return (source.document or OWN_DECISION) if source else ""


def _milestones(before: Policy, after: Policy) -> Iterator[TextChange]:
    was, would = ({each.text: each.day for each in policy.milestones} for policy in (before, after))
    for text in sorted({*was, *would}, key=lambda one: (would.get(one) or was[one], one)):
        days = [dates.short(found[text]) if text in found else NOTHING for found in (was, would)]
        yield TextChange("时间节点", text, *days)


def _reasons(before: Policy, after: Policy) -> Iterator[TextChange]:
    for reason in Reason:
        was, would = before.reasons.get(reason), after.reasons.get(reason)
        label = (would or was or ReasonSpec(audiences=())).label
        yield TextChange("转接原因", label, _reason(was), _reason(would))


def _reason(spec: ReasonSpec | None) -> str:
    if spec is None:
        return NOTHING
    needs = "、".join(each.label for each in spec.needs)
    by = "、".join(Initiator(each).label for each in spec.initiators)
    return "；".join([f"“{spec.label}”", spec.hint.rstrip("。"), f"由{by}发起", *([f"须填写{needs}"] if needs else [])])


def _situations(before: Policy, after: Policy) -> Iterator[TextChange]:
    for key in dict.fromkeys([*before.situations, *after.situations]):
        was, would = before.situations.get(key), after.situations.get(key)
        title = (would or was).title  # type: ignore[union-attr]  # one of them has the key
        yield TextChange("情况说明", title, _situation(was), _situation(would))


def _situation(row: DecisionRow | None) -> str:
    return f"{row.title}：{row.say}由{row.decided_by}办理，{row.counts.label}。" if row else NOTHING


def _table(before: Policy, after: Policy) -> Iterator[TextChange]:
    """What the table says without anything else being known, by reason and place."""
    for reason in Reason:
        if reason not in before.reasons or reason not in after.reasons:
            continue
        was, would = (
            {
                each.title: f"{each.level.label if each.level else ''}：{each.sentence}"
                for each in options(policy, reason, Facts())
            }
            for policy in (before, after)
        )
        label = after.reasons[reason].label
        for title in dict.fromkeys([*would, *was]):
            yield TextChange("去向表", f"{label} → {title}", was.get(title, NOTHING), would.get(title, NOTHING))
