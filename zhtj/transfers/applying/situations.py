"""The situation in which an application is started: everything that is judged, read once at the door.

The checks (``checks``) ask nothing but this. For many members it is read in a fixed number of statements, so that a
preview of five thousand lines, the pages of the form and the start itself ask the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import aliased

from zhtj.graduation.models import RegisterRow
from zhtj.graduation.season_register import is_delayed
from zhtj.identity import certification
from zhtj.identity.models import Certification
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind
from zhtj.orgs.models import Organisation, Purpose, Region
from zhtj.orgs.outside import special_pool
from zhtj.orgs.policies import policies_of
from zhtj.people.models import Member
from zhtj.policy.destinations import Verdict
from zhtj.policy.model import Policy
from zhtj.policy.parts import ReasonSpec
from zhtj.policy.seasons import campaign_open, county_open, return_due
from zhtj.policy.vocabulary import Audience, Destination, PlaceTie, Reason, Suitability
from zhtj.transfers.applying import whereabouts
from zhtj.transfers.applying.judging import Prospect, facts_of, judged
from zhtj.transfers.applying.whereabouts import Whereabouts
from zhtj.transfers.entries import Entry
from zhtj.transfers.kinds import Basics, admitting
from zhtj.transfers.models import Application
from zhtj.transfers.parties import serves
from zhtj.transfers.rules import low_age
from zhtj.transfers.workflow import OPEN, Action, Initiator, Party, State, Track, Way, next_state

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Submission:
    """What an applicant or an administrator fills in.

    Args:
        destination: where to; for 北京, 广东 and 福建 the region's node. Nothing is chosen for a special unit (S-02).
        reason: key of a transfer reason of the policy (PD-10).
        place: relation of the destination to the member's places, where the reason asks for it.
        external_name, external_name_again: full name in the external system, typed twice (X-02).
        secret_unit: name of a special unit, where it may be told; kept encrypted (S-09).
        confirmed: the warnings of the destination table, or what follows from a special unit, were read (PD-11, S-07).
        situation: key of the policy's situations, where more was said than the reason tells: its facts count (PD-11).
        township_unable: the township there has said that it cannot receive (T-03).
        follows: the ended application this one starts again.
        unproven: no file shows that the external system has let him go; the superior of whoever records it decides.
    """

    member: Member
    destination: Organisation
    reason: str
    place: str | None = None
    unit_name: str | None = None
    unit_address: str | None = None
    contact_mobile: str | None = None
    remark: str | None = None
    external_name: str | None = None
    external_name_again: str | None = None
    secret_unit: str | None = None
    confirmed: bool = False
    situation: str | None = None
    township_unable: bool = False
    follows: Application | None = None
    unproven: bool = False

    @property
    def tie(self) -> PlaceTie:
        """His tie to the destination's place, as he says."""
        return PlaceTie(self.place) if self.place in set(PlaceTie) else PlaceTie.NONE


def special_unit(member: Member, **details: Any) -> Submission:
    """A submission to a special unit: no organisation is chosen, the member goes to the pool (S-02, S-06)."""
    return Submission(member=member, destination=special_pool(), reason=Reason.SPECIAL_UNIT.value, **details)


@dataclass(frozen=True, slots=True)
class Leaver:
    """What is known of a member before he names a destination.

    Args:
        member: with organisation and account.
        policy: of the organisation he is in (PD-18).
        row: his open row of the season's register; graduates have one (PD-08).
        is_busy: an application of his is open (A-06).
        is_delayed: a delayed graduate who is still at school (R-08).
        is_certified: his application form is approved, or none is asked for (U-13).
        number_taken: somebody else's record carries his 发展团员编号 (U-21).
    """

    member: Member
    policy: Policy
    row: RegisterRow | None = None
    is_busy: bool = False
    is_delayed: bool = False
    is_certified: bool = True
    number_taken: bool = False

    @property
    def audience(self) -> Audience:
        """Which list of reasons is offered (PD-10)."""
        return Audience.GRADUATE if self.row is not None else Audience.OTHER

    def facts(self, industry: str | None) -> dict[str, bool | None]:
        """What the destination table has to know of him, out of a school of this 行业类别."""
        return {"delayed": self.is_delayed or None, "retention_right": self.policy.may_be_retained(industry)}

    def spec(self, reason: str) -> ReasonSpec | None:
        """What the policy says of a reason; None for one that it does not offer to this member (PD-10)."""
        found = self.policy.reasons.get(Reason(reason)) if reason in set(Reason) else None
        return found if found is not None and self.audience in found.audiences else None


def leavers(members: Sequence[Member]) -> dict[int, Leaver]:
    """What is known of these members, by id: one statement for five hundred."""
    policies, today = policies_of(clock.today().year), clock.today()
    found: dict[int, Leaver] = {}
    for member, row, delayed, busy, certified, taken in _read(members, today):
        policy = policies.of(member.org)
        found[member.id] = Leaver(
            member,
            policy,
            row,
            is_busy=busy,
            is_delayed=delayed,
            is_certified=certified is not None or not certification.is_needed(policy, member),
            number_taken=taken,
        )
    return found


def leaver(member: Member) -> Leaver:
    """The same of one."""
    return leavers([member])[member.id]


_Other = aliased(Member)
_BUSY = exists().where(Application.member_id == Member.id, Application.state.in_(OPEN))
_TAKEN = exists().where(_Other.dev_number == Member.dev_number, _Other.id != Member.id, _Other.archived_at.is_(None))


def _read(members: Sequence[Member], today: date) -> Iterator[tuple[Any, ...]]:
    known = {member.id: member for member in members}
    numbers = sorted(known)
    row = and_(RegisterRow.member_id == Member.id, RegisterRow.season == today.year, RegisterRow.closed_at.is_(None))
    query = (
        select(Member.id, RegisterRow, is_delayed(today.year), _BUSY, Certification.member_id, _TAKEN)
        .outerjoin(RegisterRow, row)
        .outerjoin(Certification, Certification.member_id == Member.id)
    )
    for start in range(0, len(numbers), CHUNK):
        for number, *facts in session.execute(query.where(Member.id.in_(numbers[start : start + CHUNK]))):
            yield known[number], *facts


@dataclass(frozen=True)
class Situation:
    """Somebody is to be transferred to an organisation, by somebody, for a reason: what that is judged by.

    Args:
        wanted: what was filled in.
        leaver: what is known of the member.
        initiator: in which role it is started (A-01); None: it is none of the three kinds.
        kind: what the destination is for the member (PD-11).
        into_school: the destination belongs to a school.
        inside_school: both organisations belong to one school (T-22, PD-15).
        town: path of the township the destination belongs to; "" where it belongs to none.
        industry: 行业类别 of the old school or unit.
        admitting_ready: whether the admitting school has built its organisation; None where that is no question.
        whereabouts: the member's places, where the destination is bound to one.
        seat: who acts; None where it starts again.
        again: the refused application that a sustained objection starts again (PD-17).
        moment: now.
    """

    wanted: Submission
    leaver: Leaver
    initiator: Initiator | None
    kind: Destination
    into_school: bool
    inside_school: bool
    town: str
    industry: str | None
    admitting_ready: bool | None
    whereabouts: Whereabouts
    seat: ActiveSeat | None = None
    again: Application | None = None
    moment: datetime = field(default_factory=clock.now)

    @property
    def member(self) -> Member:
        """Whose."""
        return self.leaver.member

    @property
    def policy(self) -> Policy:
        """The origin's (PD-18)."""
        return self.leaver.policy

    @property
    def old(self) -> Organisation:
        """Where the member is."""
        return self.member.org

    @property
    def new(self) -> Organisation:
        """Where to."""
        return self.wanted.destination

    def at(self, tie: PlaceTie) -> Situation:
        """The same, with another tie to the destination's place."""
        return replace(self, wanted=replace(self.wanted, place=tie.value))

    @property
    def track(self) -> Track:
        """Between our organisations, to the special units' pool, or into an external system."""
        if self.new.system is not Region.NATIONAL:
            return Track.EXTERNAL
        return Track.SPECIAL if self.new.purpose is Purpose.SPECIAL_POOL else Track.DOMESTIC

    @property
    def comes_from_outside(self) -> bool:
        """Whether the member comes from 北京, 广东 or 福建."""
        return self.old.system is not Region.NATIONAL

    @property
    def crosses_systems(self) -> bool:
        """Whether one of the two sides lies in 北京, 广东 or 福建 (PD-32)."""
        return self.track is Track.EXTERNAL or self.comes_from_outside

    @property
    def started_by(self) -> tuple[int, int]:
        """Account and organisation of whoever started it."""
        if self.again is not None:
            return self.again.initiator_account_id, self.again.initiator_org_id
        if self.seat is None:
            raise LookupError("nobody who starts it")
        return self.seat.account_id, self.seat.org_id

    @property
    def spec(self) -> ReasonSpec | None:
        """What the policy says of the reason; None for one that it does not offer to this member (PD-10)."""
        return self.leaver.spec(self.wanted.reason)

    @cached_property
    def verdict(self) -> Verdict:
        """What the destination table says (PD-11)."""
        wanted = self.wanted
        return judged(
            self.policy,
            Reason(wanted.reason),
            Prospect(self.kind, self.new, self.town, inside_school=self.inside_school, ready=self.admitting_ready),
            self.whereabouts,
            claimed=wanted.tie,
            known=facts_of(self.policy, wanted.situation, wanted.reason)
            | self.leaver.facts(self.industry)
            | {
                "county_open": county_open(self.policy, clock.local(self.moment).date()),
                "township_unable": wanted.township_unable or None,
                "low_age": (self.track is Track.EXTERNAL and low_age(self.policy, self.member)) or None,
            },
        )

    @property
    def entry(self) -> Entry:
        """What it would be to come in there now (PD-57)."""
        return Entry.into(self.new, self.wanted.reason, of_school=self.into_school, is_delayed=self.leaver.is_delayed)

    @property
    def _released_by(self) -> str:
        return self.policy.release_inside_school if self.inside_school else self.policy.release_by

    @property
    def release_needed(self) -> bool:
        """Whether the old side must consent to a member's own application (PD-15)."""
        return self._released_by != "none"

    @property
    def releaser(self) -> Organisation:
        """Who of the old side consents to it: the member's branch, or by policy the committee above it."""
        return self.old.parent if self._released_by == "committee" and self.old.parent is not None else self.old

    @property
    def under_actor(self) -> bool:
        """Whether both sides stand under the committee that acts (PD-14)."""
        seat = self.seat
        return (
            seat is not None
            and seat.kind in {SeatKind.COLLEGE, SeatKind.SCHOOL}
            and all(org.path.startswith(seat.path) for org in (self.old, self.new))
        )

    @property
    def asks_superior(self) -> bool:
        """Whether the next superior has to decide: of its own graduates nobody completes what the table only warns of.

        Where both branches stand under who acts, nobody else would have looked at it (PD-58). And nobody alone takes
        in who comes from an external system without a file that shows it (PD-61).
        """
        if self.wanted.unproven:
            return True
        graduate = self.leaver.row is not None
        return self.under_actor and self.new.is_branch and graduate and self.verdict.level is Suitability.WARNED

    @property
    def way(self) -> Way:
        """What decides the way of the application through the workflow. Only where somebody may start it."""
        if self.initiator is None:
            raise LookupError("nobody who may start it")
        return Way(
            self.initiator,
            self.new.is_branch,
            release_needed=self.release_needed,
            under_actor=self.under_actor and not self.asks_superior,
            track=self.track,
        )

    @cached_property
    def state(self) -> State | None:
        """The state in which it would begin (PD-14); started again, it waits for the other side (PD-17)."""
        if self.again is not None:
            return State.AWAITING_EXTERNAL if self.track is Track.EXTERNAL else State.AWAITING_ACCEPTANCE
        return next_state(None, Action.SUBMIT, Party(self.initiator.value), self.way) if self.initiator else None

    @property
    def due_at(self) -> datetime | None:
        """When it would be returned unanswered (PD-18); None where no clock runs."""
        if self.state is None or not self.state.is_running:
            return None
        return self.would_be_due

    @property
    def would_be_due(self) -> datetime:
        """When the ten days end that begin now; who comes from an external system counts with the season (X-04)."""
        in_season = self.leaver.row is not None
        if self.comes_from_outside:
            in_season = campaign_open(self.policy, clock.local(self.moment).date())
        return return_due(self.moment, self.policy, in_season=in_season)


def read(wanted: Submission, seat: ActiveSeat) -> Situation:
    """The situation of one start."""
    return read_many([wanted], seat)[0]


def read_many(wanted: Sequence[Submission], seat: ActiveSeat) -> list[Situation]:
    """The situations of many starts in one seat, in their order, in a fixed number of statements."""
    known = leavers([each.member for each in wanted])
    return situations([(each, known[each.member.id], initiator(seat, each)) for each in wanted], seat)


def situations(
    starts: Sequence[tuple[Submission, Leaver, Initiator | None]], seat: ActiveSeat | None = None
) -> list[Situation]:
    """Situations of members who are known, started in a role that is known; what the places are is read for all."""
    destinations = {each.destination.id: each.destination for each, _, _ in starts}
    basics = Basics([*destinations.values(), *{who.member.org_id: who.member.org for _, who, _ in starts}.values()])
    studying = {each.destination.id for each, _, _ in starts if each.reason == Reason.FURTHER_STUDY}
    ready = admitting(basics, [destinations[number] for number in studying])
    kinds = [basics.kind(who.member.org, each.destination) for each, who, _ in starts]
    places = whereabouts.read(
        [_addresses(each, who) if kind.place_bound else {} for (each, who, _), kind in zip(starts, kinds, strict=True)]
    )
    return [
        Situation(
            each,
            who,
            role,
            kind,
            basics.is_school(each.destination),
            basics.same_school(who.member.org, each.destination),
            basics.town(each.destination),
            basics.industry(who.member.org),
            ready.get(each.destination.id) if each.reason == Reason.FURTHER_STUDY else None,
            where,
            seat,
        )
        for (each, who, role), kind, where in zip(starts, kinds, places, strict=True)
    ]


def _addresses(wanted: Submission, who: Leaver) -> dict[PlaceTie, str]:
    spec = who.spec(wanted.reason)
    needs = spec.needs if spec is not None else ()
    return whereabouts.texts(who.member, wanted.reason, needs, wanted.unit_address, wanted.tie)


def initiator(seat: ActiveSeat, wanted: Submission) -> Initiator | None:
    """In which role ``seat`` may start this application (A-01, PD-02); None if in none."""
    member, old, new = wanted.member, wanted.member.org, wanted.destination
    if seat.kind is SeatKind.MEMBER:
        return Initiator.MEMBER if seat.member_id == member.id else None
    if seat.member_id == member.id:
        return None
    if serves(seat, old) and seat.may(Permission.TRANSFER_OUT, old.path):
        return Initiator.OLD_SIDE
    return Initiator.NEW_SIDE if seat.may(Permission.TRANSFER_IN, new.path) and serves(seat, new) else None


def started_again(refused: Application) -> Situation:
    """The situation of a refused application that a sustained objection starts again: all as it was said (PD-17)."""
    wanted = Submission(
        member=refused.member,
        destination=refused.to_org,
        reason=refused.reason,
        place=refused.place,
        unit_name=refused.unit_name,
        unit_address=refused.unit_address,
        contact_mobile=refused.contact_mobile,
        remark=refused.remark,
        external_name=refused.external_name,
        external_name_again=refused.external_name,
        confirmed=True,
        situation=refused.situation,
        follows=refused,
    )
    (found,) = situations([(wanted, leaver(refused.member), refused.initiator)])
    return replace(found, again=refused)
