"""去向指引图: which graduate goes to which receiver, drawn from the policy's destination table (H-11, PD-12).

The picture of the lost original is not redrawn: its receivers ①-⑦ and their meaning are the policy's, and every line
is what the destination table says. Pure: a policy in, boxes and lines out; the template draws them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from zhtj.policy.destinations import Advice, options
from zhtj.policy.model import Policy
from zhtj.policy.parts import Facts, Receiver
from zhtj.policy.vocabulary import Audience, CountsAs, Reason, StayingCase, Suitability

WIDTH, GAP, TOP = 900, 14, 46
LEFT, RIGHT = (10, 270), (590, 300)  # left edge and width of the two columns
ROW, TALL = 42, 70
NUMBERS = "①②③④⑤⑥⑦⑧⑨"
_GOOD = (Suitability.PREFERRED, Suitability.ALLOWED)


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the chart: its text, small print below it, and where it stands."""

    text: str
    small: tuple[str, ...]
    x: int
    y: int
    width: int
    height: int
    counts: CountsAs | None = None

    @property
    def middle(self) -> float:
        """Height of its middle."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class ChartLine:
    """A line from a situation to a receiver: how good, why, by which rule.

    Args:
        start, end: indices of situation and receiver.
        path: of the line, as SVG takes it.
        preferred: the way to go, otherwise one that is open too.
        why, rule: what the table says.
    """

    start: int
    end: int
    path: str
    preferred: bool
    why: str
    rule: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole chart."""

    width: int
    height: int
    situations: tuple[Box, ...]
    receivers: tuple[Box, ...]
    ways: tuple[ChartLine, ...]

    def of(self, start: int) -> list[tuple[Box, ChartLine]]:
        """Where one situation leads, the preferred first: the same in words."""
        found = [(self.receivers[way.end], way) for way in self.ways if way.start == start]
        return sorted(found, key=lambda pair: not pair[1].preferred)


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    preferred: bool
    why: str
    rule: str


def chart(policy: Policy) -> Chart:
    """Draw the chart of a policy."""
    starts = list(_starts(policy))
    found = list(_ways(policy, starts))
    situations = _column([(label, ()) for label, _, _ in starts], LEFT, ROW)
    texts = [(f"{NUMBERS[one.number - 1]} {one.label}", _kinds(one)) for one in policy.receivers]
    counts = [one.counts for one in policy.receivers]
    receivers = _column(texts, RIGHT, TALL, counts, height=len(situations) * (ROW + GAP))
    ways = tuple(
        ChartLine(
            one.start, one.end, _path(situations[one.start], receivers[one.end]), one.preferred, one.why, one.rule
        )
        for one in found
    )
    lowest = max(box.y + box.height for box in (*situations, *receivers))
    return Chart(WIDTH, lowest + GAP, situations, receivers, ways)


def _starts(policy: Policy) -> Iterator[tuple[str, Reason | None, StayingCase | None]]:
    """Everything a graduate may be: the reasons to transfer, then what keeps him where he is."""
    for reason, spec in policy.reasons.items():
        if Audience.GRADUATE in spec.audiences and reason is not Reason.OTHER:
            yield spec.label or policy.special_unit_label, reason, None
    for case in StayingCase:
        yield case.label, None, case


def _kinds(receiver: Receiver) -> tuple[str, ...]:
    """What a receiver stands for, in small print; nothing where its name says it all."""
    if len(receiver.destinations) == 1 or receiver.reasons:
        return ()
    text = "、".join(each.label.removesuffix("团组织").removesuffix("的") for each in receiver.destinations)
    return _lines(text, 26)


def _ways(policy: Policy, starts: list[tuple[str, Reason | None, StayingCase | None]]) -> Iterator[_Found]:
    for start, (_, reason, case) in enumerate(starts):
        best: dict[int, _Found] = {}
        for advice in _open_to(policy, reason, case):
            preferred = case is not None or advice.level is Suitability.PREFERRED
            for destination in advice.destinations:
                receiver = policy.receiver(reason or Reason.OTHER, destination)
                end = policy.receivers.index(receiver) if receiver else None
                if end is not None and (end not in best or (preferred and not best[end].preferred)):
                    best[end] = _Found(start, end, preferred, advice.sentence, advice.rule)
        yield from best.values()


def _open_to(policy: Policy, reason: Reason | None, case: StayingCase | None) -> list[Advice]:
    """What the table offers: as it is, and where a township really cannot receive, from the day counties may."""
    if reason is None:
        every = (advice for one in policy.reasons for advice in options(policy, one, Facts()))
        return [advice for advice in every if advice.case is case]
    cases = {None, *(each.or_case for each in policy.situations.values() if each.reason is reason)}
    plain = options(policy, reason, Facts())
    fallback = options(policy, reason, Facts(township_unable=True, county_open=True))
    known = {each for advice in plain if advice.level in _GOOD for each in advice.destinations}
    found = [advice for advice in plain if advice.level in _GOOD and advice.case in cases]
    for advice in fallback:
        new = tuple(each for each in advice.destinations if each not in known)
        if new and advice.level in _GOOD and advice.case is None:
            found.append(replace(advice, destinations=new, level=Suitability.ALLOWED))
    return found


def _lines(text: str, width: int) -> tuple[str, ...]:
    """Small print in at most two lines, broken behind a mark."""
    if len(text) <= width:
        return (text,)
    cut = text.rfind("、", 0, width) + 1 or width
    return (text[:cut], text[cut:])


def _column(
    texts: list[tuple[str, tuple[str, ...]]],
    span: tuple[int, int],
    tall: int,
    counts: list[CountsAs] | None = None,
    *,
    height: int = 0,
) -> tuple[Box, ...]:
    """Boxes under each other, spread over ``height`` if that is more than they need."""
    x, width = span
    step = max(height / len(texts), tall + GAP)
    return tuple(
        Box(
            label,
            small,
            x,
            round(TOP + order * step + (step - tall) / 2),
            width,
            tall,
            counts[order] if counts else None,
        )
        for order, (label, small) in enumerate(texts)
    )


def _path(start: Box, end: Box) -> str:
    """A gentle curve from the right edge of one box to the left edge of the other."""
    left, right = start.x + start.width, end.x
    half = (left + right) // 2
    return f"M{left} {start.middle:g}C{half} {start.middle:g} {half} {end.middle:g} {right - 8} {end.middle:g}"
