"""The adviser's questions, read off the address: every page is a GET, so that back works and nothing is stored.

``group`` → ``situation`` → details (unit or school, address, place, circumstances) → with ``done`` the answer. The same
questions serve a visitor, a member and an administrator; what can be done with the answer differs (``Adviser``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from zhtj.kernel import clock
from zhtj.orgs.policies import national_policy, policy_of
from zhtj.people.models import Member
from zhtj.policy import seasons
from zhtj.policy.destinations import reason_of
from zhtj.policy.model import Policy
from zhtj.policy.parts import DecisionRow
from zhtj.policy.vocabulary import Audience, PlaceTie, Reason
from zhtj.transfers.applying import advice, whereabouts
from zhtj.transfers.applying.advice import Counsel, Found
from zhtj.transfers.applying.known import UNSURE, Asked
from zhtj.web.forms.transfer import ADDRESS_AT_MOST, NAME_AT_MOST, best_at, place_options, tidy

WORK = "工作"
_UNIT = frozenset(
    {Reason.EMPLOYED_WITH_ORG, Reason.EMPLOYED_WITHOUT_ORG, Reason.WORK, Reason.OVERSEAS_OFFICIAL, Reason.OTHER}
)
_PLACE = frozenset({Reason.UNPLACED, Reason.OVERSEAS_PRIVATE, Reason.RELOCATION})
_LOCAL = _PLACE | {Reason.EMPLOYED_WITHOUT_ORG}


_GROUNDS = {"retake_exam": "retake", "teaching_year": "teaching", "file_first": "file_first"}
"""A row of the decision table → ground of the application to be retained (T-23 … T-25)."""


class AdviserQuestion(StrEnum):
    """Which question the page asks; the value is its template's name."""

    GROUPS = "groups"
    SITUATIONS = "situations"
    DETAILS = "details"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Heard:
    """What the address says; unknown values count as unsaid."""

    group: str = ""
    situation: str = ""
    unit: str = ""
    address: str = ""
    place: str = ""
    party: bool = False
    unable: bool = False
    done: bool = False

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> Heard:
        """The answers so far."""
        place = arguments.get("place", "")
        return cls(
            group=arguments.get("group", ""),
            situation=arguments.get("situation", ""),
            unit=tidy(arguments.get("unit"))[:NAME_AT_MOST],
            address=tidy(arguments.get("address"))[:ADDRESS_AT_MOST],
            place=place if place in set(PlaceTie) - {PlaceTie.NONE} else "",
            **{name: arguments.get(name) == "1" for name in ("party", "unable", "done")},
        )

    def query(self, **changes: Any) -> dict[str, str]:
        """The same as arguments of an address, with some of them changed."""
        said = {name: getattr(self, name) for name in self.__slots__} | changes
        return {name: "1" if value is True else str(value) for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class Act:
    """What whoever asks can do with one organisation: a form that posts ``values``, or without them a link.

    Args:
        about: whom a screen reader is told that it leads to.
    """

    label: str
    url: str
    values: dict[str, str] | None = None
    about: str = ""


class Adviser:
    """The page.

    Args:
        arguments: of the address.
        address: makes the page's address out of arguments.
        act: what can be done with an organisation of the answer (None: the answer without one); None: nothing here.
        member: whom it is about.
        himself: whether he asks himself.
    """

    def __init__(
        self,
        arguments: Mapping[str, str],
        address: Callable[..., str],
        *,
        act: Callable[[Counsel, Found | None], Act] | None = None,
        member: Member | None = None,
        himself: bool = True,
    ) -> None:
        self.heard = Heard.read(arguments)
        self.member = member
        self.himself = himself
        self._address = address
        self._act = act

    @cached_property
    def policy(self) -> Policy:
        """Of the member's organisation, or the national one."""
        return policy_of(self.member.org) if self.member else national_policy()

    @cached_property
    def audience(self) -> Audience:
        """Whether graduates' situations are offered."""
        return advice.audience_of(self.member)

    @cached_property
    def offered(self) -> Mapping[str, Mapping[str, DecisionRow]]:
        """Headings and their situations."""
        return advice.offered(self.policy, self.audience)

    @property
    def stage(self) -> AdviserQuestion:
        """The question that is open."""
        known = {key for group in self.offered.values() for key in group} | (
            {UNSURE} if WORK in self.offered else set()
        )
        if self.heard.situation not in known:
            return AdviserQuestion.SITUATIONS if self.heard.group in self.offered else AdviserQuestion.GROUPS
        return AdviserQuestion.ANSWER if self.heard.done or not self.asks_details else AdviserQuestion.DETAILS

    def url(self, **changes: Any) -> str:
        """This page with some answers changed."""
        return self._address(**self.heard.query(**changes))

    @property
    def start(self) -> str:
        """The first question."""
        return self._address()

    @property
    def back(self) -> str:
        """The question before this one; "" on the first page."""
        if self.stage is AdviserQuestion.ANSWER and self.asks_details:
            return self.url(done=False)
        if self.stage in {AdviserQuestion.ANSWER, AdviserQuestion.DETAILS} and len(self.offered[self.group]) > 1:
            return self._address(group=self.group)
        return "" if self.stage is AdviserQuestion.GROUPS else self.start

    @property
    def group(self) -> str:
        """Heading of the situation."""
        if self.heard.situation == UNSURE:
            return WORK
        return next((name for name, group in self.offered.items() if self.heard.situation in group), self.heard.group)

    @property
    def asks_work(self) -> bool:
        """Whether the open question is what the unit has, which one need not know."""
        return self.heard.group == WORK

    def first_of(self, group: str) -> str:
        """Where a heading leads: to its situations, or straight to its only one."""
        keys = list(self.offered[group])
        return self._address(group=group) if len(keys) > 1 else self._address(situation=keys[0])

    # ---- the details

    @property
    def situation(self) -> DecisionRow | None:
        """The chosen row; None where it depends on what the unit has."""
        return self.policy.situations.get(self.heard.situation)

    @property
    def reason(self) -> Reason | None:
        """The reason it stands for, as far as it is known yet."""
        if self.situation is None:
            return Reason.EMPLOYED_WITHOUT_ORG if self.audience is Audience.GRADUATE else Reason.WORK
        return reason_of(self.policy, self.situation, self.audience)

    @property
    def asks_school(self) -> bool:
        """Which school admitted him?"""
        return self.reason is Reason.FURTHER_STUDY

    @property
    def asks_unit(self) -> bool:
        """Which unit, and where is it?"""
        return self.reason in _UNIT

    @property
    def asks_place(self) -> bool:
        """Which of his places?"""
        return self.reason in _PLACE

    @property
    def asks_details(self) -> bool:
        """Whether anything more has to be known: of those who stay where they are, nothing."""
        stays = self.situation is not None and self.situation.case is not None
        return not stays and (self.asks_school or self.asks_unit or self.asks_place)

    @property
    def asks_unable(self) -> bool:
        """Has the township said that it cannot? Only worth asking once counties take over (T-03, D-15)."""
        return (self.reason in _LOCAL or self.heard.situation == UNSURE) and seasons.county_open(
            self.policy, clock.today()
        )

    @property
    def known_party_member(self) -> bool:
        """Whether the record says so already."""
        return self.member is not None and advice.is_party_member(self.member)

    @property
    def places(self) -> list[dict[str, str]]:
        """Radio cards of his places, with the addresses on record; forbidden ones greyed with why."""
        reason = self.reason
        if reason is None:
            return []
        return place_options(whereabouts.on_record(self.member), lambda tie: best_at(self.policy, reason, tie))

    # ---- the answer

    @cached_property
    def counsel(self) -> Counsel:
        """The answer to everything said."""
        heard = self.heard
        return Counsel(
            Asked(
                situation=heard.situation,
                member=self.member,
                unit_name=heard.unit if self.asks_unit or self.asks_school else "",
                address=heard.address,
                place=PlaceTie(heard.place) if heard.place and self.asks_place else None,
                party_member=True if heard.party or self.known_party_member else None,
                township_unable=True if heard.unable else None,
            ),
            self.policy,
        )

    @property
    def ground(self) -> str:
        """Which ground of a retention the situation stands for, to be chosen in its form; "" if none does."""
        return _GROUNDS.get(self.counsel.key, "")

    @property
    def guide(self) -> str:
        """Which guide belongs to the answer, by the name of its template; "" if none does."""
        found = self.counsel
        if found.case is not None:
            return found.case.value.replace("_", "-")
        if found.reason is Reason.SPECIAL_UNIT:
            return "special-unit"
        return "external" if found.region is not None and found.barred is None else ""

    def act(self, found: Found | None) -> Act | None:
        """What can be done with an organisation of the answer; ``found`` None: with the answer as it stands."""
        return self._act(self.counsel, found) if self._act else None
