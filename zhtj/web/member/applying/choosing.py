"""Find the destination: first where, then what; what cannot be chosen stays visible, with why (O-10, O-19, O-20)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Organisation, Region
from zhtj.orgs.rules import destination_problem
from zhtj.orgs.searching import places
from zhtj.orgs.searching.search import Hit, SearchResult, search
from zhtj.policy.destinations import Verdict
from zhtj.policy.model import Policy
from zhtj.policy.vocabulary import Suitability
from zhtj.transfers.applying import checks
from zhtj.transfers.applying.situations import Situation
from zhtj.web.forms.transfer import NAME_AT_MOST, tidy
from zhtj.web.member.applying.answers import Filling
from zhtj.web.member.applying.guides import REGIONS
from zhtj.web.member.contacts import own_line

SHOWN = 12
SUGGESTED = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """One organisation in a list of results.

    Args:
        line: short names of its superiors, from the province down.
        why_not: why it cannot be chosen; "" if it can.
        first: it comes before all others that are as good; “首选” stands on it alone (PD-60).
    """

    organisation: Organisation
    line: Sequence[str]
    verdict: Verdict | None
    why_not: str
    first: bool = False


class Looking:
    """What the page of the third question shows.

    Args:
        filling: with reason, unit and place.
        code: of the province or system chosen; "" for the proposal.
        text: what is searched for; "" before the first search.
    """

    def __init__(self, filling: Filling, code: str, text: str) -> None:
        self.filling = filling
        self.text = text
        self.chosen = code

    @cached_property
    def provinces(self) -> Sequence[Organisation]:
        """What can be chosen first."""
        return places.provinces()

    @cached_property
    def province(self) -> Organisation | None:
        """The province or system that is searched."""
        code = self.chosen or self._proposal
        return next((each for each in self.provinces if each.code == code), None)

    @property
    def _proposal(self) -> str:
        near = [each.organisation for each in self.suggestions if not each.why_not]
        named = places.province_named(self.filling.address, self.provinces)
        return named.code if named and not near else places.province_of(near[0] if near else self.filling.member.org)

    @property
    def external(self) -> Organisation | None:
        """The chosen region, if it keeps a system of its own."""
        province = self.province
        return province if province is not None and province.system is not Region.NATIONAL else None

    @cached_property
    def verdict(self) -> Verdict | None:
        """What the destination table says to that region, for the chosen reason."""
        if self.external is None or self.filling.spec is None:
            return None
        return self.filling.judged([self.external])[0].verdict

    @property
    def region(self) -> str:
        """What that region is called."""
        return REGIONS.get(self.external.system, "") if self.external else ""

    @property
    def line(self) -> list[Organisation]:
        """Own branch, college and school, whom he can ring."""
        return own_line(self.filling.member.org)

    @property
    def self_report(self) -> bool:
        """Whether the member has to report himself in that region's system as well (X-06)."""
        return self.external is not None and needs_self_report(self.filling.policy, self.external)

    @property
    def internal(self) -> bool:
        """Whether only the own school comes into question (T-22)."""
        return self.filling.spec is not None and self.filling.spec.internal

    @cached_property
    def suggestions(self) -> list[Candidate]:
        """What fits the answers so far: the township of the address, the unit's or school's own name, own colleges."""
        filling = self.filling
        if self.internal:
            return _best_first(self._candidates(places.inside_school(filling.member.org)))
        if filling.place_first:
            return _best_first(self._candidates(self._near()))
        name = filling.relevant.get("unit_name")
        return _best_first(self._among(search(session, name, limit=SUGGESTED).hits)) if name else []

    def _near(self) -> list[Organisation]:
        """The township of the address with its floating branch; where it has said no, the county's (T-03)."""
        filling = self.filling
        site = filling.whereabouts.site(filling.tie) if filling.tie else None
        township = places.by_path(site.township) if site is not None and site.township else None
        if township is None:
            return []
        county = places.county_of(township) if filling.answers.unable else None
        near = [township, *places.floating_branches(township)]
        return near + (list(places.floating_branches(county)) if county is not None else [])

    @cached_property
    def result(self) -> SearchResult:
        """Answer to the search, inside the chosen province or system."""
        return search(session, self.text, within=self.province, limit=SHOWN) if self.text else SearchResult()

    @cached_property
    def found(self) -> list[Candidate]:
        """The organisations found."""
        return _marked(sorted(self._among(self.result.hits), key=lambda each: bool(each.why_not)))

    @property
    def elsewhere(self) -> list[Organisation]:
        """Provinces that have what the chosen one does not."""
        return [each for each in self.provinces if each.short_name in self.result.elsewhere]

    def _candidates(self, organisations: Sequence[Organisation]) -> list[Candidate]:
        return self._judged(organisations, [places.superiors(each) for each in organisations])

    def _among(self, hits: Sequence[Hit]) -> list[Candidate]:
        return self._judged([hit.organisation for hit in hits], [hit.line for hit in hits])

    def _judged(self, organisations: Sequence[Organisation], lines: Sequence[Sequence[str]]) -> list[Candidate]:
        """As the start would be judged with what has been answered so far."""
        judged = self.filling.judged(organisations)
        return [_candidate(self.filling, situation, line) for situation, line in zip(judged, lines, strict=True)]


def needs_self_report(policy: Policy, region: Organisation) -> bool:
    """Whether who goes to that region has to report himself in its system (X-06)."""
    return any(each.self_report for each in policy.external_systems if each.code == region.code)


def _best_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    return _marked(sorted(candidates, key=lambda each: each.verdict.level.rank if each.verdict else len(Suitability)))


def _marked(candidates: list[Candidate]) -> list[Candidate]:
    """The first preferred one among them is marked."""
    levels = [None if each.verdict is None or each.why_not else each.verdict.level for each in candidates]
    best = levels.index(Suitability.PREFERRED) if Suitability.PREFERRED in levels else None
    return [replace(each, first=position == best) for position, each in enumerate(candidates)]


def _candidate(filling: Filling, situation: Situation, line: Sequence[str]) -> Candidate:
    problem = destination_problem(situation.new) or getattr(checks.is_elsewhere(situation), "message", "")
    verdict = situation.verdict if filling.spec is not None and not problem else None
    return Candidate(situation.new, line, verdict, problem or _blocks(verdict))


def _blocks(verdict: Verdict | None) -> str:
    return verdict.why if verdict is not None and verdict.blocks else ""


def look(filling: Filling, arguments: Mapping[str, str]) -> Looking:
    """Read the search out of an address."""
    return Looking(filling, arguments.get("in", ""), tidy(arguments.get("q"))[:NAME_AT_MOST])


def read(filling: Filling, code: str) -> Organisation:
    """The organisation that was chosen; for 北京, 广东 and 福建 the region's node (X-01).

    Raises:
        DomainError: there is none of that code, it can be no destination (O-10), or he joined too young for it (X-09).
    """
    found = places.by_code(code)
    if found is None:
        raise DomainError("请选择转入组织。", field="destination")
    (situation,) = filling.judged([found])
    problem = checks.first(situation, (*checks.DESTINATION, checks.reason_across_systems, checks.old_enough))
    if problem is not None:
        raise problem
    return found
