"""Acts the season out: every step by the real operations, in the right seat, in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from io import BytesIO

from PIL import Image
from sqlalchemy import select

from zhtj import sweeps
from zhtj.demo.plots import HOME, LETTER, Goal, Plot, StartingSeat, Turn
from zhtj.demo.stage import FLOATING, HOME_TOWNSHIP, Stage, find, own_seat
from zhtj.kernel import audit, clock
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat
from zhtj.letters import operations as letters
from zhtj.letters.operations import Details
from zhtj.letters.record import FileDisposition
from zhtj.orgs.models import Organisation, Region
from zhtj.people.models import Member
from zhtj.people.operations import NewMember
from zhtj.policy.vocabulary import Reason
from zhtj.transfers import operations as transfers
from zhtj.transfers.applying import drafts
from zhtj.transfers.applying.situations import Submission
from zhtj.transfers.deciding import external, objections
from zhtj.transfers.kinds import basic_of
from zhtj.transfers.models import Application, Objection
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import Action
from zhtj.web.member.applying.answers import DraftAnswers

SAID_EVERY = 1000
SWEEPS = tuple(clock.parse(f"2026-10-{day}T00:05") for day in (12, 13, 14))
_DETAILS = Details(dues_until=date(2026, 6, 1), file_disposition=FileDisposition.WITH_PERSONAL_FILE)


@dataclass(frozen=True, slots=True)
class PlayedMember:
    """What the play needs to know of a member before it begins."""

    id: int
    account_id: int
    home: dict[str, str]

    @property
    def is_local(self) -> dict[str, bool]:
        """By place: whether it is the township whose administrator is on the login page."""
        return {place: address == HOME_TOWNSHIP for place, address in self.home.items()}


def _picture() -> Upload:
    """What somebody photographed of the other system's page."""
    target = BytesIO()
    Image.new("RGB", (360, 200), "#eef2f7").save(target, "PNG", optimize=True)
    return Upload("对方系统截图.png", target.getvalue())


@dataclass(slots=True)
class Play:
    """The season's steps; first planned, then acted out."""

    stage: Stage
    steps: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    applications: dict[int, int] = field(default_factory=dict)
    homes: dict[str, int | None] = field(default_factory=dict)

    def plan(self, person: PlayedMember, plot: Plot, *, follows: bool = False) -> None:
        """Write down every step of one member's plot, unless it leads to a place that was not loaded."""
        if plot.goal is None or (plot.goal.to == HOME and self._home(person, plot.goal) is None):
            return
        if plot.draft:
            self.at(plot.at, partial(self._draft, person, plot.goal))
            return
        self.at(plot.at, partial(self._submit, person, plot, follows=follows))
        for turn in plot.turns:
            self.at(turn.at, partial(self._take, person, turn))
        if plot.then is not None:
            self.plan(person, plot.then, follows=True)

    def act(self, said: Callable[[int, int], None]) -> None:
        """Take all steps, in the order of time, up to what the returns of the last nights left.

        Args:
            said: told now and then how many steps are done, and of how many.
        """
        for moment in SWEEPS:
            self.at(moment, _return)
        for done, (moment, _, step) in enumerate(sorted(self.steps, key=lambda step: step[:2]), start=1):
            with clock.at(moment):
                step()
            if done % SAID_EVERY == 0:
                said(done, len(self.steps))

    def at(self, moment: datetime, step: Callable[[], None]) -> None:
        """Write down one step."""
        self.steps.append((moment, len(self.steps), step))

    def _home(self, person: PlayedMember, goal: Goal) -> int | None:
        """The floating branch of the township on the member's record."""
        address = person.home[goal.place or ""]
        if address not in self.homes:
            branch = find(address + FLOATING)
            self.homes[address] = branch.id if branch else None
        return self.homes[address]

    def _destination(self, person: PlayedMember, goal: Goal) -> Organisation:
        if goal.to == HOME:
            return session.get_one(Organisation, self._home(person, goal))
        return self.stage.place(goal.to)

    def _draft(self, person: PlayedMember, goal: Goal) -> None:
        member = session.get_one(Member, person.id)
        drafts.save(member, DraftAnswers(reason=goal.reason.value, unit_name=goal.unit or "").kept())

    def expect(self, person: NewMember, moment: datetime) -> None:
        """Write down that somebody from Guangdong is recorded at the employer's team."""
        self.at(moment, partial(self._record_incoming, person))

    def _record_incoming(self, person: NewMember) -> None:
        team, region = self.stage.place("team"), self.stage.place(Region.GUANGDONG)
        wanted = external.Incoming(
            region=region,
            origin_name="深圳示例电子有限公司团支部",
            person=person,
            destination=team,
            reason=Reason.WORK.value,
            note="本人出示对方系统页面，原团支部已同意转出。",
            upload=_picture(),
        )
        seat = self.stage.seat_of(team)
        with audit.acting(seat):
            external.record_incoming(wanted, seat)

    def _submit(self, person: PlayedMember, plot: Plot, *, follows: bool) -> None:
        goal = plot.goal
        if goal is None:
            return
        member = session.get_one(Member, person.id)
        # A step before may have moved him.
        session.refresh(member, ["org"])
        destination = self._destination(person, goal)
        seat = self._starter(plot.side, member, destination)
        wanted = Submission(
            member=member,
            destination=destination,
            reason=goal.reason.value,
            place=goal.place.value if goal.place else None,
            unit_name=goal.unit,
            unit_address=goal.address,
            remark=plot.remark or None,
            external_name=goal.there,
            external_name_again=goal.there,
            confirmed=bool(plot.remark),
            follows=session.get_one(Application, self.applications[person.id]) if follows else None,
        )
        with audit.acting(seat):
            self.applications[person.id] = transfers.submit(wanted, seat).id

    def _starter(self, side: StartingSeat, member: Member, destination: Organisation) -> ActiveSeat:
        if side is StartingSeat.MEMBER:
            return own_seat(member)
        if side is StartingSeat.COLLEGE and member.org.parent is not None:
            return self.stage.seat_of(member.org.parent)
        return self.stage.seat_of(destination if side is StartingSeat.NEW else member.org)

    def _take(self, person: PlayedMember, turn: Turn) -> None:
        application = session.get_one(Application, self.applications[person.id])
        seat = self._decider(application, turn)
        deeds: dict[str, Callable[[], object]] = {
            LETTER: lambda: letters.issue(application, seat, _DETAILS),
            Action.ALLOCATE: lambda: transfers.allocate(application, seat, self.stage.place(turn.branch)),
            Action.TAKE_OVER: lambda: transfers.take_over(application, seat, self.stage.place(turn.branch)),
            Action.REFUSE: lambda: transfers.refuse(application, seat, turn.ground or Ground.OTHER, turn.remark),
            Action.AMEND: lambda: transfers.amend(application, seat, {"remark": turn.remark}),
            Action.OBJECT: lambda: objections.object_to(application, seat, turn.remark),
            Action.SUSTAIN: lambda: self._sustain(person, application, seat, turn.remark),
            Action.CONFIRM: lambda: external.confirm(application, seat, turn.remark, _picture()),
            Action.FAIL: lambda: external.fail(application, seat, turn.remark, _picture()),
            Action.ACCEPT: lambda: transfers.accept(application, seat, remark=turn.remark),
            Action.RELEASE: lambda: transfers.release(application, seat, remark=turn.remark),
            Action.APPROVE: lambda: transfers.approve(application, seat, remark=turn.remark),
            Action.WITHDRAW: lambda: transfers.withdraw(application, seat, remark=turn.remark),
        }
        with audit.acting(seat):
            deeds[turn.does]()

    def _sustain(self, person: PlayedMember, application: Application, seat: ActiveSeat, remark: str) -> None:
        again = objections.answer(_objection(application), seat, sustained=True, remark=remark)
        if again is not None:
            self.applications[person.id] = again.id

    def _decider(self, application: Application, turn: Turn) -> ActiveSeat:
        if turn.does == LETTER:
            return self.stage.seat_of(basic_of(application.from_org) or application.from_org)
        if turn.does is Action.SUSTAIN:
            return self.stage.seat_of(_objection(application).org)
        if turn.does is Action.TAKE_OVER:
            return self.stage.seat_of(self.stage.place("county"))
        if turn.does in {Action.WITHDRAW, Action.AMEND, Action.OBJECT}:
            if application.initiator_org_id == application.from_org_id and application.initiator.value == "member":
                return own_seat(application.member)
            return self.stage.seat_of(session.get_one(Organisation, application.initiator_org_id))
        return self.stage.seat_of(application.holder or application.to_org)


def _objection(application: Application) -> Objection:
    found = objections.of_application(application.id)
    if found is None:
        raise LookupError(f"no objection to application {application.id}")
    return found


def _return() -> None:
    sweeps.run("return", clock.now())
    session.expire_all()


def people_at(path: str, *, graduates: bool) -> list[PlayedMember]:
    """The graduates (or everybody else) at or below ``path``, in the order in which they were entered."""
    columns = (Member.id, Member.account_id, Member.residence, Member.household, Member.origin)
    query = select(*columns).join(Organisation, Organisation.id == Member.org_id)
    query = query.where(Organisation.path.startswith(path), Member.is_graduate == graduates).order_by(Member.id)
    return [
        PlayedMember(
            row.id, row.account_id, {"residence": row.residence, "household": row.household, "origin": row.origin}
        )
        for row in session.execute(query)
    ]


def cast(
    people: Iterable[PlayedMember], plots: Iterable[Plot]
) -> tuple[list[tuple[PlayedMember, Plot]], list[PlayedMember]]:
    """Give each plot the first person who fits; returns them, and who is left."""
    left = list(people)
    roles = []
    for plot in plots:
        place = plot.goal.place if plot.goal and plot.goal.to == HOME else None
        found = next(one for one in left if place is None or one.is_local[place])
        left.remove(found)
        roles.append((found, plot))
    return roles, left
