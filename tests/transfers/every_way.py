"""Random people do random things in random order while the clock jumps; after every step the invariants hold (PD-14).

What a step may answer is success or a sentence (DomainError); after a sentence nothing has changed. The steps are
drawn by Hypothesis, the same ones in every run; a failing sequence is printed in its shortest form.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from tests.conftest import undone
from tests.uploads import SHOT
from tests.world import World, id_number
from zhtj import doctor, sweeps
from zhtj.graduation import operations as graduation
from zhtj.graduation.models import RegisterRow
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose, Region
from zhtj.orgs.operations import NewOrganisation
from zhtj.orgs.outside import special_pool
from zhtj.people.models import Member, Membership, Post, Sex
from zhtj.people.operations import NewMember, start_seat
from zhtj.transfers import operations
from zhtj.transfers.applying.situations import Submission
from zhtj.transfers.deciding import decisions, external, objections
from zhtj.transfers.models import Application, ApplicationEvent, Objection
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import OPEN, RUNNING, TERMINAL, Action, State

EXAMPLES, BRIEFLY, STEPS = 120, 8, 50
AT_LEAST = 42
"""Steps that count, on average of an example."""
FROM_BEIJING = 2
START = "2026-08-25T09:00"

UNIT = {"reason": "employed_with_org", "unit_name": "示例科技有限公司"}
HOME = {"reason": "unplaced", "place": "residence"}
STUDY = {"reason": "further_study", "unit_name": "淮上示范大学"}
ABROAD = {**UNIT, "external_name": "北京示例科技有限公司团支部", "external_name_again": "北京示例科技有限公司团支部"}
SPECIAL = {"reason": "special_unit", "remark": "参军入伍，政审体检已通过", "confirmed": True}
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("team", UNIT),
    ("company", UNIT),
    ("township", HOME),
    ("floating", HOME),
    ("freshmen", STUDY),
    ("class3", {"reason": "internal_upgrade"}),
    ("class3", {"reason": "internal_transfer"}),
    ("beijing", ABROAD),
    ("beijing", {**ABROAD, "external_name_again": "另一个名字"}),
    ("pool", SPECIAL),
    ("pool", {**SPECIAL, "remark": "去部队"}),
    ("team", {"reason": "work", "unit_name": "示例科技有限公司"}),
    ("class1", {"reason": "other", "remark": "返回原支部", "confirmed": True}),
    ("county", UNIT),
)
# Ways that the table allows to a graduate of class1, and to the others.
OF_GRADUATES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("team", UNIT),
    ("company", UNIT),
    ("township", HOME),
    ("floating", HOME),
    ("freshmen", STUDY),
    ("class3", {"reason": "internal_upgrade"}),
    ("beijing", ABROAD),
    ("pool", SPECIAL),
)
OF_OTHERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("team", {"reason": "work", "unit_name": "示例科技有限公司"}),
    ("company", {"reason": "work", "unit_name": "示例科技有限公司"}),
    ("class3", {"reason": "internal_transfer"}),
    ("freshmen", STUDY),
    ("beijing", {**ABROAD, "reason": "work"}),
    ("pool", SPECIAL),
)
# By what a graduate's application ends, and where to he applies for that.
ENDS: dict[str, tuple[str, dict[str, Any]]] = {
    "allocate": ("company", UNIT),
    "take_over": ("township", HOME),
    "withdraw": ("company", UNIT),
    "approve": ("pool", SPECIAL),
    "confirm": ("beijing", ABROAD),
    "fail": ("beijing", ABROAD),
    "sustain": ("company", UNIT),
    "dismiss": ("company", UNIT),
}
SEATS = (
    "class1",
    "class2",
    "class3",
    "college",
    "university",
    "company",
    "team",
    "township",
    "county",
    "province",
    "school2",
    "freshmen",
)
GROUNDS = st.sampled_from(list(Ground))
REMARKS = st.sampled_from(["", "查无此人", "本人已到其他单位工作", "不是我单位的正式职工，不接收"])


@dataclass
class Town:
    """The world with what it lacks for every way: a county's floating branch, another school, a region, the pool."""

    world: World
    steps: Counter[str] = field(default_factory=Counter)
    sentences: set[str] = field(default_factory=set)

    @classmethod
    def build(cls, world: World) -> Town:
        """Add to the world; the numbers of steps taken are counted over all examples."""
        with unit_of_work():
            floating = NewOrganisation(
                "安徽省合肥市蜀山区流动团员团支部", "蜀山区流动团员团支部", Category.BRANCH, purpose=Purpose.FLOATING
            )
            world.orgs["county_floating"] = orgs.create(world.orgs["county"], floating)
            world.add(
                "school2", "city", "共青团淮上示范大学委员会", "淮上示范大学团委", Category.COMMITTEE, "普通高等院校"
            )
            new = NewOrganisation(
                "淮上示范大学2026级新生团支部",
                "2026级新生团支部",
                Category.BRANCH,
                "普通高等院校",
                purpose=Purpose.NEW_STUDENTS,
            )
            world.orgs["freshmen"] = orgs.create(world.orgs["school2"], new)
            region = NewOrganisation(
                "共青团北京市委员会", "团北京市委", Category.LEADING_ORGAN, code="11", system=Region.BEIJING
            )
            world.orgs["beijing"] = orgs.create(world.orgs["centre"], region)
            world.add(
                "class3",
                "college",
                "江淮示范大学计算机学院2024级1班团支部",
                "2024级1班团支部",
                Category.BRANCH,
                "普通高等院校",
            )
            for key in ("school2", "freshmen", "class3"):
                world.appoint(key)
            # A secretary who is himself a graduating member of his class.
            secretary = world.enrol("周班长", "class1")
            start_seat(secretary.account, world.orgs["class1"], Post.DEPUTY)
            world.enrol("吴同学", "class1")
            graduation.open_register()
            world.orgs["pool"] = special_pool()
        return cls(world)


class EveryWay(RuleBasedStateMachine):
    """One sequence of steps, undone at its end."""

    def __init__(self, town: Town) -> None:
        super().__init__()
        self.town, self.world = town, town.world
        clock.stand_still(clock.parse(START))
        self.block = undone()
        self.block.__enter__()
        self.members = session.scalar(select(func.count()).select_from(Member)) or 0
        self.ended: dict[int, State] = {}
        self.incoming = 0
        self.open_now = 0

    def teardown(self) -> None:
        """Whatever happened, the doctor finds nothing; then it never happened."""
        broken = [finding for finding in doctor.examine() if finding.broken]
        self.block.__exit__(None, None, None)
        assert not broken

    # -- what people do

    @rule(data=st.data())
    def submit(self, data: st.DataObject) -> None:
        """Somebody starts an application for somebody, to somewhere."""
        member = data.draw(st.sampled_from(self._members()), "member")
        key, details = data.draw(st.sampled_from(WAYS), "way")
        own = data.draw(st.booleans(), "by himself")
        seat = self.world.own_seat(member) if own else self._seat(data, member)
        self._do("submit", seat, lambda: operations.submit(self._wanted(member, key, details), seat))

    @rule(data=st.data(), old_side=st.booleans())
    def apply(self, data: st.DataObject, *, old_side: bool) -> None:
        """A member, or his branch for him, starts an application that should go through."""
        free = self._free()
        if not free:
            return
        member = data.draw(st.sampled_from(free), "member")
        graduate = graduation.open_row(member.id, clock.now()) is not None
        key, details = data.draw(st.sampled_from(OF_GRADUATES if graduate else OF_OTHERS), "way")
        branch = next((self.world.seat(key) for key in SEATS if self.world.orgs[key].id == member.org_id), None)
        seat = branch if old_side and branch is not None else self.world.own_seat(member)
        self._do("submit", seat, lambda: operations.submit(self._wanted(member, key, details), seat))

    @precondition(lambda self: self.open_now)
    @rule(data=st.data())
    def amend(self, data: st.DataObject) -> None:
        """The applicant corrects what he wrote."""
        application = self._application(data, only_open=True)
        if application is not None:
            seat = self.world.own_seat(application.member)
            changes = {"unit_name": data.draw(st.sampled_from(["新名字公司", "示例科技有限公司"]), "unit")}
            self._do("amend", seat, lambda: operations.amend(application, seat, changes))

    @precondition(lambda self: self.ended or self.open_now)
    @rule(data=st.data(), action=st.sampled_from([*Action]), branch=st.sampled_from(["team", "floating", "freshmen"]))
    def decide(self, data: st.DataObject, action: Action, branch: str) -> None:
        """Somebody does something to an application, allowed or not."""
        application = self._application(data)
        if application is None:
            return
        seat = self._seat(data, application.member)
        target = self.world.orgs["county_floating" if action is Action.TAKE_OVER else branch]
        remark = data.draw(REMARKS, "remark")
        deeds: dict[Action, Callable[[], object]] = {
            Action.RELEASE: lambda: operations.release(application, seat),
            Action.ACCEPT: lambda: operations.accept(application, seat),
            Action.ALLOCATE: lambda: operations.allocate(application, seat, target),
            Action.TAKE_OVER: lambda: operations.take_over(application, seat, target),
            Action.APPROVE: lambda: operations.approve(application, seat),
            Action.CONFIRM: lambda: external.confirm(application, seat, "电话核实，对方已接收", SHOT),
            Action.FAIL: lambda: external.fail(application, seat, "电话核实，对方没有接收", SHOT),
            Action.REFUSE: lambda: operations.refuse(application, seat, data.draw(GROUNDS, "ground"), remark),
            Action.AMEND: lambda: operations.amend(application, seat, {"remark": remark, "unit_name": "新名字公司"}),
            Action.WITHDRAW: lambda: operations.withdraw(application, seat),
            Action.OBJECT: lambda: objections.object_to(application, seat, remark),
        }
        if action in deeds:
            self._do(action.value, seat, deeds[action])

    @precondition(lambda self: self.open_now)
    @rule(data=st.data())
    def proceed(self, data: st.DataObject) -> None:
        """Whoever's turn it is does what is possible, so that ways are gone to their end."""
        application = self._application(data, only_open=True)
        if application is None:
            return
        seat = self._office(application)
        if seat is None:
            return
        state = application.state
        branch = self.world.orgs[{"township": "floating", "company": "team"}.get(self._key(application), "team")]
        county = self.world.seat("county")
        ways: dict[State, list[tuple[str, ActiveSeat, Callable[[], object]]]] = {
            State.AWAITING_RELEASE: [("release", seat, lambda: operations.release(application, seat))],
            State.AWAITING_ACCEPTANCE: [
                ("accept", seat, lambda: operations.accept(application, seat)),
                ("refuse", seat, lambda: operations.refuse(application, seat, Ground.OTHER, "户籍不在本地不接收")),
                (
                    "take_over",
                    county,
                    lambda: operations.take_over(application, county, self.world.orgs["county_floating"]),
                ),
            ],
            State.AWAITING_ALLOCATION: [("allocate", seat, lambda: operations.allocate(application, seat, branch))],
            State.AWAITING_PROVINCE: [
                ("approve", seat, lambda: operations.approve(application, seat)),
                ("refuse", seat, lambda: operations.refuse(application, seat, Ground.NOT_PASSED, "政审没有通过")),
            ],
            State.AWAITING_EXTERNAL: [
                ("confirm", seat, lambda: external.confirm(application, seat, "电话核实，对方已接收", SHOT)),
                ("fail", seat, lambda: external.fail(application, seat, "电话核实，对方没有接收", SHOT)),
            ],
        }
        self._do(*data.draw(st.sampled_from(ways[state]), "way"))

    @rule(data=st.data(), end=st.sampled_from(sorted(ENDS)))
    def whole_way(self, data: st.DataObject, end: str) -> None:
        """A graduate applies, and it comes to one of the ends that chance alone hardly reaches."""
        graduates = [one for one in self._free() if graduation.open_row(one.id, clock.now()) is not None]
        if not graduates:
            return
        member = data.draw(st.sampled_from(graduates), "graduate")
        own = self.world.own_seat(member)
        key, details = ENDS[end]
        if not self._do("submit", own, lambda: operations.submit(self._wanted(member, key, details), own)):
            return
        application = session.scalars(select(Application).order_by(Application.id.desc()).limit(1)).one()
        if end == "take_over":
            clock.stand_still(max(clock.now(), clock.parse("2026-09-01T09:00")))
        if end == "allocate":
            company = self.world.seat("company")
            self._do("accept", company, lambda: operations.accept(application, company))
        seat = self._office(application)
        if end in {"sustain", "dismiss"}:
            self._object(application, sustained=end == "sustain")
        elif seat is not None:
            county, orgs_by = self.world.seat("county"), self.world.orgs
            deeds: dict[str, tuple[ActiveSeat, Callable[[], object]]] = {
                "allocate": (seat, lambda: operations.allocate(application, seat, orgs_by["team"])),
                "take_over": (county, lambda: operations.take_over(application, county, orgs_by["county_floating"])),
                "withdraw": (own, lambda: operations.withdraw(application, own)),
                "approve": (seat, lambda: operations.approve(application, seat)),
                "confirm": (seat, lambda: external.confirm(application, seat, "电话核实，对方已接收", SHOT)),
                "fail": (seat, lambda: external.fail(application, seat, "电话核实，对方没有接收", SHOT)),
            }
            self._do(end, *deeds[end])

    @precondition(lambda self: self.open_now)
    @rule(data=st.data())
    def at_once(self, data: st.DataObject) -> None:
        """Somebody decides everything in sight together; each line answers for itself."""
        seat = self.world.seat(data.draw(st.sampled_from(SEATS), "seat"))
        action = data.draw(st.sampled_from([Action.ACCEPT, Action.RELEASE, Action.APPROVE, Action.WITHDRAW]), "action")
        found = list(session.scalars(select(Application).where(Application.state.in_(OPEN))))
        self._do("many", seat, lambda: decisions.decide(found, seat, action))

    @precondition(lambda self: self.open_now)
    @rule(data=st.data())
    def redirect(self, data: st.DataObject) -> None:
        """The applicant wants another destination."""
        application = self._application(data, only_open=True)
        if application is None:
            return
        seat = self.world.own_seat(application.member)
        key, details = data.draw(st.sampled_from(WAYS), "way")
        wanted = {**details, "follows": application}
        self._do(
            "redirect",
            seat,
            lambda: operations.redirect(application, self._wanted(application.member, key, wanted), seat),
        )

    @precondition(lambda self: State.REFUSED in self.ended.values())
    @rule(data=st.data(), sustained=st.booleans())
    def object_and_answer(self, data: st.DataObject, *, sustained: bool) -> None:
        """A refused applicant objects; some superior answers."""
        refused = list(session.scalars(select(Application).where(Application.state == State.REFUSED)))
        if refused:
            application = data.draw(st.sampled_from(refused), "refused")
            seat = self.world.own_seat(application.member)
            self._do("object", seat, lambda: objections.object_to(application, seat, "去向属实，应当接收"))
        waiting = list(session.scalars(select(Objection)))
        if waiting:
            found = data.draw(st.sampled_from(waiting), "objection")
            office = found.org.office_id
            right = [key for key in SEATS if self.world.orgs[key].id == office]
            above = self.world.seat(data.draw(st.sampled_from((*right, "province")), "seat"))
            self._do(
                "sustain" if sustained else "dismiss",
                above,
                lambda: objections.answer(found, above, sustained=sustained, remark="已经核实情况"),
            )

    @precondition(lambda self: self.incoming < FROM_BEIJING)
    @rule()
    def arrive(self) -> None:
        """Somebody comes from Beijing."""
        self.incoming += 1
        number = id_number(400 + self.incoming)
        person = NewMember("任远", number, f"1360000{self.incoming:04d}", Sex.MALE, date(2019, 5, 1))
        seat = self.world.seat("team")
        wanted = external.Incoming(
            self.world.orgs["beijing"],
            "北京示例大学团支部",
            person,
            self.world.orgs["team"],
            "work",
            "原单位已同意转出",
            upload=SHOT,
        )
        if self._do("incoming", seat, lambda: external.record_incoming(wanted, seat)):
            self.members += 1

    @rule(days=st.sampled_from([0, 1, 3, 11, 40]), hours=st.integers(0, 23))
    def time_passes(self, days: int, hours: int) -> None:
        """Hours, days or weeks."""
        self.town.steps["taken"] += 1
        clock.stand_still(min(clock.now() + timedelta(days=days, hours=hours), clock.parse("2026-12-30T09:00")))

    @rule()
    def sweep(self) -> None:
        """The worker comes by."""
        returned = sweeps.run("return").done
        self.town.steps["taken"] += 1
        self.town.steps["return"] += returned
        assert sweeps.run("return").found == 0

    def _object(self, application: Application, *, sustained: bool) -> None:
        """The company refuses, the applicant objects, the superior answers."""
        company, own = self.world.seat("company"), self.world.own_seat(application.member)
        self._do("refuse", company, lambda: operations.refuse(application, company, Ground.OTHER, "户籍不在本地不接收"))
        if not self._do("object", own, lambda: objections.object_to(application, own, "去向属实，应当接收")):
            return
        found = session.scalars(select(Objection).order_by(Objection.id.desc()).limit(1)).one()
        above = next(self.world.seat(key) for key in SEATS if self.world.orgs[key].id == found.org.office_id)
        self._do(
            "sustain" if sustained else "dismiss",
            above,
            lambda: objections.answer(found, above, sustained=sustained, remark="已经核实情况"),
        )

    def _free(self) -> list[Member]:
        """Members about whom nothing is open."""
        busy = select(Application.member_id).where(Application.state.in_(OPEN))
        return list(session.scalars(select(Member).where(Member.id.not_in(busy)).order_by(Member.id)))

    # -- what always holds

    @invariant()
    def one_open_application_and_one_membership(self) -> None:
        """At most one open application, exactly one open membership a member, and it is where the member is."""
        several = (
            select(Application.member_id)
            .where(Application.state.in_(OPEN))
            .group_by(Application.member_id)
            .having(func.count() > 1)
        )
        assert not session.scalars(several).all()
        here = select(Membership.member_id, Membership.org_id).where(Membership.ended_at.is_(None))
        now = dict(session.execute(here).all())
        assert now == dict(session.execute(select(Member.id, Member.org_id)).all())

    @invariant()
    def members_are_conserved(self) -> None:
        """Nobody vanishes, nobody is doubled; whoever has moved has a chain of intervals without a gap."""
        rows = session.execute(
            select(Membership.member_id, Membership.started_at, Membership.ended_at).order_by(Membership.id)
        )
        last: dict[int, datetime | None] = {}
        for member, started, ended in rows:
            assert last.get(member, started) == started
            last[member] = ended
        assert len(last) == self.members

    @invariant()
    def ends_are_final_and_deadlines_run(self) -> None:
        """A terminal state is never left; a deadline is there exactly while the clock runs, a holder while open."""
        rows = session.execute(
            select(Application.id, Application.state, Application.due_at, Application.holder_id, Application.ended_at)
        ).all()
        self.open_now = sum(row.state in OPEN for row in rows)
        for number, state, due_at, holder, ended in rows:
            assert self.ended.get(number, state) is state
            assert (due_at is not None) == (state in RUNNING)
            assert (holder is not None) == (ended is None) == (state in OPEN)
            if state in TERMINAL:
                self.ended[number] = state

    @invariant()
    def history_is_complete(self) -> None:
        """Events chain from the submission to the present state, one a version; objections add to it after the end."""
        events: dict[int, list[Any]] = {}
        rows = select(
            ApplicationEvent.application_id,
            ApplicationEvent.action,
            ApplicationEvent.from_state,
            ApplicationEvent.to_state,
        )
        for number, *event in session.execute(rows.order_by(ApplicationEvent.id)):
            events.setdefault(number, []).append(event)
        found = session.execute(select(Application.id, Application.state, Application.version)).all()
        assert set(events) == {number for number, _, _ in found}
        for number, state, version in found:
            chain = events[number]
            assert [chain[0][0], chain[0][1]] == [Action.SUBMIT, None]
            assert all(before[2] is after[1] for before, after in itertools.pairwise(chain))
            assert chain[-1][2] is state
            notes = {Action.OBJECT, Action.SUSTAIN, Action.DISMISS}
            assert version == sum(event[0] not in notes for event in chain)

    @invariant()
    def what_was_counted_stays_counted(self) -> None:
        """A graduate counts as completed exactly if one of his season's applications was completed (PD-20)."""
        done = select(Application.register_row_id).where(Application.state == State.COMPLETED)
        counted = set(session.scalars(select(RegisterRow.id).where(RegisterRow.completed_at.is_not(None))))
        assert counted == {number for number in session.scalars(done) if number is not None}

    # -- how

    def _do(self, name: str, seat: ActiveSeat, deed: Callable[[], object]) -> bool:
        before = self._footprint()
        self.town.steps["taken"] += 1
        try:
            with audit.acting(seat), unit_of_work():
                deed()
        except DomainError as error:
            self.town.sentences.add(str(error))
            session.expire_all()
            assert self._footprint() == before
            return False
        session.expire_all()
        self.town.steps[name] += 1
        return True

    def _footprint(self) -> tuple[Any, ...]:
        events = session.execute(select(func.count(ApplicationEvent.id), func.max(ApplicationEvent.id))).one()
        states = session.execute(select(func.count(Application.id), func.sum(Application.version))).one()
        return (events[0], states[0], states[1])

    def _members(self) -> list[Member]:
        return list(session.scalars(select(Member).order_by(Member.id)))

    def _application(self, data: st.DataObject, *, only_open: bool = False) -> Application | None:
        query = select(Application).order_by(Application.id.desc()).limit(12)
        found = list(session.scalars(query.where(Application.state.in_(OPEN)) if only_open else query))
        return data.draw(st.sampled_from(found), "application") if found else None

    def _seat(self, data: st.DataObject, member: Member) -> ActiveSeat:
        key = data.draw(st.sampled_from(("own", *SEATS)), "seat")
        return self.world.own_seat(member) if key == "own" else self.world.seat(key)

    def _office(self, application: Application) -> ActiveSeat | None:
        holder = application.holder
        office = holder.office_id if holder else None
        return next((self.world.seat(key) for key in SEATS if self.world.orgs[key].id == office), None)

    def _key(self, application: Application) -> str:
        return next((key for key, org in self.world.orgs.items() if org.id == application.to_org_id), "")

    def _wanted(self, member: Member, key: str, details: dict[str, Any]) -> Submission:
        return Submission(member=member, destination=self.world.orgs[key], **details)


def go(examples: int) -> None:
    """Go so many ways on the database of the test that asks for it, and say so if anything was left out."""
    clock.stand_still(clock.parse(START))
    town = Town.build(World.build())
    run_state_machine_as_test(
        lambda: EveryWay(town),  # type: ignore[arg-type]  # a factory will do
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert town.steps["taken"] >= AT_LEAST * examples, town.steps
    assert all(town.sentences)
    # At full length every action has succeeded somewhere: the steps do drive the whole workflow.
    assert examples < EXAMPLES or {action.value for action in Action} <= set(town.steps), town.steps
