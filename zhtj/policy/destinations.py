"""Who may go where: the destination table of a policy, asked (PD-11).

One engine, four uses: the advice before somebody applies, the check at submission, the receiver's screen and the
quality report. Pure: what a concrete organisation and a concrete member are is found out by the rooms above.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from zhtj.policy import rulebook
from zhtj.policy.model import Policy
from zhtj.policy.parts import DecisionRow, DestinationRule, Facts
from zhtj.policy.vocabulary import Audience, Destination, PlaceTie, Reason, StayingCase, Suitability

_LOCAL = frozenset(destination for destination in Destination if destination.place_bound)
_WORTH_A_WORD = _LOCAL | {Destination.OWN_FLOATING}
_TOWN = frozenset({Destination.TOWNSHIP, Destination.TOWNSHIP_FLOATING})
_GOOD = (Suitability.PREFERRED, Suitability.ALLOWED)
_MANY = 4
_SHOWN_ALTERNATIVES = 3
_NOT_READY = "T-11"
# The decision table speaks of graduates; what the same situation is called for everybody else (PD-10).
_FOR_OTHERS = {
    Reason.EMPLOYED_WITH_ORG: Reason.WORK,
    Reason.EMPLOYED_WITHOUT_ORG: Reason.WORK,
    Reason.INTERNAL_UPGRADE: Reason.INTERNAL_TRANSFER,
    Reason.OVERSEAS_OFFICIAL: Reason.WORK,
    Reason.OVERSEAS_PRIVATE: Reason.RELOCATION,
}


@dataclass(frozen=True, slots=True)
class Advice:
    """One piece of advice: a destination that fits or does not, or (``level`` None) something to know.

    Args:
        level: how good it is.
        title: where to, in a few words.
        sentence: why.
        rule: ID in the rulebook.
        destinations, places: what to look for; no places: it does not depend on one.
        reason: the reason to choose.
        case: what is opened instead of a transfer.
        assumed: not in this year's documents but taken over (PD-11).
        cited: the document, where the rulebook has no passage of it.
        kinds: every destination its sentence speaks of, those too that an earlier line decides.
    """

    level: Suitability | None
    title: str
    sentence: str
    rule: str
    destinations: tuple[Destination, ...] = ()
    places: tuple[PlaceTie, ...] = ()
    reason: Reason | None = None
    case: StayingCase | None = None
    assumed: bool = False
    cited: str = ""
    kinds: tuple[Destination, ...] = ()

    @property
    def source(self) -> str:
        """The document it rests on, in plain Chinese."""
        return self.cited or rulebook.source_of(self.rule)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the table says to one destination.

    Args:
        level: forbidden blocks; warned asks for a confirmation and a remark and is shown to the approver.
        rule: ID in the rulebook.
        why: one sentence.
        case: choosing it opens this case instead of a transfer (PD-10).
        alternatives: where he may go with the same reason, best first; only if forbidden.
        reasons: reasons that fit better, and their names; only if forbidden.
        layer: policy layer that says so.
        assumed: taken over from another place or year.
    """

    level: Suitability
    rule: str
    why: str
    case: StayingCase | None
    alternatives: tuple[Advice, ...]
    reasons: tuple[tuple[Reason, str], ...]
    layer: str
    assumed: bool
    cited: str = ""

    @property
    def blocks(self) -> bool:
        """No application may be submitted like this."""
        return self.level is Suitability.FORBIDDEN

    @property
    def needs_remark(self) -> bool:
        """To be confirmed, with a remark."""
        return self.level is Suitability.WARNED

    @property
    def waits_for_school(self) -> bool:
        """Only the school's organisation is not there yet: one can be told when it is (T-11)."""
        return self.rule == _NOT_READY

    @property
    def instead(self) -> str:
        """What to do instead, as sentences; empty if there is nothing to say."""
        said = ""
        if self.reasons:
            said += f"可改选原因：{'、'.join(f'“{label}”' for _, label in self.reasons)}。"
        if self.alternatives:
            said += f"可以转到：{'；'.join(each.title for each in self.alternatives[:_SHOWN_ALTERNATIVES])}。"
        return said

    @property
    def sentence(self) -> str:
        """Why, and what instead."""
        return self.why + self.instead

    @property
    def source(self) -> str:
        """The document it rests on, in plain Chinese."""
        return self.cited or rulebook.source_of(self.rule)


class Answers(Facts):
    """What somebody told the adviser: his situation, the places he asks about (none: all), and facts.

    ``reason`` stands in for the situation's own, where the tree knows better (whether the unit has an organisation).
    """

    situation: str
    reason: Reason | None = None
    places: tuple[PlaceTie, ...] = ()
    audience: Audience = Audience.GRADUATE


def judge(
    policy: Policy, reason: Reason, destination: Destination, relation: PlaceTie | None = None, **facts: bool | None
) -> Verdict:
    """May somebody with this reason go to such an organisation?

    Args:
        policy: of his season and organisation line.
        reason: why he transfers.
        destination: kind of the organisation, seen from his own school.
        relation: his tie to its place; without meaning for destinations that are not bound to a place.
        **facts: what else is known, named as in ``Facts``.

    Raises:
        pydantic.ValidationError: a fact of an unknown name.
    """
    return _judge(policy, reason, destination, relation, Facts(**facts))


def _judge(
    policy: Policy, reason: Reason, destination: Destination, relation: PlaceTie | None, facts: Facts
) -> Verdict:
    # PD-11: one table for advice, check, the receiver's screen and the quality report.
    line = _line(policy, reason, destination, _place(destination, relation), facts)
    forbidden = line.level is Suitability.FORBIDDEN
    return Verdict(
        level=line.level,
        rule=line.rule,
        why=line.why,
        case=line.case,
        alternatives=_alternatives(policy, reason, facts) if forbidden and not line.instead else (),
        reasons=_better_reasons(policy, reason, line.instead) if forbidden else (),
        layer=line.layer,
        assumed=line.assumed,
        cited=line.cited,
    )


def advise(policy: Policy, answers: Answers) -> list[Advice]:
    """What somebody in this situation should do, best first; then what he must not do; then what else to know.

    Raises:
        KeyError: the policy knows no such situation.
    """
    situation = policy.situations[answers.situation]
    facts = _known_facts(situation, answers)
    reason = answers.reason or reason_of(policy, situation, answers.audience)
    found = [_say(situation)]
    if reason:
        offered = options(policy, reason, facts)
        wanted = [each for each in offered if _concerns(each, situation, answers.places)]
        found += sorted(wanted, key=lambda each: each.case != situation.case) if situation.case else wanted
    elif situation.case:
        found += [each for each in options(policy, Reason.OTHER, facts) if each.case is situation.case]
    return found + [_say(other) for other in policy.situations.values() if other.when and facts.meet(other.when)]


def summary(policy: Policy, key: str) -> tuple[str, str]:
    """A situation in two breaths: what it is called; where it leads, why, and what to mind."""
    said, *rest = advise(policy, Answers(situation=key))
    best = next((each for each in rest if each.level is not Suitability.FORBIDDEN), None)
    return said.title, (best.sentence if best else "") + said.sentence


@lru_cache(maxsize=512)
def options(policy: Policy, reason: Reason, facts: Facts) -> tuple[Advice, ...]:
    """Every destination with this reason, grouped by the line that decides, best first."""
    groups: dict[tuple[int, tuple[PlaceTie, ...]], tuple[DestinationRule, list[Destination]]] = {}
    for destination in Destination:
        by_line: dict[int, tuple[DestinationRule, list[PlaceTie]]] = {}
        for place in PlaceTie if destination.place_bound else (PlaceTie.NONE,):
            line = _line(policy, reason, destination, place, facts)
            by_line.setdefault(id(line), (line, []))[1].append(place)
        for line, places in by_line.values():
            shown = tuple(places) if destination.place_bound and len(places) < len(PlaceTie) else ()
            groups.setdefault((id(line), shown), (line, []))[1].append(destination)
    found = [_option(line, reason, tuple(destinations), places) for (_, places), (line, destinations) in groups.items()]
    return tuple(sorted(found, key=_rank))


def best_level(policy: Policy, reason: Reason, destination: Destination) -> Suitability:
    """The best that the table says to this kind of destination at any place: which kind this reason is meant for."""
    verdicts = [each for each in options(policy, reason, Facts()) if destination in each.destinations]
    return min((each.level for each in verdicts if each.level), key=lambda level: level.rank)


def groups(policy: Policy, audience: Audience = Audience.GRADUATE) -> dict[str, dict[str, DecisionRow]]:
    """The situations the adviser offers, by heading: his first question and its second."""
    found: dict[str, dict[str, DecisionRow]] = {}
    for key, situation in policy.situations.items():
        if situation.group and _concerns_them(policy, situation, audience):
            found.setdefault(situation.group, {})[key] = situation
    return found


def reason_of(policy: Policy, situation: DecisionRow, audience: Audience) -> Reason | None:
    """The reason to choose in this situation; None where nothing is transferred, or it does not concern them."""
    reason = situation.reason
    if reason is None or audience in policy.reasons[reason].audiences:
        return reason
    other = _FOR_OTHERS.get(reason)
    return other if other and audience in policy.reasons[other].audiences else None


def _concerns_them(policy: Policy, situation: DecisionRow, audience: Audience) -> bool:
    """Staying at the old school is for its graduates."""
    if audience is Audience.GRADUATE and situation.reason is None:
        return True
    stays = audience is not Audience.GRADUATE and situation.case is not None
    return not stays and reason_of(policy, situation, audience) is not None


def rows(policy: Policy) -> list[DecisionRow]:
    """The decision table, row by row."""
    return sorted((each for each in policy.situations.values() if each.row), key=lambda each: each.row or 0)


def _rank(judged: Verdict | Advice) -> int:
    return judged.level.rank if judged.level else 0


def _place(destination: Destination, relation: PlaceTie | None) -> PlaceTie:
    return relation if relation and destination.place_bound else PlaceTie.NONE


def _line(policy: Policy, reason: Reason, destination: Destination, place: PlaceTie, facts: Facts) -> DestinationRule:
    for line in policy.table:
        if line.fits(reason, destination, place, facts):
            return _doubted(line, _doubt(line, destination, facts))
    raise LookupError(f"{policy.name}: the destination table says nothing about {reason} to {destination}")


# What makes a good destination one that needs a word, whatever line found it good (PD-60): rule and sentence.
_BESIDE = ("PD-60", "这里与所说的地方在同一个县（市、区），但不是同一个乡镇街道；确实要转到这里的，请写明情况。")
_SAID_NO = ("T-03", "这里的乡镇街道已经说了接收不了，现在可以转到县级流动团员团支部；仍要转到这里的，请写明情况。")


def said_no(option: Advice) -> bool:
    """Whether an option is a township that has said that it cannot receive."""
    return option.sentence == _SAID_NO[1]


def _doubt(line: DestinationRule, destination: Destination, facts: Facts) -> tuple[str, str] | None:
    if line.level not in _GOOD or line.case:
        return None
    if destination in _TOWN and facts.township_unable and facts.county_open:
        return _SAID_NO
    return _BESIDE if destination.place_bound and facts.beside_place else None


@lru_cache(maxsize=512)
def _doubted(line: DestinationRule, doubt: tuple[str, str] | None) -> DestinationRule:
    """The line, or what is left of it; the same object each time, so that options of one line stay together."""
    if doubt is None:
        return line
    return line.model_copy(update={"level": Suitability.WARNED, "rule": doubt[0], "why": doubt[1], "cited": ""})


def _option(
    line: DestinationRule, reason: Reason, destinations: tuple[Destination, ...], places: tuple[PlaceTie, ...]
) -> Advice:
    local = _LOCAL.intersection(destinations)
    labels = [each.label for each in destinations if len(local) < _MANY or each not in local]
    kinds = "、".join(["属地团组织", *labels] if len(local) >= _MANY else labels)
    where = "、".join("其他地方" if place is PlaceTie.NONE else place.label for place in places)
    title = f"办理“{line.case.label}”" if line.case else f"{where}的{kinds}" if where else kinds
    return Advice(
        line.level,
        title,
        line.why,
        line.rule,
        destinations,
        places,
        reason,
        line.case,
        assumed=line.assumed,
        cited=line.cited,
        kinds=line.to or (tuple(_LOCAL) if places else destinations),
    )


def _alternatives(policy: Policy, reason: Reason, facts: Facts) -> tuple[Advice, ...]:
    """Whoever goes to a region with a system of its own knows it: for nobody else is it a way out (PD-60)."""
    return tuple(
        each
        for each in options(policy, reason, facts)
        if each.level in _GOOD and not each.case and set(each.destinations) != {Destination.EXTERNAL}
    )


def _better_reasons(policy: Policy, chosen: Reason, better: Iterable[Reason]) -> tuple[tuple[Reason, str], ...]:
    """Those of them that are offered to the same people."""
    audiences = set(policy.reasons[chosen].audiences)
    specs = [(code, policy.reasons[code]) for code in better]
    return tuple((code, spec.label) for code, spec in specs if audiences & set(spec.audiences))


def _known_facts(situation: DecisionRow, answers: Answers) -> Facts:
    said = {name: getattr(answers, name) for name in Facts.model_fields}
    implied = {name: value for name, value in situation.facts if value is not None}
    if PlaceTie.HOUSEHOLD in answers.places and said["also_household"] is None:
        said["also_household"] = True
    return Facts(**(said | implied))


def _concerns(option: Advice, situation: DecisionRow, places: tuple[PlaceTie, ...]) -> bool:
    """Not everything the table forbids is worth a word, nor other cases, nor second choices he did not ask about."""
    if option.case not in {None, StayingCase.RETENTION, situation.case, situation.or_case}:
        return False
    if option.level is Suitability.FORBIDDEN and not _WORTH_A_WORD.intersection(option.destinations):
        return False
    return (
        option.level is Suitability.PREFERRED
        or not places
        or not option.places
        or bool(set(places) & set(option.places))
    )


def _say(situation: DecisionRow) -> Advice:
    return Advice(
        None,
        situation.title,
        situation.say,
        situation.rule,
        reason=situation.reason,
        case=situation.case,
        cited=situation.cited,
    )
