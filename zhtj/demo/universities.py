"""Universities that nobody knows, for demonstrations of size: twenty colleges of ten classes, about 6,000 members."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from zhtj.demo import stage
from zhtj.demo.invention import Inventor
from zhtj.identity import certification
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Organisation, Tier
from zhtj.orgs.operations import NewOrganisation
from zhtj.people import bulk
from zhtj.people.bulk import Enrolment
from zhtj.policy.seasons import policy_for

NAMES = (
    *("淮上", "新安", "皖江", "涡河", "滁水", "敬亭", "天柱", "琅琊", "齐云", "采石"),
    *("相山", "花亭", "太极", "龙眠", "白荡", "升金", "女山", "南漪", "青弋", "秋浦"),
)
SUBJECTS = (
    *(
        "数学与统计",
        "物理",
        "化学化工",
        "生命科学",
        "材料科学",
        "机械工程",
        "电气工程",
        "土木工程",
        "环境工程",
        "信息工程",
    ),
    *("法", "文", "历史文化", "新闻传播", "教育", "艺术", "体育", "马克思主义", "公共管理", "旅游"),
)
# Year of entry of the ten classes of a college; the first four graduate in 2026.
CLASSES = (2022, 2022, 2022, 2022, 2023, 2023, 2024, 2024, 2025, 2025)
STUDENTS = range(27, 34)
INDUSTRY = "普通高等院校"
TELEPHONE = 6_100_000


@dataclass(frozen=True, slots=True)
class University:
    """A generated university: ids of the organisations worth an account, and its path."""

    id: int
    first_college_id: int
    first_class_id: int
    path: str


def appoint_counties(inventor: Inventor) -> None:
    """An administrator for every county of the province that has none, for there will be many who go home."""
    province = session.scalars(select(Organisation).where(Organisation.code == "34")).one()
    counties = select(Organisation).where(
        Organisation.tier == Tier.COUNTY,
        Organisation.path.startswith(province.path),
        Organisation.office_id != Organisation.id,
    )
    for county in session.scalars(counties.order_by(Organisation.path)).all():
        stage.appoint(inventor, county, inventor.name())


def townships() -> list[str]:
    """Full names of all places in the province in which a graduate can be at home."""
    province = session.scalars(select(Organisation).where(Organisation.code == "34")).one()
    names = select(Organisation.full_name).where(
        Organisation.path.startswith(province.path), Organisation.township_flag.is_(True)
    )
    return [
        name.removeprefix("共青团").removesuffix("委员会")
        for name in session.scalars(names.order_by(Organisation.path))
    ]


def found(number: int, inventor: Inventor, places: list[str]) -> University:
    """Build the ``number``-th university (0 … 19) in one of the province's cities, with its colleges and classes."""
    cities = session.scalars(
        select(Organisation)
        .where(Organisation.tier == Tier.CITY, Organisation.code.startswith("34"))
        .order_by(Organisation.code)
    ).all()
    name = f"{NAMES[number]}示范大学"
    phone = f"0551-{TELEPHONE + number}"
    with audit.acting(None):
        university = orgs.create(
            cities[number % len(cities)],
            NewOrganisation(f"共青团{name}委员会", f"{name}团委", Category.COMMITTEE, INDUSTRY, phone=phone),
        )
        stage.appoint(inventor, university, inventor.name())
        first_college = first_class = university
        for position, subject in enumerate(SUBJECTS):
            college, classes = _college(university, name, subject, inventor)
            if position == 0:
                first_college, first_class = college, classes[0]
            _enrol(classes, subject, 100_000 * (number + 1) + 1000 * position, inventor, places)
    return University(university.id, first_college.id, first_class.id, university.path)


def _college(
    university: Organisation, name: str, subject: str, inventor: Inventor
) -> tuple[Organisation, list[Organisation]]:
    college = orgs.create(
        university,
        NewOrganisation(
            f"共青团{name}{subject}学院委员会",
            f"{subject}学院团委",
            Category.COMMITTEE,
            INDUSTRY,
            phone=university.phone,
        ),
    )
    stage.appoint(inventor, college, inventor.name())
    classes = []
    for number, year in enumerate(CLASSES, start=1):
        short = f"{subject}学院{year}级{number}班团支部"
        classes.append(orgs.create(college, NewOrganisation(name + short, short, Category.BRANCH, INDUSTRY)))
    return college, classes


def _enrol(classes: list[Organisation], subject: str, first: int, inventor: Inventor, places: list[str]) -> None:
    enrolments: list[Enrolment] = []
    for branch, year in zip(classes, CLASSES, strict=True):
        for _ in range(inventor.chance.choice(STUDENTS)):
            student_no = f"{year}{first + len(enrolments):08d}"
            new = inventor.student(entered=year, major=f"{subject}类", student_no=student_no, places=places)
            enrolments.append(Enrolment(branch.id, branch.code, new))
    entered = bulk.add_members(enrolments)
    joined = (enrolment.new.joined_on for enrolment in enrolments)
    certification.vouch(policy_for(clock.today().year, ()), zip(entered, joined, strict=True))
