"""What the adviser was told, and what is known besides: the record, the places, what the unit or school has (PD-60)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from zhtj.kernel import clock
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Organisation, Region
from zhtj.orgs.searching import places
from zhtj.people.models import Member
from zhtj.policy import seasons
from zhtj.policy.destinations import reason_of
from zhtj.policy.model import Policy
from zhtj.policy.parts import DecisionRow
from zhtj.policy.vocabulary import Audience, PlaceTie, Reason
from zhtj.transfers.applying import whereabouts
from zhtj.transfers.applying.situations import Leaver, leaver
from zhtj.transfers.applying.whereabouts import Whereabouts
from zhtj.transfers.kinds import admitting_ready, basic_of
from zhtj.transfers.rules import low_age

UNSURE = "employed_unsure"
"""不清楚单位有没有团组织: no row of the decision table; the tree answers which of two it is."""
NOT_YET_ASKED = frozenset({Reason.UNPLACED, Reason.OVERSEAS_PRIVATE, Reason.RELOCATION})
BY_UNIT = frozenset({Reason.EMPLOYED_WITH_ORG, Reason.WORK, Reason.OVERSEAS_OFFICIAL, Reason.OTHER})


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


@dataclass
class Known:
    """What is known of whoever asks: what he said, what is on record, what the tree says to it.

    Args:
        asked: what was told.
        policy: of the member's organisation, or the national one.
    """

    asked: Asked
    policy: Policy

    def __post_init__(self) -> None:
        if self.asked.situation not in {*self.policy.situations, UNSURE}:
            raise DomainError("请选择您的去向。", field="situation", rule="PD-11")

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
        return self.leaver.audience if self.leaver is not None else Audience.GRADUATE

    @cached_property
    def reason(self) -> Reason | None:
        """The reason to choose; None where nothing is transferred."""
        found = reason_of(self.policy, self.situation, self.audience)
        # Who only says how he is employed does not say what the unit has: the tree does (T-02).
        unsaid = self.situation.facts.labour_dispatch or self.situation.facts.probation
        if found is Reason.EMPLOYED_WITH_ORG and unsaid and self.asked.unit_name and not self.owners:
            return Reason.EMPLOYED_WITHOUT_ORG
        return found

    @property
    def is_special(self) -> bool:
        """Whether no organisation is chosen, because the province decides (S-02)."""
        return self.reason is Reason.SPECIAL_UNIT

    @property
    def has_unit(self) -> bool:
        """Whether the unit is said, or found, to have an organisation (T-01)."""
        return self.key == Reason.EMPLOYED_WITH_ORG

    @property
    def found_none(self) -> bool:
        """Whether he left open what the unit has, and nothing was found: then it is taken to have none (T-02)."""
        return self.asked.situation == UNSURE and not self.has_unit

    @property
    def misses_unit(self) -> bool:
        """Whether he says that the unit has an organisation, and it is not found."""
        return self.has_unit and not self.owners and bool(self.asked.unit_name) and self.region is None

    @cached_property
    def leaver(self) -> Leaver | None:
        """What is known of him, as the start would ask it; None for a visitor."""
        return leaver(self.asked.member) if self.asked.member is not None else None

    @property
    def old(self) -> Organisation | None:
        """Where he is now."""
        return self.asked.member.org if self.asked.member else None

    # ---- what is known of him

    @property
    def claimed(self) -> PlaceTie | None:
        """The place he asks about, or whose address he typed: where he is going to live; None: all on record."""
        if self.reason in NOT_YET_ASKED:
            return self.asked.place or (PlaceTie.RESIDENCE if self.asked.address else None)
        return PlaceTie.UNIT_LOCATION if self.asked.address else None

    @cached_property
    def whereabouts(self) -> Whereabouts:
        """All his places: what is on record, and over it what he said now."""
        needs = self.policy.reasons[self.reason].needs if self.reason else ()
        (found,) = whereabouts.read(
            [whereabouts.texts(self.asked.member, self.reason or "", needs, self.asked.address, self.claimed)]
        )
        return found

    @cached_property
    def addresses(self) -> dict[PlaceTie, str]:
        """Addresses to look at, by his tie to them; none where the one that decides has to be asked for again."""
        texts, claimed = self.whereabouts.texts, self.claimed
        if self.incomplete is not None:
            return {}
        if self.reason in NOT_YET_ASKED:
            ties = tuple(texts) if claimed is None else (claimed,)
        elif claimed is None:
            return {}
        elif self._is_external(claimed):
            ties = (claimed,)
        else:
            ties = (PlaceTie.UNIT_LOCATION, PlaceTie.RESIDENCE)
            ties += (PlaceTie.HOUSEHOLD,) if self.situation.facts.labour_dispatch else ()
        return {tie: texts[tie] for tie in ties if tie in texts}

    @cached_property
    def incomplete(self) -> DomainError | None:
        """What is missing in the address that decides; another place never stands in for it (PD-60)."""
        claimed = self.claimed
        known = self.reason in BY_UNIT and bool(self.owners)  # then no address is needed
        if claimed is None or known or self._is_external(claimed):
            return None
        return self.whereabouts.missing(claimed)

    def _is_external(self, tie: PlaceTie) -> bool:
        site = self.whereabouts.site(tie)
        return site is not None and site.external

    @property
    def place(self) -> PlaceTie | None:
        """The place that decides, where only one comes into question."""
        return self.claimed or (next(iter(self.addresses)) if len(self.addresses) == 1 else None)

    @cached_property
    def townships(self) -> dict[PlaceTie, Organisation]:
        """The township of each of these addresses."""
        sites = {tie: self.whereabouts.site(tie) for tie in self.addresses}
        found = places.at([site.township for site in sites.values() if site is not None])
        return {tie: found[site.township] for tie, site in sites.items() if site and site.township in found}

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
        if self.incomplete is not None:
            return None
        texts = [*self.addresses.values()] if self.claimed is None else [self.whereabouts.texts.get(self.claimed, "")]
        site = self.whereabouts.sites.get(next(iter(texts), ""))
        if site is not None:
            return places.by_path(site.area) if site.external else None
        return self._region_named(self.asked.unit_name)

    @staticmethod
    def _region_named(name: str) -> Organisation | None:
        """The region with a system of its own that a name begins with."""
        named = places.province_named(name, places.provinces()) if name else None
        return named if named is not None and named.system is not Region.NATIONAL else None

    @cached_property
    def facts(self) -> dict[str, bool | None]:
        """What is known besides the answers, by the names of the policy's facts."""
        said = {"party_member": self.asked.party_member, "township_unable": self.asked.township_unable}
        found: dict[str, bool | None] = {name: value for name, value in said.items() if value is not None}
        found["county_open"] = seasons.county_open(self.policy, clock.today())
        if self.ready is not None:
            found["admitting_ready"] = self.ready
        member, leaves = self.asked.member, self.leaver
        if member is not None and leaves is not None:
            basic = basic_of(member.org)
            found |= leaves.facts(basic.industry if basic else None)
            if self.region is not None and low_age(self.policy, member):
                found["low_age"] = True
        return found
