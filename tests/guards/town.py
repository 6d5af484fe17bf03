"""Two provinces with everything a route may be asked about, and where it stands seen from each kind of seat."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from tests.remembering import remembered
from tests.transfers.steps import UNPLACED, start
from tests.world import World
from zhtj.cases import operations as cases
from zhtj.cases.kinds import kind_of
from zhtj.cases.models import Hearing
from zhtj.editions.models import DryRunTask
from zhtj.editions.operations import KEPT_FOR
from zhtj.exports import operations as exports
from zhtj.exports.models import FileFormat
from zhtj.exports.operations import ExportOrder
from zhtj.exports.registry import LISTS as EXPORTED
from zhtj.graduation import operations as graduation
from zhtj.imports import batches
from zhtj.imports.files.layouts import DESTINATIONS, FLOATING, LIAISONS, ORGANISATIONS, ROSTER
from zhtj.imports.files.tables import ImportTable
from zhtj.imports.models import ImportKind
from zhtj.kernel import audit, clock
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.permissions import ActiveSeat, Relation
from zhtj.letters import operations as letters
from zhtj.letters.many import letter_batches as batches_of_letters
from zhtj.letters.operations import Details
from zhtj.letters.record import FileDisposition
from zhtj.notices.models import Message, MessageKind, Subscription
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.people import operations as people
from zhtj.people.finding.members import MemberFilters
from zhtj.people.models import Account, Member
from zhtj.transfers.many import runs
from zhtj.transfers.many.models import RunKind

MOVED = {
    "reason": "relocation",
    "place": "residence",
    "unit_address": "安徽省合肥市蜀山区井岗镇",
    "remark": "搬到镇上居住",
}
PAPERS = Details(dues_until=date(2026, 9, 1), file_disposition=FileDisposition.WITH_PERSONAL_FILE)
COLLEGE = "普通高等院校"
OBJECTS = (
    "organisation",
    "member",
    "application",
    "case",
    "hearing",
    "letter",
    "message",
    "subscription",
    "members_batch",
    "organisations_batch",
    "destinations_batch",
    "floating_batch",
    "liaisons_batch",
    "run",
    "letter_batch",
    "export",
    "letter_batch",
)
NOWHERE = 2**31 - 1


@dataclass(frozen=True)
class Place:
    """What stands somewhere: ids by kind of object."""

    where: str
    relation: Relation
    objects: dict[str, int]


@dataclass
class Town:
    """The world of the tests beside a second school, a second college and another province.

    Args:
        actors: an account of each kind of seat, and one without any.
    """

    world: World
    actors: dict[str, Account] = field(default_factory=dict)
    seats: dict[str, ActiveSeat] = field(default_factory=dict)
    objects: dict[str, dict[str, int]] = field(default_factory=dict)

    @staticmethod
    @remembered
    def build() -> Town:
        """Create it all."""
        town = Town(World.build())
        with unit_of_work():
            town._organisations()
        for key, member in town._members().items():
            town._business(key, member)
        for key in ("college", "university", "province", "city", "centre"):
            town.objects[key] = {"organisation": town.world.orgs[key].id}
        for key, inside in {"college2": "class3", "school2": "class4", "province2": "class5"}.items():
            town.objects[key] = {**town.objects[inside], "organisation": town.world.orgs[key].id}
        town._actors()
        town._messages()
        session.commit()
        return town

    def _organisations(self) -> None:
        world, branch, committee, leading = self.world, Category.BRANCH, Category.COMMITTEE, Category.LEADING_ORGAN
        general = Category.GENERAL_BRANCH
        world.add("college2", "university", "共青团江淮示范大学外国语学院总支部委员会", "外院团总支", general, COLLEGE)
        world.add(
            "class3", "college2", "江淮示范大学外国语学院2022级英语专业1班团支部", "英语1班团支部", branch, COLLEGE
        )
        world.add("school2", "city", "共青团第二示范大学委员会", "第二示范大学团委", committee, COLLEGE)
        world.add("class4", "school2", "第二示范大学2022级法学专业1班团支部", "法学1班团支部", branch, COLLEGE)
        world.add("province2", "centre", "共青团江苏省委员会", "团江苏省委", leading, code="32")
        world.add("city2", "province2", "共青团江苏省南京市委员会", "团南京市委", leading, code="3201")
        world.add("county2", "city2", "共青团江苏省南京市玄武区委员会", "团玄武区委", leading, code="320102")
        world.add("school3", "city2", "共青团第三示范大学委员会", "第三示范大学团委", committee, COLLEGE)
        world.add("class5", "school3", "第三示范大学2022级数学专业1班团支部", "数学1班团支部", branch, COLLEGE)
        town = NewOrganisation(
            "共青团江苏省南京市玄武区示范镇委员会", "团示范镇委", committee, "农村", township_flag=True
        )
        world.orgs["township2"] = orgs.create(world.orgs["county2"], town)
        floating = NewOrganisation(
            "江苏省南京市玄武区示范镇流动团员团支部", "示范镇流动团员团支部", branch, "农村", purpose=Purpose.FLOATING
        )
        world.orgs["floating2"] = orgs.create(world.orgs["township2"], floating)
        for key in ("college2", "class3", "school2", "class4", "province2", "school3", "class5", "township2"):
            world.appoint(key)
        for key in ("university", "school2", "school3", "township", "township2"):
            org = session.merge(world.orgs[key])
            org.phone, org.address, org.postcode = "0551-65500000", "示范路1号", "230031"

    def _members(self) -> dict[str, Member]:
        world = self.world
        with unit_of_work():
            found = {key: world.enrol(f"员{key}", key) for key in ("class3", "class4", "class5")}
            graduation.open_register()
        return {"class1": world.graduate, "class2": world.sophomore, **found}

    def _business(self, key: str, member: Member) -> None:
        """An application that leaves the branch ``key`` without touching any other place of ours, and its letter."""
        world = self.world
        school = {"class4": "school2", "class5": "school3"}.get(key, "university")
        there = world.orgs["floating2" if key == "class5" else "floating"]
        moved = {**MOVED, "unit_address": "江苏省南京市玄武区示范镇"} if key == "class5" else MOVED
        application = start(world.own_seat(member), member, there, **(UNPLACED if key == "class1" else moved))
        seat = world.seat(school)
        with audit.acting(seat), unit_of_work():
            session.refresh(application)
            letter = letters.issue(application, seat, PAPERS)
        self.objects[key] = {
            "organisation": world.orgs[key].id,
            "member": member.id,
            "application": application.id,
            "letter": letter.id,
            "case": self._case(world.seat(key), member),
        }
        self.objects[key]["hearing"] = self._hearing(self.objects[key]["case"], member)

    @staticmethod
    def _hearing(case_id: int, member: Member) -> int:
        """Somebody claims this member's number."""
        with unit_of_work():
            hearing = Hearing(case_id=case_id, member_id=member.id, asked_at=clock.now())
            session.add(hearing)
            session.flush()
            return hearing.id

    @staticmethod
    def _case(seat: ActiveSeat, member: Member) -> int:
        """A statement about this member, with a picture."""
        with audit.acting(seat), unit_of_work():
            typed = {"purpose": "other", "text": "本人情况属实，特此说明。"}
            return cases.raise_case(kind_of("statement"), seat, f"#{member.id}", typed).id

    def _actors(self) -> None:
        world = self.world
        keys = {"branch": "class1", "college": "college", "school": "university", "provincial": "province"}
        self.actors = {role: world.accounts[key] for role, key in keys.items()}
        self.seats = {role: world.seat(key) for role, key in keys.items()}
        self.actors["member"] = world.graduate.account
        self.seats["member"] = world.own_seat(world.graduate)
        with unit_of_work():
            self.actors["nobody"] = people.create_account("无任职", mobile="13900009999")
            self.actors["nobody"].activated_at = world.graduate.account.activated_at
            for key in keys.values():
                self._uploads(key, world.seat(key))
            self._uploads("stranger", world.seat("school2"))

    def _uploads(self, key: str, seat: ActiveSeat) -> None:
        """A file that this seat is about to import, one of each kind; and a list it is about to start."""
        layouts = {
            ImportKind.MEMBERS: ROSTER,
            ImportKind.ORGANISATIONS: ORGANISATIONS,
            ImportKind.DESTINATIONS: DESTINATIONS,
            ImportKind.FLOATING: FLOATING,
            ImportKind.LIAISONS: LIAISONS,
        }
        for kind, layout in layouts.items():
            table = ImportTable(rows=[], header_row=1, columns=[column.name for column in layout.columns])
            number = batches.keep(kind, table, seat, "file.xlsx").id
            self.objects.setdefault(key, {})[f"{kind}_batch"] = number
        run = runs.keep(RunKind.TRANSFER_OUT, seat, [{"member": 0}], key="town", title="file.xlsx")
        self.objects[key]["run"] = run.id
        batch = batches_of_letters.keep(seat, [], key="town", title="0 份申请", details={}, site="http://localhost/")
        self.objects[key]["letter_batch"] = batch
        order = ExportOrder(EXPORTED["members"], seat, MemberFilters(), FileFormat.XLSX)
        self.objects[key]["export"] = exports.ask(order, 0).id
        # Whoever may not try a layer has tried one all the same.
        self.objects[key]["dry_run"] = self._dry_run(seat)

    @staticmethod
    def _dry_run(seat: ActiveSeat) -> int:
        moment = clock.now()
        task = DryRunTask(
            layer="2020-national", season=2026, account_id=seat.account_id, org_id=seat.org_id,
            created_at=moment, touched_at=moment, expires_at=moment + KEPT_FOR,
        )  # fmt: skip
        session.add(task)
        session.flush()
        return task.id

    def _messages(self) -> None:
        """In each place a message of its organisation's and an address of its digest; for members one of their own."""
        world = self.world
        author = world.accounts["class1"].id
        with unit_of_work():
            for key, found in self.objects.items():
                if key not in world.orgs:
                    continue
                number = world.orgs[key].id
                message = Message(org_id=number, kind=MessageKind.NOTE, title="通知", body="全文", at=clock.now())
                address = Subscription(
                    org_id=number, address="a@example.com", account_id=author, created_at=clock.now(), code_hash="x"
                )
                session.add_all([message, address])
                session.flush()
                found |= {"message": message.id, "subscription": address.id}
            for key, member in {"class1": world.graduate, "class2": world.sophomore}.items():
                own = Message(member_id=member.id, kind=MessageKind.NOTE, title="通知", body="全文", at=clock.now())
                session.add(own)
                session.flush()
                self.objects[key]["own_message"] = own.id
        for key, member in {"class1": world.graduate, "class2": world.sophomore}.items():
            seat = world.own_seat(member)
            with audit.acting(seat), unit_of_work():
                typed = {"name": "丁乙", "why": "录入时写错一个字"}
                proof = Upload("证明.png", b"\x89PNG\r\n\x1a\n" + b"IEND")
                own_case = cases.raise_case(kind_of("correction"), seat, "", typed, [proof])
                self.objects[key]["own_case"] = own_case.id

    def places(self, role: str) -> list[Place]:
        """What stands where, seen from this kind of seat: its own, below, above, beside it, elsewhere, nowhere."""
        known = {
            "member": {"own": "class1", "beside": "class2"},
            "branch": {"own": "class1", "above": "college", "beside": "class2", "elsewhere": "class5"},
            "college": {"own": "college", "below": "class1", "above": "university", "beside": "college2"},
            "school": {"own": "university", "below": "class1", "above": "city", "beside": "school2"},
            "provincial": {"own": "province", "below": "class1", "above": "centre", "beside": "province2"},
        }[role]
        relations = {"own": Relation.OWN, "below": Relation.BELOW}
        found = [
            Place(where, relations.get(where, Relation.FOREIGN), self.objects[key]) for where, key in known.items()
        ]
        if role == "member":
            for place in found:
                place.objects["message"] = place.objects["own_message"]
                place.objects["case"] = place.objects["own_case"]
        return [
            *found,
            Place("a stranger's", Relation.FOREIGN, self.objects["stranger"]),
            Place("nowhere", Relation.FOREIGN, dict.fromkeys(OBJECTS, NOWHERE)),
        ]
