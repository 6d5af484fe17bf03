"""Figures of any organisation on any day against an oracle that finds them by another way, on random histories.

Graduates go everywhere and come back, are marked and unmarked, archived and restored; their schools and towns move to
other superiors; the clock jumps, past the end of the year too. The steps are drawn by Hypothesis, the same ones in
every run; a failing history is printed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from tests.conftest import undone
from tests.rates import town
from tests.rates.conftest import SEASON, Area
from tests.rates.counting import agreement
from tests.rates.counting.oracle import Oracle
from tests.rates.town import MOVES, WAYS
from tests.uploads import SHOT
from tests.world import World, id_number
from zhtj import sweeps
from zhtj.cases.membership import records
from zhtj.floating import operations as floating
from zhtj.floating.operations import Terms
from zhtj.graduation import destinations, personal
from zhtj.graduation import operations as graduation
from zhtj.graduation.destinations import Given
from zhtj.graduation.models import MarkKind, MemberMark, NoTime, RegisterRow
from zhtj.graduation.personal import OwnMark
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.changing import moving
from zhtj.people.models import Member, Sex
from zhtj.people.operations import NewMember
from zhtj.rates import queries
from zhtj.rates.rules import Figures
from zhtj.transfers import operations
from zhtj.transfers.applying.situations import Submission
from zhtj.transfers.deciding import external, objections
from zhtj.transfers.models import Application, Objection
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import OPEN, State

EXAMPLES, BRIEFLY, STEPS = 20, 3, 40
MAY_MISS = 3
START = "2026-06-20T09:00"
LATEST = "2027-02-10T09:00"
WATCHED = ("centre", "province", "city", "p2", "q", "county", "university", "college", "class1", "company")
# What chance is to reach; the examples in test_rules.py go everywhere deliberately.
REACHED = {
    "submit",
    "accept",
    "release",
    "allocate",
    "approve",
    "confirm",
    "fail",
    "refuse",
    "withdraw",
    "return",
    "take_over",
    "again",
    "delayed",
    "teacher",
    "unmark",
    "remark",
    "mark",
    "enter",
    "enrol",
    "retain",
    "abroad",
    "archive",
    "restore",
    "move",
    "incoming",
    "new_year",
    "undone",
}


@pytest.fixture
def june(clock_at: Callable[[str], None]) -> None:
    """It begins when the graduates leave."""
    clock_at(START)


@pytest.mark.slow("invents whole seasons, and asks the oracle after each")
@pytest.mark.rule("PD-24", "PD-25", "PD-07", "PD-08")
def test_whatever_happens_the_figures_are_the_oracles(june: None, area: Area, *, brief: bool) -> None:
    world = town.build(area)
    steps: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: EveryHistory(world, steps),  # type: ignore[arg-type]  # a factory will do
        settings=settings(
            max_examples=BRIEFLY if brief else EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),  # a shorter history would take too long to find
        ),
    )
    missed = REACHED - set(steps)
    assert brief or len(missed) <= MAY_MISS, missed


class EveryHistory(RuleBasedStateMachine):
    """One history, undone at its end."""

    def __init__(self, world: World, steps: Counter[str]) -> None:
        super().__init__()
        self.world, self.steps = world, steps
        self.serial = world.serial
        clock.stand_still(clock.parse(START))
        self.block = undone()
        self.block.__enter__()
        self.told: dict[date, dict[str, Figures]] = {}
        self.arrived = 0
        self.open: list[Application] = []
        self.refused = self.marked = self.waits_in_township = False

    def teardown(self) -> None:
        """Oracle and figures agree, now and on every day that was looked at; then it never happened."""
        try:
            self._agrees()
        finally:
            self.block.__exit__(None, None, None)
            session().info.clear()
            self.world.serial = self.serial

    # -- what people do

    @rule(data=st.data(), by=st.sampled_from(["member", "old", "new"]))
    def apply(self, data: st.DataObject, by: str) -> None:
        """Somebody, his branch or the new one starts an application."""
        busy = select(Application.member_id).where(Application.state.in_(OPEN))
        free = select(Member).where(Member.id.not_in(busy), Member.archived_at.is_(None)).order_by(Member.id)
        member = data.draw(st.sampled_from(session.scalars(free).all()), "member")
        key, details = data.draw(st.sampled_from(WAYS), "way")
        to = self.world.orgs[key]
        seat = self._seat(member.org_id) if by == "old" else self._seat(to.id) if by == "new" else None
        seat = seat or self.world.own_seat(member)
        before = session.scalars(select(Application).where(Application.member_id == member.id)).all()
        if self._do("submit", seat, lambda: operations.submit(Submission(member, to, **details), seat)) and before:
            self.steps["again"] += 1

    @precondition(lambda self: self.open)
    @rule(data=st.data(), refuses=st.sampled_from([False, False, True]))
    def proceed(self, data: st.DataObject, *, refuses: bool) -> None:
        """Whoever's turn it is decides."""
        self._proceed(data.draw(st.sampled_from(self.open), "application"), refuses=refuses)

    def _proceed(self, application: Application, *, refuses: bool) -> None:
        seat = self._seat(application.holder.office_id) if application.holder else None
        if seat is None:
            return
        ways: dict[State, tuple[str, Callable[[], object]]] = {
            State.AWAITING_RELEASE: ("release", lambda: operations.release(application, seat)),
            State.AWAITING_ACCEPTANCE: ("accept", lambda: operations.accept(application, seat)),
            State.AWAITING_ALLOCATION: ("allocate", lambda: self._allocate(application, seat)),
            State.AWAITING_PROVINCE: ("approve", lambda: operations.approve(application, seat)),
            State.AWAITING_EXTERNAL: (
                "confirm",
                lambda: external.confirm(application, seat, "电话核实，已接收", SHOT),
            ),
        }
        name, deed = ways[application.state]
        if refuses and application.state is State.AWAITING_EXTERNAL:
            name, deed = "fail", lambda: external.fail(application, seat, "电话核实，对方没有接收", SHOT)
        elif refuses and application.state is not State.AWAITING_ALLOCATION:
            ground = Ground.NOT_PASSED if application.state is State.AWAITING_PROVINCE else Ground.OTHER
            name, deed = "refuse", lambda: operations.refuse(application, seat, ground, "户籍不在本地不接收")
        self._do(name, seat, deed)

    def _allocate(self, application: Application, seat: ActiveSeat) -> None:
        below = {"company": "team", "township": "floating"}
        key = next((key for key, org in self.world.orgs.items() if org.id == application.to_org_id), "")
        operations.allocate(application, seat, self.world.orgs[below.get(key, "team")])

    @precondition(lambda self: self.open)
    @rule(data=st.data(), key=st.sampled_from(["", "", "company", "q_team"]))
    def think_again(self, data: st.DataObject, key: str) -> None:
        """A member takes his application back, or wants to go elsewhere."""
        application = data.draw(st.sampled_from(self.open), "application")
        seat = self.world.own_seat(application.member)
        if not key:
            self._do("withdraw", seat, lambda: operations.withdraw(application, seat))
            return
        details: dict[str, Any] = {**town.UNIT, "follows": application}
        wanted = Submission(application.member, self.world.orgs[key], **details)
        self._do("redirect", seat, lambda: operations.redirect(application, wanted, seat))

    @precondition(lambda self: self.waits_in_township)
    @rule(data=st.data())
    def to_the_county(self, data: st.DataObject) -> None:
        """The county takes a township's graduate."""
        waiting = [each for each in self.open if each.to_org_id == self.world.orgs["township"].id]
        if waiting:
            application, seat = data.draw(st.sampled_from(waiting), "application"), self.world.seat("county")
            branch = self.world.orgs["county_floating"]
            self._do("take_over", seat, lambda: operations.take_over(application, seat, branch))

    @rule(data=st.data(), end=st.sampled_from(["allocate", "fail", "take_over", "approve", "confirm", "release"]))
    def whole_way(self, data: st.DataObject, end: str) -> None:
        """A graduate applies, and it comes to one of the ends that chance alone hardly reaches."""
        busy = select(Application.member_id).where(Application.state.in_(OPEN))
        here = self.world.orgs["class1"].id
        query = select(Member).where(Member.org_id == here, Member.id.not_in(busy), Member.archived_at.is_(None))
        free = session.scalars(query.order_by(Member.id)).all()
        if not free:
            return
        member = data.draw(st.sampled_from(free), "member")
        key = {"allocate": "company", "take_over": "township", "approve": "pool", "release": "class3"}.get(
            end, "beijing"
        )
        own, details = self.world.own_seat(member), dict(WAYS)[key]
        wanted = Submission(member, self.world.orgs[key], **details)
        if not self._do("submit", own, lambda: operations.submit(wanted, own)):
            return
        application = session.scalars(select(Application).order_by(Application.id.desc()).limit(1)).one()
        if end == "take_over":
            clock.stand_still(max(clock.now(), clock.parse("2026-09-01T09:00")))
            self.waits_in_township = True
            return
        for _ in range(2 if end == "allocate" else 1):
            self._proceed(application, refuses=end == "fail")

    @precondition(lambda self: self.refused)
    @rule()
    def object_to_refusal(self) -> None:
        """The newest refusal is objected to, with success."""
        query = select(Application).where(Application.state == State.REFUSED).order_by(Application.id.desc())
        refused = session.scalars(query.limit(1)).first()
        if refused is None:
            return
        own = self.world.own_seat(refused.member)
        if self._do("object", own, lambda: objections.object_to(refused, own, "去向属实，应当接收")):
            found = session.scalars(select(Objection).order_by(Objection.id.desc()).limit(1)).one()
            above = self._seat(found.org.office_id)
            if above is not None:
                answer = {"sustained": True, "remark": "已经核实情况"}
                self._do("sustain", above, lambda: objections.answer(found, above, **answer))  # type: ignore[arg-type]

    @precondition(lambda self: self.arrived < 3)
    @rule(to=st.sampled_from(["team", "q_team"]))
    def arrive(self, to: str) -> None:
        """A graduate comes from Beijing."""
        self.arrived += 1
        person = NewMember("任远", id_number(400 + self.arrived), f"1360000{self.arrived:04d}", Sex.MALE, _JOINED)
        seat, world = self.world.seat(to), self.world
        note = "原单位已同意转出"
        wanted = external.Incoming(
            world.orgs["beijing"], "北京示例大学团支部", person, world.orgs[to], "employed_with_org", note, upload=SHOT
        )
        self._do("incoming", seat, lambda: external.record_incoming(wanted, seat))

    # -- what schools do

    @rule(data=st.data(), kind=st.sampled_from(["delayed", "teacher"]), year=st.sampled_from([2026, 2027]))
    def dispose(self, data: st.DataObject, kind: str, year: int) -> None:
        """A graduate is marked as delayed, or as a teacher."""
        members = session.scalars(select(Member).order_by(Member.id)).all()
        member = data.draw(st.sampled_from(members), "member")
        seat = self.world.seat("q_college" if member.org_id == self.world.orgs["q_class"].id else "university")
        month = date(year, 12, 1) if kind == "delayed" else None
        wanted = OwnMark(MarkKind(kind), month, "学分未修满")
        self._do(kind, seat, lambda: personal.mark_members(seat, member.org, [member.id], wanted))

    @precondition(lambda self: self.marked)
    @rule()
    def undo_marks(self) -> None:
        """The newest mark is taken back."""
        newest = select(MemberMark).order_by(MemberMark.marked_at.desc(), MemberMark.member_id)
        mark = session.scalars(newest.limit(1)).first()
        if mark is not None:
            member_id = mark.member_id
            for key in ("university", "school2", "q_college"):
                seat = self.world.seat(key)
                if self._do("unmark", seat, lambda seat=seat: personal.undo(seat, [member_id])):  # type: ignore[misc]
                    return

    @rule(key=st.sampled_from(["class1", "q_class", "class2"]), year=st.sampled_from([2026, 2027, None]))
    def change_mark(self, key: str, year: int | None) -> None:
        """A class graduates in another year after all, or gets its mark late."""
        seat, branch = self.world.seat("university"), self.world.orgs[key]
        month, no_time = (date(year, 6, 1), None) if year else (None, NoTime.MIXED)
        if not self._do("mark", seat, lambda: graduation.mark_branch(branch, month=month, no_time=no_time)):
            change = {"month": month, "no_time": no_time, "reason": "学制变动"}
            self._do("remark", seat, lambda: graduation.change_mark(branch, **change))  # type: ignore[arg-type]

    @rule(data=st.data(), reason=st.sampled_from(["further_study", "unplaced", "employed_with_org"]))
    def register(self, data: st.DataObject, reason: str) -> None:
        """Somebody says where a graduate goes."""
        rows = session.scalars(select(RegisterRow).order_by(RegisterRow.id)).all()
        row = data.draw(st.sampled_from(rows), "row")
        given = Given(reason, unit_name="示例单位", address="示例路1号")
        self._do("enter", self.world.seat("university"), lambda: destinations.enter(row, given))

    @rule(key=st.sampled_from(["class1", "class2"]))
    def enrol(self, key: str) -> None:
        """Somebody is entered late."""
        self._do("enrol", self.world.seat("university"), lambda: self._enrol(key))

    def _enrol(self, key: str) -> None:
        member = self.world.enrol("后来", key)
        graduation.open_register(members=[member.id])

    @rule(data=st.data(), key=st.sampled_from(["kept", "abroad"]))
    def stay(self, data: st.DataObject, key: str) -> None:
        """A graduate is kept at the school, or studies abroad."""
        busy = select(Application.member_id).where(Application.state.in_(OPEN))
        here = self.world.orgs["class1"].id, self.world.orgs["kept"].id
        query = select(Member).where(Member.org_id.in_(here), Member.id.not_in(busy), Member.archived_at.is_(None))
        found = session.scalars(query.order_by(Member.id)).all()
        if found:
            member, branch = data.draw(st.sampled_from(found), "member"), self.world.orgs[key]
            terms = Terms(town.RETAINED_UNTIL, None, self.world.orgs["college"])
            seat, name = self.world.seat("university"), "retain" if key == "kept" else "abroad"
            self._do(name, seat, lambda: floating.keep(member, branch, terms, "case:1"))

    @rule(data=st.data())
    def archive_or_restore(self, data: st.DataObject) -> None:
        """Somebody leaves the League, or comes back."""
        busy = select(Application.member_id).where(Application.state.in_(OPEN))
        query = select(Member).where(Member.id.not_in(busy)).order_by(Member.id)
        member, seat = data.draw(st.sampled_from(session.scalars(query).all()), "member"), self.world.seat("university")
        if member.archived_at is None:
            self._do("archive", seat, lambda: records.archive(member, "died", "case:1"))
        else:
            self._do("restore", seat, lambda: records.restore(member, "case:2"))

    @rule(which=st.sampled_from(MOVES))
    def move(self, which: tuple[str, tuple[str, str]]) -> None:
        """An organisation gets another superior, or its old one again."""
        key, between = which
        organisation = self.world.orgs[key]
        to = next(self.world.orgs[each] for each in between if self.world.orgs[each].id != organisation.parent_id)
        self._do("move", self.world.seat("province"), lambda: moving.move(organisation, to, "case:1"))

    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        """Half of a deed is done, and taken back by a savepoint; the rest of the unit stays."""
        rows = session.scalars(select(RegisterRow).where(RegisterRow.closed_at.is_(None)).order_by(RegisterRow.id))
        row = data.draw(st.sampled_from([None, *rows.all()]), "row")
        if row is None:
            return

        def half() -> None:
            with session.begin_nested() as savepoint:
                records.archive(row.member, "died", "case:9")
                savepoint.rollback()

        self._do("undone", self.world.seat("university"), half)

    # -- time

    @rule(days=st.sampled_from([1, 1, 3, 11, 45, 100]), hours=st.integers(0, 23))
    def time_passes(self, days: int, hours: int) -> None:
        """Days or weeks; before the day is over its figures are written down."""
        self._sweep()
        today, now = clock.today(), clock.now()
        if today.year == SEASON:
            self.told[today] = self._figures(None)
        clock.stand_still(max(now, min(now + timedelta(days=days, hours=hours), clock.parse(LATEST))))
        if clock.today().year != today.year:
            self.steps["new_year"] += 1
        self._sweep()

    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        """Somebody asks for figures in between."""
        key = data.draw(st.sampled_from(WATCHED), "organisation")
        oracle = Oracle()
        found = self.world.orgs[key]
        assert queries.figures(found.path, SEASON) == oracle.figures(found.id, SEASON)

    # -- what always holds

    def _agrees(self) -> None:
        self._sweep()
        session.expire_all()
        first = self.told and min(self.told)
        days: list[date | None] = [None, *sorted(self.told)[-2:]]
        if first:
            days.append(first + timedelta(days=1) if first < clock.today() - timedelta(days=1) else first)
        oracle = agreement.everywhere(SEASON, days)
        watched = [self.world.orgs[key] for key in WATCHED]
        some = watched[len(self.told) % 3 :: 3]
        agreement.people(oracle, some, SEASON, days[:2])
        agreement.children(oracle, watched, SEASON, days[:2])
        for day, figures in self.told.items():
            assert self._figures(day) == figures, day
        agreement.healthy()
        if len(self.told) % 4 == 1:
            agreement.curves(oracle, some, SEASON)

    def _figures(self, day: date | None) -> dict[str, Figures]:
        return {key: queries.figures(self.world.orgs[key].path, SEASON, day) for key in WATCHED}

    # -- how

    def _sweep(self) -> None:
        self.steps["return"] += sweeps.run("return").done
        self._look_around()

    def _do(self, name: str, seat: ActiveSeat, deed: Callable[[], object]) -> bool:
        clock.stand_still(clock.now() + timedelta(seconds=61))
        try:
            with audit.acting(seat), unit_of_work():
                deed()
        except DomainError:
            self._look_around()
            return False
        self._look_around()
        self.steps[name] += 1
        return True

    def _look_around(self) -> None:
        session.expire_all()
        query = select(Application).where(Application.state.in_(OPEN)).order_by(Application.id)
        self.open = list(session.scalars(query))
        self.waits_in_township = any(each.to_org_id == self.world.orgs["township"].id for each in self.open)
        self.refused = (
            session.scalar(select(Application.id).where(Application.state == State.REFUSED).limit(1)) is not None
        )
        self.marked = session.scalar(select(MemberMark.member_id).limit(1)) is not None

    def _seat(self, org_id: int | None) -> ActiveSeat | None:
        keys = (key for key in self.world.accounts if self.world.orgs[key].id == org_id)
        return next((self.world.seat(key) for key in keys), None)


_JOINED = date(2019, 5, 1)
