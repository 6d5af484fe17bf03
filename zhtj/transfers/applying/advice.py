"""去向顾问: what somebody should do, and the concrete organisations that it means for him (PD-11).

The destination table says which kind of organisation is right; here its answer meets the tree: the unit's own
organisation, the township of an address with its floating branch, the 青年之家 and park there, the county behind it,
the admitting school. Reads only; an adviser keeps nothing of what he was told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from zhtj.graduation import operations as graduation
from zhtj.kernel import clock
from zhtj.kernel.errors import DomainError
from zhtj.orgs import contacts
from zhtj.orgs.contacts import OfficeContact
from zhtj.orgs.models import Organisation, Region
from zhtj.orgs.policies import national_policy, policy_of
from zhtj.orgs.rules import destination_problem
from zhtj.orgs.searching import places
from zhtj.people.models import Member
from zhtj.policy import seasons
from zhtj.policy.destinations import Advice, Answers, Verdict, advise, best_level, groups, judge, reason_of
from zhtj.policy.model import Policy
from zhtj.policy.parts import DecisionRow, Milestone
from zhtj.policy.vocabulary import Audience, Destination, PlaceTie, Reason, StayingCase, Suitability
from zhtj.transfers.kinds import admitting_ready, basic_of, destination_kind, same_school
from zhtj.transfers.rules import low_age

UNSURE = "employed_unsure"
"""不清楚单位有没有团组织: no row of the decision table; the tree answers which of two it is."""
SHOWN = 6
_EACH = 4
_PARTY = "党员"
_NOT_YET_ASKED = frozenset({Reason.UNPLACED, Reason.OVERSEAS_PRIVATE, Reason.RELOCATION})
_BY_UNIT = frozenset({Reason.EMPLOYED_WITH_ORG, Reason.WORK, Reason.OVERSEAS_OFFICIAL, Reason.OTHER})
# Days that concern one of the two groups only, by the rule they come from; all others concern both.
_FOR_SOCIETY, _FOR_STUDY, _FOR_SCHOOLS = frozenset({"D-07", "D-15"}), frozenset({"D-11", "D-12"}), frozenset({"G-09"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the adviser was told.

    Args:
        situation: key of the policy's situations, or ``UNSURE``.
        member: whom it is about; None for a visitor of whom nothing is known.
        unit_name: of the unit or the admitting school.
        address: of the unit, or of the place chosen.
        place: the place that he asks about; None: all that are on record.
        party_member, township_unable: None where nobody has said.
    """

    situation: str
    member: Member | None = None
    unit_name: str = ""
    address: str = ""
    place: PlaceTie | None = None
    party_member: bool | None = None
    township_unable: bool | None = None


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
class Counsel:
    """The answer. What the table says is read at once, the tree only where it is asked for.

    Args:
        asked: what was told.
        policy: of the member's organisation, or the national one.
    """

    asked: Asked
    policy: Policy
    _known: dict[PlaceTie, str] = field(init=False)

    def __post_init__(self) -> None:
        if self.asked.situation not in {*self.policy.situations, UNSURE}:
            raise DomainError("请选择您的去向。", field="situation", rule="PD-11")
        self._known = known_places(self.asked.member)

    @cached_property
    def key(self) -> str:
        """The situation; whether the unit has an organisation is looked up where he does not know (T-01, T-02)."""
        if self.asked.situation != UNSURE:
            return self.asked.situation
        return "employed_with_org" if self.owners else "employed_without_org"

    @property
    def situation(self) -> DecisionRow:
        """The row of the decision table."""
        return self.policy.situations[self.key]

    @cached_property
    def audience(self) -> Audience:
        """Whether he is one of the season's graduates; of a visitor it is assumed."""
        return audience_of(self.asked.member)

    @property
    def reason(self) -> Reason | None:
        """The reason to choose; None where nothing is transferred."""
        return reason_of(self.policy, self.situation, self.audience)

    @property
    def old(self) -> Organisation | None:
        """Where he is now."""
        return self.asked.member.org if self.asked.member else None

    # ---- what is known of him

    @cached_property
    def addresses(self) -> dict[PlaceTie, str]:
        """Addresses to look at, by his tie to them: the one he named, else all that are on record."""
        if self.reason in _NOT_YET_ASKED:
            place = self.asked.place
            if place is None:
                return self._known
            return {place: self.asked.address or self._known.get(place, "")}
        if not self.asked.address:
            return {}
        found = {PlaceTie.UNIT_LOCATION: self.asked.address}
        if self.region_of(self.asked.address) is not None:
            return found
        wanted = (PlaceTie.HOUSEHOLD,) if self.situation.facts.labour_dispatch else (PlaceTie.RESIDENCE,)
        return found | {place: self._known[place] for place in wanted if place in self._known}

    @property
    def place(self) -> PlaceTie | None:
        """The place that decides, where only one comes into question."""
        return self.asked.place or (next(iter(self.addresses)) if len(self.addresses) == 1 else None)

    @cached_property
    def townships(self) -> dict[PlaceTie, Organisation]:
        """The township of each of these addresses."""
        found = {place: places.township_of(text) for place, text in self.addresses.items() if text}
        return {place: township for place, township in found.items() if township is not None}

    @cached_property
    def owners(self) -> list[Organisation]:
        """The unit's own organisations, found by its name."""
        return [hit.organisation for hit in places.owners_of(self.asked.unit_name)]

    @cached_property
    def schools(self) -> list[Organisation]:
        """The admitting school, found by its name."""
        return places.schools_named(self.asked.unit_name) if self.reason is Reason.FURTHER_STUDY else []

    @cached_property
    def ready(self) -> bool | None:
        """Whether the admitting school has built its new students' organisation; None: no school is known (T-11)."""
        return any(admitting_ready(school) for school in self.schools) if self.schools else None

    @property
    def waits(self) -> bool:
        """Nobody applies before the school is ready (T-11, D-12)."""
        return self.ready is False and self.situation.case is None

    @cached_property
    def region(self) -> Organisation | None:
        """北京, 广东 or 福建, if that is where he goes: they keep systems of their own (X-01)."""
        if self.townships or self.owners or self.schools:
            return None
        return self.region_of(next(iter(self.addresses.values()), self.asked.unit_name))

    @staticmethod
    def region_of(text: str) -> Organisation | None:
        """The region with a system of its own that an address or a name begins with."""
        named = places.province_named(text, places.provinces()) if text else None
        return named if named is not None and named.system is not Region.NATIONAL else None

    @cached_property
    def facts(self) -> dict[str, bool]:
        """What is known besides the answers, by the names of the policy's facts."""
        member = self.asked.member
        said = {"party_member": self.asked.party_member, "township_unable": self.asked.township_unable}
        found = {name: value for name, value in said.items() if value is not None}
        found["county_open"] = seasons.county_open(self.policy, clock.today())
        if self.ready is not None:
            found["admitting_ready"] = self.ready
        if member is not None:
            basic = basic_of(member.org)
            found["retention_right"] = self.policy.may_be_retained(basic.industry if basic else None)
            if self.region is not None and low_age(self.policy, member):
                found["low_age"] = True
        return found

    # ---- what the table says

    @cached_property
    def _advice(self) -> list[Advice]:
        # ``admitting_ready`` speaks of one school; what the table says of further study as such stays readable.
        facts = {name: value for name, value in self.facts.items() if name != "admitting_ready"}
        answers = Answers.model_validate({"situation": self.key, "audience": self.audience, **facts})
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
        if self.asked.place is not None:
            good = [each for each in good if not each.places or self.asked.place in each.places]
            # Of two equally good ones that which the situation's own rule names.
            good.sort(key=lambda each: (each.level.rank if each.level else 0, each.rule != self.situation.rule))
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
        """What else is possible, best first, and is not among the organisations found anyway."""
        others = [each for each in self._options if each.level is not Suitability.FORBIDDEN and each is not self.right]
        return [each for each in others if self._matters(each) and not self._is_found(each)]

    def _is_found(self, option: Advice) -> bool:
        there = {(found.kind, found.place) for found in self.found if found.selectable}
        ties = option.places or (None,)
        return {(kind, tie) for kind in option.destinations for tie in ties} <= there

    def _matters(self, option: Advice) -> bool:
        """A case beside a transfer is worth a word only to those who still look for a place."""
        return option.case is None or self.reason in {Reason.UNPLACED, Reason.OTHER} or self.situation.case is not None

    @property
    def forbidden(self) -> list[Advice]:
        """What he must not do, each sentence once."""
        found: dict[str, Advice] = {}
        for each in self._options:
            if each.level is Suitability.FORBIDDEN:
                found.setdefault(each.sentence, each)
        return list(found.values())

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
            each = self._judged(organisation, place)
            better = organisation.id not in known or each.verdict.level.rank < known[organisation.id].verdict.level.rank
            if better and (each.selectable or named):
                known[organisation.id] = each
        return sorted(known.values(), key=self._order)[:SHOWN]

    def _order(self, found: Found) -> tuple[bool, int, bool, int]:
        """What can be chosen first, the best first; of equally good ones the kind that is meant for this reason."""
        right = self.right.destinations if self.right else ()
        kind = best_level(self.policy, self.reason or Reason.OTHER, found.kind)
        return not found.selectable, found.verdict.level.rank, found.kind not in right, kind.rank

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
        if self.reason in _BY_UNIT:
            yield from ((each, None, True) for each in self.owners)
            if self.key != "employed_without_org" and self.owners and not self.situation.facts.labour_dispatch:
                return
        for place, township in self.townships.items():
            yield from ((each, place, False) for each in self._around(township))

    def _around(self, township: Organisation) -> Iterable[Organisation]:
        """What takes people in at a township, and behind it (T-02, T-03, T-07, O-08, O-14)."""
        yield township
        yield from places.floating_branches(township)
        yield from places.youth_homes_near(township)[:_EACH]
        for park in places.parks_named(township, self.asked.unit_name, self.asked.address):
            yield park
            yield from places.floating_branches(park)
        county = places.county_of(township)
        if county is not None:
            yield from places.floating_branches(county)

    def _judged(self, organisation: Organisation, place: PlaceTie | None) -> Found:
        kind = destination_kind(self.old, organisation)
        facts: dict[str, bool | None] = {name: value for name, value in self.situation.facts if value is not None}
        facts |= self.facts
        if kind in {Destination.NEW_STUDENTS, Destination.SCHOOL}:
            facts["admitting_ready"] = admitting_ready(organisation)
        if self.old is not None:
            facts["inside_own_school"] = same_school(self.old, organisation)
        if place is PlaceTie.RESIDENCE:
            facts["also_household"] = self._is_household(organisation)
        reason = self.reason or Reason.OTHER
        return Found(
            organisation=organisation,
            line=tuple(places.superiors(organisation)),
            kind=kind,
            place=place,
            verdict=judge(self.policy, reason, kind, place, **facts),
            problem=destination_problem(organisation) or self._here(organisation),
            contact=contacts.contact(organisation),
        )

    def _here(self, organisation: Organisation) -> str:
        return "组织关系现在就在这里。" if self.old is not None and organisation.id == self.old.id else ""

    def _is_household(self, organisation: Organisation) -> bool | None:
        """Whether the place he lives in is his household place too (K-08)."""
        address = self._known.get(PlaceTie.HOUSEHOLD)
        township = places.township_of(address) if address else None
        return organisation.path.startswith(township.path) if township else None

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


def audience_of(member: Member | None) -> Audience:
    """Which list of reasons and situations somebody is offered (PD-10); a visitor is taken for a graduate."""
    graduates = member is None or graduation.open_row(member.id, clock.now()) is not None
    return Audience.GRADUATE if graduates else Audience.OTHER


def offered(policy: Policy, audience: Audience) -> Mapping[str, Mapping[str, DecisionRow]]:
    """The situations to choose from, by heading."""
    return groups(policy, audience)


def known_places(member: Member | None) -> dict[PlaceTie, str]:
    """Addresses on record, by the member's tie to them."""
    if member is None:
        return {}
    known = {PlaceTie.RESIDENCE: member.residence, PlaceTie.HOUSEHOLD: member.household, PlaceTie.ORIGIN: member.origin}
    return {place: text for place, text in known.items() if text}


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
