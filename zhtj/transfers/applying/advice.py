"""去向顾问: what somebody should do, and the concrete organisations that it means for him (PD-11).

The destination table says which kind of organisation is right; here its answer meets the tree: the unit's own
organisation, the township of an address with its floating branch, the 青年之家 and park there, the county behind it,
the admitting school. Reads only; an adviser keeps nothing of what he was told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from zhtj.graduation import operations as graduation
from zhtj.kernel import clock
from zhtj.orgs import contacts
from zhtj.orgs.contacts import OfficeContact
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import national_policy, policy_of
from zhtj.orgs.rules import destination_problem
from zhtj.orgs.searching import places
from zhtj.people.models import Member
from zhtj.policy.destinations import Advice, Answers, Verdict, advise, best_level, groups, judge, said_no
from zhtj.policy.model import Policy
from zhtj.policy.parts import DecisionRow, Milestone
from zhtj.policy.vocabulary import Audience, Destination, PlaceTie, Reason, StayingCase, Suitability
from zhtj.transfers.applying.judging import Prospect, facts_of, judged
from zhtj.transfers.applying.known import BY_UNIT, NOT_YET_ASKED, Asked, Known
from zhtj.transfers.kinds import Basics, admitting_ready

SHOWN = 6
_EACH = 4
_PARTY = "党员"
# Days that concern one of the two groups only, by the rule they come from; all others concern both.
_FOR_SOCIETY, _FOR_STUDY, _FOR_SCHOOLS = frozenset({"D-07", "D-15"}), frozenset({"D-11", "D-12"}), frozenset({"G-09"})


@dataclass(frozen=True, slots=True)
class Found:
    """One concrete organisation.

    Args:
        line: short names of its superiors, from the province down.
        kind: what it is for whoever asks.
        place: his tie to its place, where that decides.
        problem: why nobody can choose it; "" if it can be chosen (O-10).
        contact: the office that acts for it, with its number (PD-22).
    """

    organisation: Organisation
    line: tuple[str, ...]
    kind: Destination
    place: PlaceTie | None
    verdict: Verdict
    problem: str
    contact: OfficeContact

    @property
    def why_not(self) -> str:
        """Why it cannot be chosen; "" if it can."""
        return self.problem or (self.verdict.why if self.verdict.blocks else "")

    @property
    def selectable(self) -> bool:
        """Whether an application may go there."""
        return not self.why_not and self.verdict.case is None


@dataclass
class Counsel(Known):
    """The answer. What the table says is read at once, the tree only where it is asked for."""

    # ---- what the table says

    @cached_property
    def _advice(self) -> list[Advice]:
        # ``admitting_ready`` speaks of one school; what the table says of further study as such stays readable.
        facts = {name: value for name, value in self.facts.items() if name != "admitting_ready"}
        said = {"situation": self.key, "audience": self.audience, "reason": self.reason}
        answers = Answers.model_validate(said | facts)
        return advise(self.policy, answers)

    @property
    def said(self) -> Advice:
        """The situation in a sentence."""
        return self._advice[0]

    @cached_property
    def _options(self) -> list[Advice]:
        return [each for each in self._advice if each.level is not None]

    @cached_property
    def right(self) -> Advice | None:
        """The right destination, or the case that takes its place; None where there is nothing to do, or no way."""
        good = [each for each in self._options if each.level is not Suitability.FORBIDDEN]
        if self.region is not None:
            return next((each for each in good if Destination.EXTERNAL in each.destinations), None)
        good = [each for each in good if set(each.destinations) != {Destination.EXTERNAL}]
        if self.claimed is not None:
            there = [each for each in good if self.claimed in each.places]
            by_place = self.reason in NOT_YET_ASKED and there
            good = there if by_place else [each for each in good if not each.places or self.claimed in each.places]
            # Of two equally good ones that which the situation's own rule names.
            good.sort(key=lambda each: (each.level.rank if each.level else 0, each.rule != self.situation.rule))
        if self.asked.township_unable and self.facts["county_open"]:
            good.sort(key=lambda each: Destination.COUNTY_FLOATING not in each.destinations)  # T-03
        return good[0] if good else None

    @cached_property
    def barred(self) -> Verdict | None:
        """Why the external system that he would have to go to cannot take him (X-09); None if it can."""
        if self.region is None or self.reason is None:
            return None
        verdict = judge(self.policy, self.reason, Destination.EXTERNAL, None, **self.facts)
        return verdict if verdict.blocks else None

    @property
    def others(self) -> list[Advice]:
        """What else is possible, best first, and is not among the organisations found anyway; nothing while he waits.

        北京, 广东 and 福建 are for those alone who go there, and then nothing else is; what comes after a stay is no
        choice of today; a township that has said no stands among the organisations.
        """
        later = self.situation.facts.teaching_year or self.situation.facts.file_first
        if self.waits or self.region is not None or later:
            return []
        others = [each for each in self._options if each.level is not Suitability.FORBIDDEN and each is not self.right]
        fits = [each for each in others if set(each.destinations) != {Destination.EXTERNAL} and not said_no(each)]
        return [each for each in fits if self._matters(each) and not self._is_found(each)]

    def _is_found(self, option: Advice) -> bool:
        there = {(found.kind, found.place) for found in self.found if found.selectable}
        ties = option.places or (None,)
        return {(kind, tie) for kind in option.destinations for tie in ties} <= there

    def _matters(self, option: Advice) -> bool:
        """A case beside a transfer is worth a word only to those who still look for a place."""
        looking = self.reason in {Reason.UNPLACED, Reason.OTHER} or self.situation.case is not None
        return option.case is None or looking or option.case is self.situation.or_case

    @property
    def forbidden(self) -> list[Advice]:
        """What he must not do, each sentence once; nothing that this page offers him elsewhere (PD-60)."""
        open_now = {(each.kind, each.place or PlaceTie.NONE) for each in self.found if each.selectable}
        offered = {cell for each in self._options if each.level is not Suitability.FORBIDDEN for cell in _cells(each)}
        wrong = [each for each in self._options if each.level is Suitability.FORBIDDEN and self._concerns_him(each)]
        void = {each.sentence for each in wrong if open_now & _spoken_of(each)}
        found: dict[str, Advice] = {}
        for each in wrong:
            if each.sentence not in void and not offered & _spoken_of(each):
                found.setdefault(each.sentence, each)
        return list(found.values())

    def _concerns_him(self, option: Advice) -> bool:
        """Only graduates could think of staying at their school."""
        return self.audience is Audience.GRADUATE or set(option.destinations) != {Destination.OWN_FLOATING}

    @property
    def notes(self) -> list[Advice]:
        """What else to know: circumstances that go with any situation (T-03, T-21, X-09)."""
        return [each for each in self._advice[1:] if each.level is None]

    @property
    def case(self) -> StayingCase | None:
        """What is opened instead of a transfer (PD-10)."""
        return self.situation.case

    # ---- what the tree says

    @cached_property
    def found(self) -> list[Found]:
        """The concrete organisations, best first; those that the table forbids only where he named them himself."""
        if self.region is not None or self.reason is None or self.reason is Reason.SPECIAL_UNIT:
            return []
        known: dict[int, Found] = {}
        for organisation, place, named in self._candidates():
            each = self.judged_at(organisation, place)
            better = organisation.id not in known or each.verdict.level.rank < known[organisation.id].verdict.level.rank
            if better and (each.selectable or named):
                known[organisation.id] = each
        return sorted(known.values(), key=self._order)[:SHOWN]

    @property
    def suggested(self) -> Found | None:
        """The organisation to go to; None where those found are worse than what is right, which was not found."""
        first = next((each for each in self.found if each.selectable), None)
        warned = first is not None and first.verdict.level is Suitability.WARNED
        return None if warned and self.right is not None and self.right.level is not Suitability.WARNED else first

    @property
    def further(self) -> list[Found]:
        """The other organisations that can be chosen."""
        return [each for each in self.found if each.selectable and each is not self.suggested]

    @property
    def county(self) -> Organisation | None:
        """The county that should take him in and has no branch for it yet, since the township has said no (T-03)."""
        township = self.townships.get(self.place) if self.place else None
        if township is None or not self.unable_at(self.place) or not self.facts["county_open"]:
            return None
        county = places.county_of(township)
        return county if county is not None and not places.floating_branches(county) else None

    def _order(self, found: Found) -> tuple[bool, bool, int, bool, int]:
        """What can be chosen first, the best first; of equally good ones the kind that is meant for this reason."""
        right = self.right.destinations if self.right else ()
        kind = best_level(self.policy, self.reason or Reason.OTHER, found.kind)
        instead = found.kind is Destination.COUNTY_FLOATING and self.unable_at(found.place)  # T-03
        return not found.selectable, not instead, found.verdict.level.rank, found.kind not in right, kind.rank

    def _candidates(self) -> Iterator[tuple[Organisation, PlaceTie | None, bool]]:
        """Organisations to judge: with his tie to their place, and whether he named them himself."""
        if self.reason is Reason.FURTHER_STUDY:
            for school in self.schools:
                yield from ((each, None, True) for each in places.for_new_students(school)[:_EACH])
                yield school, None, True
            if not self.schools:
                yield from ((each, None, True) for each in self.owners)
            return
        if self.reason in {Reason.INTERNAL_UPGRADE, Reason.INTERNAL_TRANSFER}:
            yield from ((each, None, False) for each in (places.inside_school(self.old) if self.old else ()))
            return
        if self.reason in BY_UNIT:
            yield from ((each, None, True) for each in self.owners)
            if self.key != "employed_without_org" and self.owners and not self.situation.facts.labour_dispatch:
                return
        for place, township in self.townships.items():
            behind = self.claimed in {None, place} or self.unable_at(place)
            yield from ((each, place, False) for each in self._around(township, behind=behind))

    def _around(self, township: Organisation, *, behind: bool) -> Iterable[Organisation]:
        """What takes people in at a township, and behind it (T-02, T-03, T-07, O-08, O-14)."""
        yield township
        yield from places.floating_branches(township)
        yield from places.youth_homes_near(township)[:_EACH]
        for park in places.parks_named(township, self.asked.unit_name, self.asked.address):
            yield park
            yield from places.floating_branches(park)
        county = places.county_of(township) if behind else None
        if county is not None:
            yield from places.floating_branches(county)

    def judged_at(self, organisation: Organisation, place: PlaceTie | None) -> Found:
        """One organisation as it is for him, who says that it is at that place of his."""
        basics = Basics([organisation] if self.old is None else [self.old, organisation])
        to = Prospect(
            basics.kind(self.old, organisation),
            organisation,
            basics.town(organisation),
            inside_school=basics.same_school(self.old, organisation) if self.old is not None else None,
            ready=admitting_ready(organisation) if self.reason is Reason.FURTHER_STUDY else None,
        )
        said = facts_of(self.policy, self.key, self.reason or "") | self.facts
        # What a township said it said of itself: the one at the other place was not asked.
        said["township_unable"] = self.unable_at(place) or None
        reason, tie = self.reason or Reason.OTHER, place or PlaceTie.NONE
        return Found(
            organisation=organisation,
            line=tuple(places.superiors(organisation)),
            kind=to.kind,
            place=place,
            verdict=judged(self.policy, reason, to, self.whereabouts, claimed=tie, known=said),
            problem=destination_problem(organisation) or self._here(organisation),
            contact=contacts.contact(organisation),
        )

    def unable_at(self, place: PlaceTie | None) -> bool:
        """Whether the township at that place of his has said that it cannot receive (T-03)."""
        if not self.asked.township_unable or place is None:
            return False
        asked, there = self.whereabouts.site(self.place) if self.place else None, self.whereabouts.site(place)
        same = asked is not None and there is not None and asked.township == there.township
        return self.place in {None, place} or same

    def _here(self, organisation: Organisation) -> str:
        return "组织关系现在就在这里。" if self.old is not None and organisation.id == self.old.id else ""

    @property
    def deadlines(self) -> list[Milestone]:
        """The days still to come that concern this group."""
        return deadlines(self.policy, self.situation, clock.today()) if self.audience is Audience.GRADUATE else []


def counsel(asked: Asked) -> Counsel:
    """What to do in this situation.

    Raises:
        DomainError: the policy knows no such situation.
    """
    policy = policy_of(asked.member.org) if asked.member else national_policy()
    return Counsel(asked, policy)


def _cells(option: Advice, kinds: Iterable[Destination] | None = None) -> set[tuple[Destination, PlaceTie]]:
    """The cells of the table that an option stands for."""
    return {
        (kind, place)
        for kind in (option.destinations if kinds is None else kinds)
        for place in ((option.places or tuple(PlaceTie)) if kind.place_bound else (PlaceTie.NONE,))
    }


def _spoken_of(option: Advice) -> set[tuple[Destination, PlaceTie]]:
    """The cells that its sentence speaks of, whether another line comes first there or not."""
    return _cells(option, option.kinds)


def audience_of(member: Member | None) -> Audience:
    """Which list of reasons and situations somebody is offered (PD-10); a visitor is taken for a graduate."""
    graduates = member is None or graduation.open_row(member.id, clock.now()) is not None
    return Audience.GRADUATE if graduates else Audience.OTHER


def offered(policy: Policy, audience: Audience) -> Mapping[str, Mapping[str, DecisionRow]]:
    """The situations to choose from, by heading."""
    return groups(policy, audience)


def is_party_member(member: Member) -> bool:
    """Whether the record says so, probationary members included (T-21)."""
    return _PARTY in (member.political_status or "")


def deadlines(policy: Policy, situation: DecisionRow, today: date) -> list[Milestone]:
    """The days from ``today`` on that concern whoever is in ``situation`` (D-07, D-11, D-12, D-15, D-19)."""
    if situation.reason is None or situation.case is not None:
        return []
    category = policy.reasons[situation.reason].category
    other = _FOR_SOCIETY if category == "further_study" else _FOR_STUDY
    return [each for each in policy.milestones if each.day >= today and each.rule not in other | _FOR_SCHOOLS]
