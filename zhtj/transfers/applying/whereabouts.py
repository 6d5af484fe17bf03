"""与转入地的关系: what somebody's places are, and which of them a destination really lies at (PD-60).

工作单位所在地 follows from the unit's address, the others from the record or from what is typed now. Adviser, form,
preview and start ask the same of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Organisation
from zhtj.orgs.searching import addresses
from zhtj.orgs.searching.addresses import EXAMPLE, Site
from zhtj.people.models import Member
from zhtj.policy.model import Policy
from zhtj.policy.vocabulary import Destination, PlaceTie, Reason, ReasonField

# Which true relation stands in for one that does not hold: what forbids comes before what might excuse (T-04).
_TRUE = (PlaceTie.UNIT_LOCATION, PlaceTie.HOUSEHOLD, PlaceTie.RESIDENCE, PlaceTie.ORIGIN, PlaceTie.PARENTS_RESIDENCE)
_NOWHERE: Mapping[str, Site | None] = {}


@dataclass(frozen=True, slots=True)
class Tied:
    """How somebody is tied to one destination.

    Args:
        tie: the relation that counts.
        beside: it lies in another township of the same county than the place named.
        near_unit: his usual residence lies near the unit; None where that is not known or no question (PD-62).
        also_household: his household place is there too (K-08).
    """

    tie: PlaceTie
    beside: bool = False
    near_unit: bool | None = None
    also_household: bool | None = None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Somebody's places.

    Args:
        texts: addresses, by his tie to them.
        sites: where each of these addresses lies, as far as it can be placed.
    """

    texts: Mapping[PlaceTie, str]
    sites: Mapping[str, Site | None]

    def site(self, tie: PlaceTie) -> Site | None:
        """Where that place lies; None where nothing is known, or the address cannot be placed."""
        return self.sites.get(self.texts.get(tie, ""))

    def tied(self, claimed: PlaceTie, there: Organisation, town: str, near: str | None = None) -> Tied:
        """How he is tied to ``there``, who says that it is his ``claimed``.

        A relation that does not hold counts as whatever true one there is, else as none; where the place is not known
        yet, it counts as said.

        Args:
            claimed: as he says.
            there: the destination.
            town: path of the township it belongs to; "" for what stands below a county itself.
            near: ``county`` or ``city``, within which a residence is near the unit; None: no question.
        """
        if claimed is PlaceTie.NONE:
            return Tied(claimed)
        tie = self._true(claimed, there)
        site = self.site(tie)
        residence, unit = self.site(PlaceTie.RESIDENCE), self.site(PlaceTie.UNIT_LOCATION)
        known = near is not None and tie is PlaceTie.RESIDENCE and residence is not None and unit is not None
        return Tied(
            tie,
            beside=bool(town and site and site.township and site.township != town),
            near_unit=residence.is_near(unit, near or "") if known and residence and unit else None,
            also_household=self._is_household(there) if tie is PlaceTie.RESIDENCE else None,
        )

    def _true(self, claimed: PlaceTie, there: Organisation) -> PlaceTie:
        site = self.site(claimed)
        if site is None or not (site.county or site.external) or site.holds(there.path):
            return claimed
        for other in _TRUE:
            found = self.site(other)
            if found is not None and found.holds(there.path):
                return other
        return PlaceTie.NONE

    def _is_household(self, there: Organisation) -> bool | None:
        site = self.site(PlaceTie.HOUSEHOLD)
        return None if site is None or not site.township else there.path.startswith(site.township)

    def may_be(self, tie: PlaceTie, there: Organisation) -> bool:
        """Whether ``there`` can be that place of his, as far as it is known."""
        return self._true(tie, there) is tie

    def missing(self, tie: PlaceTie) -> DomainError | None:
        """What has to be said of that place before anybody can be sent there; None if it is clear."""
        text, site = self.texts.get(tie, ""), self.site(tie)
        return None if site is not None and site.whole else unclear(tie, text, site)


def unclear(tie: PlaceTie, text: str, site: Site | None) -> DomainError:
    """An address that is missing, or cannot be placed in a county and a township (PD-60)."""
    if not text:
        message = f"没有{tie.label}的地址。"
    elif site is None:
        message = f"看不出“{text}”在哪个省、哪个县（市、区）。"
    elif site.external:
        message = f"“{text}”在北京、广东、福建，转往那里的请先选那个地区。"
    elif not site.county:
        message = f"“{text}”没有写到县（市、区）。"
    else:
        message = f"“{text}”没有写到乡镇、街道，或乡镇、街道的名称有误。"
    fix = f"请把地址写全，写到乡镇、街道，例如：{EXAMPLE}。"
    return DomainError(message, fix=fix, field="address", rule="PD-60")


def texts(
    member: Member | None, reason: str, needs: Iterable[ReasonField], typed: str | None, claimed: PlaceTie | None
) -> dict[PlaceTie, str]:
    """The addresses that count, by tie: what is on record, and over it what is typed now.

    Args:
        member: whose record; None: nobody is known.
        reason: key of the reason.
        needs: what that reason asks for.
        typed: 详细地址: of the unit where the reason names one, the new home of who moves, else of the place named.
        claimed: the place named.
    """
    found = on_record(member)
    if not typed:
        return found
    if reason == Reason.RELOCATION:
        tie = PlaceTie.RESIDENCE
    elif {ReasonField.UNIT, ReasonField.ADDRESS} & {*needs} or claimed in {None, PlaceTie.NONE}:
        tie = PlaceTie.UNIT_LOCATION
    else:
        tie = claimed or PlaceTie.UNIT_LOCATION
    return found | {tie: typed}


def on_record(member: Member | None) -> dict[PlaceTie, str]:
    """Addresses on record, by the member's tie to them."""
    if member is None:
        return {}
    known = {PlaceTie.RESIDENCE: member.residence, PlaceTie.HOUSEHOLD: member.household, PlaceTie.ORIGIN: member.origin}
    return {place: text for place, text in known.items() if text}


def read(many: Sequence[Mapping[PlaceTie, str]]) -> list[Whereabouts]:
    """Where all these addresses lie, in a few statements."""
    sites = addresses.locate_all(text for one in many for text in one.values()) if any(many) else _NOWHERE
    return [Whereabouts(one, sites) for one in many]


def facts(policy: Policy, kind: Destination, tied: Tied) -> dict[str, bool | None]:
    """What the destination table has to know of such a tie, by the names of its facts."""
    return {
        "near_unit": tied.near_unit if policy.residence_near else None,
        "also_household": tied.also_household,
        "beside_place": tied.beside or None if kind.place_bound else None,
    }
