"""Where the play takes place: schools, employers, townships, a 青年之家, and who looks after them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy import select

from zhtj import config
from zhtj.demo import accounts, calendar, undecided
from zhtj.demo.invention import Inventor
from zhtj.imports.files import finding, layouts, workbooks
from zhtj.imports.files.tables import ImportTable, Layout
from zhtj.imports.members import rosters
from zhtj.imports.orgs import organisations
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Organisation, Purpose, Region
from zhtj.orgs.operations import NewOrganisation
from zhtj.orgs.outside import special_pool
from zhtj.orgs.queries import by_code_or_name
from zhtj.people import operations as people
from zhtj.people.models import Account, Member, Post, Seat
from zhtj.people.operations import NewMember

SAMPLES = config.ROOT / "tests" / "imports" / "data"
HOME_TOWNSHIP = "安徽省合肥市蜀山区井岗镇"
FLOATING = "流动团员团支部"
COLLEGE, COMPANY, SOCIETY = "普通高等院校", "非公企业", "社会组织"

# Leading organs and townships that have an administrator; every other one is served by its superior (PD-22).
# Those outside the province are missing where only a part of the tree was loaded.
_ADMINISTERED = (
    ("province", "34", "王思远", ""),
    ("city", "3401", "陈立", "0551-6000600"),
    ("county", "340104", "李静", "0551-6000500"),
    ("township", f"共青团{HOME_TOWNSHIP}委员会", "赵晴", "0551-6000400"),
    ("", "341204", "方圆", "0558-6000700"),
    ("", "共青团安徽省芜湖市镜湖区方村街道委员会", "江一帆", "0553-6000800"),
    ("", "共青团河南省郑州市金水区龙子湖街道委员会", "许知远", "0371-6000900"),
    ("", "共青团江苏省南京市鼓楼区江东街道委员会", "顾书宁", "025-6001000"),
)
# Key, key of the superior, the organisation, name of its secretary or "".
_BUILT: tuple[tuple[str, str, NewOrganisation, str], ...] = (
    (
        "admitting",
        "city",
        NewOrganisation(
            "共青团皖中示范大学委员会", "皖中示范大学团委", Category.COMMITTEE, COLLEGE, phone="0551-6000100"
        ),
        "孙博",
    ),
    (
        "freshmen",
        "admitting",
        NewOrganisation(
            "皖中示范大学2026级研究生新生团支部",
            "皖中示范大学2026级研究生新生团支部",
            Category.BRANCH,
            COLLEGE,
            purpose=Purpose.NEW_STUDENTS,
        ),
        "",
    ),
    (
        "juniors",
        "admitting",
        NewOrganisation(
            "皖中示范大学2023级历史学专业1班团支部", "皖中示范大学2023级历史学1班团支部", Category.BRANCH, COLLEGE
        ),
        "",
    ),
    (
        "employer",
        "county",
        NewOrganisation(
            "共青团合肥示例科技有限公司委员会", "示例科技团委", Category.COMMITTEE, COMPANY, phone="0551-6000200"
        ),
        "周楠",
    ),
    (
        "team",
        "employer",
        NewOrganisation(
            "合肥示例科技有限公司研发中心团支部",
            "示例科技研发中心团支部",
            Category.BRANCH,
            COMPANY,
            phone="0551-6000201",
        ),
        "吴桐",
    ),
    (
        "market",
        "employer",
        NewOrganisation("合肥示例科技有限公司市场部团支部", "示例科技市场部团支部", Category.BRANCH, COMPANY),
        "",
    ),
    (
        "home",
        "county",
        NewOrganisation(
            "共青团蜀山区井岗青年之家总支部委员会",
            "井岗青年之家团总支",
            Category.GENERAL_BRANCH,
            SOCIETY,
            purpose=Purpose.YOUTH_HOME,
            phone="0551-6000300",
        ),
        "郑重",
    ),
    (
        "home_branch",
        "home",
        NewOrganisation("蜀山区井岗青年之家团支部", "井岗青年之家团支部", Category.BRANCH, SOCIETY),
        "",
    ),
    (
        "county_floating",
        "county",
        NewOrganisation(
            f"安徽省合肥市蜀山区{FLOATING}", f"蜀山区{FLOATING}", Category.BRANCH, purpose=Purpose.FLOATING
        ),
        "",
    ),
    (
        "own_freshmen",
        "college",
        NewOrganisation(
            "江淮示范大学计算机学院2026级研究生新生团支部",
            "计算机学院2026级研究生新生团支部",
            Category.BRANCH,
            COLLEGE,
            purpose=Purpose.NEW_STUDENTS,
        ),
        "",
    ),
    *(
        (
            purpose.value,
            "university",
            NewOrganisation(f"江淮示范大学{name}", f"江淮示范大学{name}", Category.BRANCH, COLLEGE, purpose=purpose),
            "",
        )
        for purpose, name in (
            (Purpose.FLOATING, FLOATING),
            (Purpose.OVERSEAS, "出国（境）学习研究团员团支部"),
            (Purpose.DELAYED, "延迟毕业团员团支部"),
        )
    ),
)
_KNOWN = {
    "university": "共青团江淮示范大学委员会",
    "college": "共青团江淮示范大学计算机学院总支部委员会",
    "class": "江淮示范大学计算机学院2022级软件工程专业1班团支部",
    "home_floating": HOME_TOWNSHIP + FLOATING,
    # Nobody administers this one: what waits for it appears in the county (PD-22).
    "far_township": "共青团安徽省合肥市蜀山区小庙镇委员会",
}
_JUNIORS, _RESIDENTS = 18, 6


POOL = "pool"


@dataclass(slots=True)
class Stage:
    """The organisations of the play by key (ids), the seats of their administrators, and who comes from elsewhere."""

    newcomer: NewMember
    orgs: dict[str, int] = field(default_factory=dict)
    seats: dict[int, ActiveSeat] = field(default_factory=dict)

    def place(self, key: str) -> Organisation:
        """The organisation with this key, in the present unit of work; the pool and the regions are the tree's own."""
        if key == POOL:
            return special_pool()
        if key in set(Region):
            return session.scalars(select(Organisation).where(Organisation.system == Region(key))).one()
        return session.get_one(Organisation, self.orgs[key])

    def seat_of(self, organisation: Organisation) -> ActiveSeat:
        """The seat that acts for an organisation: the first of its office (PD-22)."""
        if organisation.office_id is None:
            raise LookupError(f"nobody acts for {organisation.full_name}")
        if organisation.office_id not in self.seats:
            self.seats[organisation.office_id] = _first_seat(organisation.office_id)
        return self.seats[organisation.office_id]


def _first_seat(org_id: int) -> ActiveSeat:
    query = select(Seat).where(Seat.org_id == org_id, Seat.ended_at.is_(None)).order_by(Seat.id).limit(1)
    seat = session.scalars(query).one()
    member_id = session.scalar(select(Member.id).where(Member.account_id == seat.account_id))
    return ActiveSeat(seat.org.workbench, seat.account_id, seat.id, seat.org_id, seat.org.path, member_id)


def own_seat(member: Member) -> ActiveSeat:
    """The member's own page as a seat."""
    return ActiveSeat(SeatKind.MEMBER, member.account_id, None, member.org_id, member.org.path, member.id)


def find(name: str) -> Organisation | None:
    """An organisation by code or full name."""
    return by_code_or_name(name)


def build(inventor: Inventor) -> Stage:
    """Appoint the first administrators, import the university with its roster, build what stands around it."""
    stage = Stage(replace(inventor.student(entered=2020, major="", student_no="", places=(HOME_TOWNSHIP,)), major=None))
    with clock.at(calendar.TREE):
        for key, name, secretary, phone in _ADMINISTERED:
            organisation = find(name)
            if organisation is None:
                continue
            if phone:
                orgs.amend(organisation, phone=phone)
            appoint(inventor, organisation, secretary)
            stage.orgs[key] = organisation.id
    with clock.at(calendar.ORGANISATIONS):
        _import_organisations(stage)
        _build_around(stage, inventor)
    with clock.at(calendar.ROSTER):
        _import_members(stage)
        _enrol_juniors(stage, inventor)
        _enrol_residents(stage, inventor)
        _enrol_doubtful(stage, inventor)
    return stage


def appoint(inventor: Inventor, organisation: Organisation, name: str) -> Account:
    """A secretary who can sign in at once."""
    account = people.create_account(name, mobile=inventor.mobile())
    people.start_seat(account, organisation, Post.SECRETARY)
    accounts.activate([account.id])
    return account


def _table(name: str, layout: Layout) -> ImportTable:
    return finding.find(workbooks.read((SAMPLES / name).read_bytes(), name), layout)


def _import_organisations(stage: Stage) -> None:
    city = stage.place("city")
    with audit.acting(stage.seat_of(city)):
        organisations.apply(organisations.preview(_table("orgs-sample.xlsx", layouts.ORGANISATIONS), city))
    for key, name in _KNOWN.items():
        organisation = find(name)
        if organisation is None:
            raise LookupError(name)
        stage.orgs[key] = organisation.id
    university = stage.place("university")
    orgs.amend(university, address="安徽省合肥市蜀山区示范路1号", postcode="230000")
    below = select(Seat.account_id).join(Organisation, Organisation.id == Seat.org_id)
    accounts.activate(session.scalars(below.where(Organisation.path.startswith(university.path))).all())


def _build_around(stage: Stage, inventor: Inventor) -> None:
    for key, superior, new, secretary in _BUILT:
        parent = stage.place(superior)
        with audit.acting(stage.seat_of(parent)):
            created = orgs.create(parent, new)
        stage.orgs[key] = created.id
        if secretary:
            appoint(inventor, created, secretary)


def _import_members(stage: Stage) -> None:
    university = stage.place("university")
    with audit.acting(stage.seat_of(university)):
        plan = rosters.preview(_table("roster-sample.xlsx", layouts.ROSTER), university)
        rosters.apply(plan, partial=True)


def _enrol_juniors(stage: Stage, inventor: Inventor) -> None:
    """A class that does not graduate yet; one of its members is its secretary too, and can switch seats (C-03)."""
    branch = stage.place("juniors")
    members = []
    for number in range(1, _JUNIORS + 1):
        new = inventor.student(entered=2023, major="历史学", student_no=f"2023{number:06d}", places=(HOME_TOWNSHIP,))
        members.append(people.add_member(branch, new))
    people.start_seat(members[0].account, branch, Post.SECRETARY)
    accounts.activate([member.account_id for member in members])


def _enrol_residents(stage: Stage, inventor: Inventor) -> None:
    """Members who live in the township since last year; they are in no season."""
    branch = stage.place("home_floating")
    for _ in range(_RESIDENTS):
        new = inventor.student(entered=2021, major="", student_no="", places=(HOME_TOWNSHIP,))
        people.add_member(branch, replace(new, student_no=None, major=None))


def _enrol_doubtful(stage: Stage, inventor: Inventor) -> None:
    """Somebody too old, somebody who does not pay, and somebody entered twice."""
    juniors = stage.place("juniors")
    class_ = select(Member).where(Member.org_id == juniors.id).order_by(Member.id.desc())
    known = session.scalars(class_.limit(1)).one()
    undecided.enrol(juniors, stage.place("home_floating"), known, inventor, HOME_TOWNSHIP)
