"""Drives random worlds and compares the product with the model after every step.

A step is attempted only where the model has an answer; the product must then say yes or no as the model does, and
afterwards every application stands in the model's state until the model's day, every member in the model's branch and
category, whoever must have heard of it has, and every organisation has the model's figures. A disagreement names the
seed and all the steps that led to it.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from tests.conftest import undone
from tests.model import model
from tests.model.model import Node, Person
from tests.world import RESIDENCE, World
from zhtj import sweeps
from zhtj.floating.models import Stay
from zhtj.graduation import destinations, personal
from zhtj.graduation import operations as graduation
from zhtj.graduation.models import RegisterRow
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.notices.models import Message
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.orgs.outside import special_pool
from zhtj.people.models import Member
from zhtj.rates import queries
from zhtj.transfers import operations
from zhtj.transfers.applying.situations import Submission
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 5, 11, 9)
LAST = datetime(2026, 12, 30, 9)
STEPS = 40
COLLEGE = "普通高等院校"
# key: parent, kind in the model, category, name, purpose
TREE: tuple[tuple[str, str, str, Category, str, Purpose | None], ...] = (
    ("kept", "university", "kept", Category.BRANCH, "江淮示范大学流动团员团支部", Purpose.FLOATING),
    ("class3", "college", "class", Category.BRANCH, "江淮示范大学计算机学院2024级1班团支部", None),
    ("school2", "city", "school", Category.COMMITTEE, "共青团淮上示范大学委员会", None),
    ("freshmen", "school2", "new_students", Category.BRANCH, "淮上示范大学2026级新生团支部", Purpose.NEW_STUDENTS),
    ("school3", "city", "school", Category.COMMITTEE, "共青团江北示范学院委员会", None),
    ("county_floating", "county", "county_floating", Category.BRANCH, "蜀山区流动团员团支部", Purpose.FLOATING),
)
KINDS = {
    "centre": ("", "centre"),
    "province": ("centre", "province"),
    "city": ("province", "city"),
    "county": ("city", "county"),
    "township": ("county", "township"),
    "floating": ("township", "township_floating"),
    "university": ("city", "school"),
    "college": ("university", "college"),
    "class1": ("college", "class"),
    "class2": ("college", "class"),
    "company": ("county", "unit"),
    "team": ("company", "unit_branch"),
    **{key: (parent, kind) for key, parent, kind, *_ in TREE},
    "pool": ("centre", "pool"),
}
UNMANNED = {"centre", "city", "floating", "freshmen", "school3", "county_floating", "kept", "pool"}
GOALS = (
    *("team", "company", "township", "township", "floating", "freshmen", "school2", "school3"),
    *("class1", "class2", "class3", "kept", "pool", "county_floating"),
)
REASONS = {
    "further_study": {"unit_name": "淮上示范大学"},
    "internal_upgrade": {},
    "employed_with_org": {"unit_name": "示例科技有限公司"},
    "employed_without_org": {"unit_name": "示例小店", "unit_address": "安徽省合肥市蜀山区井岗镇示例路1号"},
    "special_unit": {"remark": "参军入伍，政审体检已通过"},
    "unplaced": {},
    "overseas_private": {},
    "work": {"unit_name": "示例科技有限公司"},
    "internal_transfer": {},
}
PLACES = ("unit_location", "residence", "household", "origin")
REGISTERED = {
    "further_study": ("study", {"unit_name": "淮上示范大学"}),
    "unplaced": ("society", {}),
    "employed_with_org": ("society", {"unit_name": "示例科技有限公司"}),
}


class DisagreementError(AssertionError):
    """The product and the model answer differently."""


def build() -> World:
    """The small world with what it lacks; made in May, before anybody is a graduate."""
    stand(START)
    world = World.build()
    with unit_of_work():
        for key, parent, _, category, name, purpose in TREE:
            industry = COLLEGE if "大学" in name or "学院" in name else "农村"
            short = name.removeprefix("共青团").replace("委员会", "团委")
            new = NewOrganisation(name, short, category, industry, purpose=purpose)
            world.orgs[key] = orgs.create(world.orgs[parent], new)
        for key in ("class3", "school2"):
            world.appoint(key)
        for name, key in (("符一", "class1"), ("蒯二", "class1"), ("逯三", "class1"), ("乜四", "class2")):
            world.enrol(name, key)
        for member in session.scalars(select(Member)):  # whatever place is named, it is the township
            member.household = member.origin = RESIDENCE
        graduation.open_register()
        world.orgs["pool"] = special_pool()
    return world


def stand(moment: datetime) -> None:
    """Both clocks stand at ``moment``."""
    clock.stand_still(moment.replace(tzinfo=ZONE))


class Run:
    """One random sequence on the world of ``build``; everything is undone by the caller."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random, self.now = world, random.Random(seed), START
        self.nodes: dict[str, Node] = {}
        for key, (parent, kind) in KINDS.items():
            self.nodes[key] = Node(key, self.nodes.get(parent), kind, key not in UNMANNED)
        self.nodes["class1"].graduates_on = model.CONVERSION
        model.NEIGHBOURS.clear()
        for node in self.nodes.values():
            if node.parent is not None:
                model.NEIGHBOURS.setdefault(node.parent.key, []).append(node)
        ids = {world.orgs[key].id: key for key in KINDS}
        self.key_of = ids
        self.people: dict[int, Person] = {}
        for member in session.scalars(select(Member).order_by(Member.id)):
            home = self.nodes[ids[member.org_id]]
            self.people[member.id] = Person(member.name, home, home if home.key == "class1" else None)
        self.applications: list[tuple[model.Application, int]] = []
        self.steps: list[str] = []
        # Number of the newest message looked at, how each application stood then, who has just acted.
        self.heard, self.stood, self.actor = 0, dict[int, str](), "?"
        self.taken: Counter[str] = Counter()
        stand(START)

    def go(self) -> None:
        """Take the steps; raises ``DisagreementError``."""
        deeds = [self.start] * 6 + [self.step] * 8 + [self.time] * 3 + [self.sweep, self.withdraw, self.register]
        for number in range(STEPS):
            self.random.choice([*deeds, self.delay] if number > STEPS // 3 else deeds)()
            self.compare(figures=number % 8 == 7)
        self.compare(figures=True)

    # -- steps

    def start(self) -> None:
        """Somebody starts an application for somebody."""
        number, person = self.random.choice(list(self.people.items()))
        to = self.nodes[self.random.choice(GOALS)]
        reason, place = self.random.choice(list(REASONS)), self.random.choice(PLACES)
        if self.random.random() < 0.5:
            reason, place = self._fitting(person, to)
        seat = None if self.random.random() < 0.6 else self._seat()
        if self.random.random() < 0.15:  # Inside the school, by the college or the school.
            to, seat = self.nodes["class3"], self.nodes[self.random.choice(["college", "university"])]
            reason = self.random.choice([self._fitting(person, to)[0], "employed_with_org"])
        answer = model.may_start(person, seat, to, reason, place, self.now)
        if answer is None:
            return
        member = session.get_one(Member, number)
        details: dict[str, Any] = {**REASONS[reason], "place": place, "confirmed": True}
        details.setdefault("remark", "情况属实")
        wanted = Submission(member=member, destination=self.world.orgs[to.key], reason=reason, **details)
        made: list[int] = []
        deed = self._active(seat, member)
        said = f"start {person.key} by {seat.key if seat else 'himself'} -> {to.key} {reason} {place}"
        if self._do("start", said, deed, lambda: made.append(operations.submit(wanted, deed).id), answer=answer):
            one = model.begin(person, seat, to, reason, place, self.now)
            self.applications.append((one, made[0]))

    def _fitting(self, person: Person, to: Node) -> tuple[str, str]:
        graduate = person.origin is not None and not person.delayed
        fits = {
            "unit": "employed_with_org" if graduate else "work",
            "new_students": "further_study",
            "school": "further_study",
            "own_school": "internal_upgrade" if graduate else "internal_transfer",
            "pool": "special_unit",
            "township": self.random.choice(["unplaced", "employed_without_org"]),
            "township_floating": "unplaced",
        }
        reason = fits.get(model.relative(person.branch, to), "further_study")
        return reason, "unit_location" if reason == "employed_without_org" else "residence"

    def step(self) -> None:
        """Somebody decides something."""
        if not self.applications:
            return
        under_way = [each for each in self.applications if each[0].state in model.OPEN]
        one, number = self.random.choice(under_way or self.applications)
        seat, action = self._seat(), self.random.choice(["accept", "release", "allocate", "refuse", "approve"])
        branch = self.nodes[self.random.choice(["team", "floating", "freshmen", "class1", "class3", "kept"])]
        if self.random.random() < 0.6:  # Somebody whose turn it is.
            sure = sorted(model.offices(one)[0])
            ways = {"awaiting_release": "release", "awaiting_allocation": "allocate", "awaiting_province": "approve"}
            seat = self.nodes[self.random.choice(sure)] if sure else seat
            action = ways.get(one.state, "accept") if self.random.random() < 0.8 else "refuse"
            branch = self.nodes[{"company": "team", "township": "floating"}.get(one.to.key, "freshmen")]
        elif self.random.random() < 0.3:
            action, branch = "take_over", self.nodes["county_floating"]
            seat = self.nodes["county"] if self.random.random() < 0.7 else seat
        answer = model.may_decide(one, seat, action, self.now, branch)
        if answer is None or not seat.manned:
            return
        application = session.get_one(Application, number)
        deed, target = self.world.seat(seat.key), self.world.orgs[branch.key]
        ways_of: dict[str, Callable[[], object]] = {
            "release": lambda: operations.release(application, deed),
            "accept": lambda: operations.accept(application, deed),
            "allocate": lambda: operations.allocate(application, deed, target),
            "take_over": lambda: operations.take_over(application, deed, target),
            "approve": lambda: operations.approve(application, deed),
            "refuse": lambda: operations.refuse(application, deed, self._ground(one), "查无此人，已核实"),
        }
        said = f"{action} {one.person.key} -> {one.to.key} ({one.state}) by {seat.key} into {branch.key}"
        if self._do(action, said, deed, ways_of[action], answer=answer):
            model.decide(one, seat, action, branch)

    @staticmethod
    def _ground(one: model.Application) -> Ground:
        return Ground.NOT_PASSED if one.state == "awaiting_province" else Ground.OTHER

    def withdraw(self) -> None:
        """Somebody takes an application back."""
        if not self.applications:
            return
        one, number = self.random.choice(self.applications)
        seat = None if self.random.random() < 0.5 else one.seat or self._seat()
        if seat is not None and not seat.manned:
            return
        answer = model.may_withdraw(one, seat, self.now)
        application = session.get_one(Application, number)
        deed = self._active(seat, application.member)
        said = f"withdraw {one.person.key} -> {one.to.key} ({one.state}) by {seat.key if seat else 'himself'}"
        if self._do("withdraw", said, deed, lambda: operations.withdraw(application, deed), answer=answer):
            one.state, one.due = "withdrawn", None

    def register(self) -> None:
        """A college registers where a graduate goes (PD-09)."""
        number, person = self.random.choice(list(self.people.items()))
        if person.origin is None or person.delayed or person.done is not None:
            return
        reason = self.random.choice(list(REGISTERED))
        category, details = REGISTERED[reason]
        row = session.scalars(select(RegisterRow).where(RegisterRow.member_id == number)).one()
        given = destinations.Given(reason=reason, **details)
        seat = self.world.seat("college")
        if self._do(
            "register", f"register {person.key} {reason}", seat, lambda: destinations.enter(row, given), answer=True
        ):
            person.registered = category

    def delay(self) -> None:
        """A graduate's graduation is delayed (G-17); what is under way goes on (G-19)."""
        number, person = self.random.choice(list(self.people.items()))
        if person.origin is None or person.delayed or person.done is not None or person.branch.key != "class1":
            return
        member, seat = session.get_one(Member, number), self.world.seat("college")
        wanted = lambda: personal.delay(member, date(2027, 6, 1), "学分未修满", seat.seat_id)  # noqa: E731
        if self._do("delay", f"delay {person.key}", seat, wanted, answer=True):
            person.delayed = True

    def time(self) -> None:
        """Hours, days or weeks pass; on 1 June classes are converted at once (G-09)."""
        before = self.now
        days = self.random.choice([0, 1, 3, 11, 30, 60])
        self.now = min(self.now + timedelta(days=days, hours=self.random.randrange(24)), LAST)
        stand(self.now)
        self.steps.append(f"{self.now}")
        if before < model.CONVERSION <= self.now:
            sweeps.run("convert")

    def sweep(self) -> None:
        """The worker comes by (D-09)."""
        wanted = model.sweep(list(self.people.values()), self.now)
        done, self.actor = sweeps.run("return").done, "?"
        session.expire_all()
        self.steps.append(f"sweep {done}")
        if done != wanted:
            raise DisagreementError(self._told(f"returned {done}, the model {wanted}"))

    # -- how

    def _seat(self) -> Node:
        return self.random.choice([node for node in self.nodes.values() if node.manned])

    def _active(self, seat: Node | None, member: Member) -> ActiveSeat:
        return self.world.own_seat(member) if seat is None else self.world.seat(seat.key)

    def _do(
        self,
        name: str,
        said: str,
        seat: ActiveSeat,
        deed: Callable[[], object],
        *,
        answer: bool,
    ) -> bool:
        sentence = ""
        self.actor = "" if seat.kind is SeatKind.MEMBER else self.key_of[seat.org_id]
        try:
            with audit.acting(seat), unit_of_work():
                deed()
        except DomainError as error:
            sentence = str(error)
        session.expire_all()
        self.steps.append(f"{said}: {sentence or 'done'}")
        self.taken[f"{name} {'yes' if answer else 'no'}"] += 1
        if bool(sentence) == answer:
            raise DisagreementError(self._told(f"the model says {'yes' if answer else 'no'}"))
        return answer

    def compare(self, *, figures: bool) -> None:
        """States, terms, places, categories, who was told, and figures are the model's."""
        columns = Application.id, Application.state, Application.due_at
        stands = {number: (state.value, due) for number, state, due in session.execute(select(*columns))}
        for one, number in self.applications:
            due = one.due.replace(tzinfo=ZONE) if one.due else None
            if stands[number] != (one.state, due):
                raise DisagreementError(
                    self._told(f"{one.person.key} -> {one.to.key}: {stands[number]}, not {one.state} until {due}")
                )
        self._compare_people()
        self._compare_messages()
        for number, org in session.execute(select(Member.id, Member.org_id)):
            if self.key_of[org] != self.people[number].branch.key:
                raise DisagreementError(self._told(f"{self.people[number].key} is in {self.key_of[org]}"))
        for node in self.nodes.values() if figures else ():
            wanted = model.figures(list(self.people.values()), node)
            found = queries.figures(self.world.orgs[node.key].path, model.SEASON)
            different = {
                name: (getattr(found, name), value) for name, value in wanted.items() if getattr(found, name) != value
            }
            if different:
                raise DisagreementError(self._told(f"{node.key}: product and model {different}"))

    def _compare_people(self) -> None:
        """What each graduate counts as, and until when a county keeps whom it has (PD-09, D-16, T-29)."""
        rows = dict(session.execute(select(RegisterRow.member_id, RegisterRow.category)).all())
        columns = Stay.member_id, Stay.org_id, Stay.since, Stay.clear_by
        stays = {each[0]: each for each in session.execute(select(*columns).where(Stay.ended_at.is_(None)))}
        for number, person in self.people.items():
            if person.origin is not None and not person.delayed:
                found = {None: None, "further_study": "study"}.get(rows[number], "society")
                if found != person.registered:
                    raise DisagreementError(self._told(f"{person.key} is {found}, not {person.registered}"))
            stay = stays.get(number)
            where = self.key_of[stay.org_id] if stay else None
            if where != (person.branch.key if person.branch.kind in model.FLOATING else None):
                raise DisagreementError(self._told(f"{person.key} stays at {where}"))
            if stay is not None and stay.clear_by != model.clear_by(person.branch, stay.since):
                raise DisagreementError(self._told(f"{person.key} stays until {stay.clear_by}"))

    def _compare_messages(self) -> None:
        """Everybody has heard who must have (PD-15, PD-18, PD-20)."""
        query = select(Message).where(Message.id > self.heard, Message.subject_type == "application")
        heard: dict[int, set[str]] = {}
        for message in session.scalars(query.order_by(Message.id)):
            who = self.key_of.get(message.org_id, "?") if message.org_id is not None else ""
            heard.setdefault(message.subject_id or 0, set()).add(who)
            self.heard = message.id
        for one, number in self.applications:
            before, self.stood[number] = self.stood.get(number), one.state
            if before == one.state:
                continue
            for key in model.told(one, before) - {self.actor}:
                offices = {key, self.nodes[key].office.key} if key else {""}
                if not offices & heard.get(number, set()) and self.actor not in offices:
                    heard_it = heard.get(number)
                    raise DisagreementError(self._told(f"{one.person.key} {one.state}: {key} not told, {heard_it}"))

    def _told(self, what: str) -> str:
        return "\n".join([*self.steps, what])


PATIENCE = 100


def drive(seconds: float, seed: int = 0, most: int = 10**6, wanted: Collection[str] = ()) -> Counter[str]:
    """Random worlds from ``seed`` on for so long; what was tried, by the model's answer.

    Args:
        wanted: what must be tried however slow the machine is, in at most a hundred worlds.
    """
    world, taken, ends = build(), Counter[str](), time.monotonic() + seconds
    while most > 0 and (time.monotonic() < ends or (taken["worlds"] < PATIENCE and not taken.keys() >= set(wanted))):
        with undone():
            run = Run(world, seed)
            try:
                run.go()
            except DisagreementError as error:
                raise DisagreementError(f"seed {seed}\n{error}") from None
            taken += run.taken
            taken["worlds"] += 1
        seed, most = seed + 1, most - 1
    return taken
