"""A small world for tests, built by the same operations as the real one.

中央 > 安徽省 > 合肥市 > 江淮示范大学 > 计算机学院 > 软工1班, 软工2班
                       > 蜀山区 > 井岗镇 > 井岗镇流动团员团支部
                                > 示例科技公司 > 研发团支部
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from tests.remembering import remembered
from zhtj.graduation import operations as graduation
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Organisation, Purpose, Tier, segment
from zhtj.orgs.operations import NewOrganisation
from zhtj.people import operations as people
from zhtj.people.models import Account, Member, Post, Sex
from zhtj.people.operations import NewMember

RESIDENCE = "安徽省合肥市蜀山区井岗镇示例路1号"  # where everybody lives, in the township of the world
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(serial: int, *, born: date = date(2004, 3, 14), sex: Sex = Sex.MALE) -> str:
    """An invented ID number with a right checksum; ``serial`` 0 … 499."""
    order = serial * 2 + (1 if sex is Sex.MALE else 0)
    body = f"340104{born:%Y%m%d}{order:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


@dataclass
class World:
    """The tree and its people by name; ``seat(...)`` gives the seat somebody acts in."""

    orgs: dict[str, Organisation] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    serial: int = 0

    @staticmethod
    @remembered
    def build() -> World:
        """Create everything, in one unit of work; see tests/remembering.py."""
        world = World()
        with unit_of_work():
            world._organisations()
            world._administrators()
            world._members()
        return world

    def _organisations(self) -> None:
        centre = Organisation(
            code="0",
            path=segment(1),
            full_name="共青团中央委员会",
            short_name="团中央",
            category=Category.LEADING_ORGAN,
            tier=Tier.CENTRE,
            created_at=clock.now(),
        )
        session.add(centre)
        session.flush()
        self.orgs["centre"] = centre
        leading, committee, branch = Category.LEADING_ORGAN, Category.COMMITTEE, Category.BRANCH
        self.add("province", "centre", "共青团安徽省委员会", "团安徽省委", leading, code="34")
        self.add("city", "province", "共青团安徽省合肥市委员会", "团合肥市委", leading, code="3401")
        self.add("county", "city", "共青团安徽省合肥市蜀山区委员会", "团蜀山区委", leading, code="340104")
        township = NewOrganisation(
            "共青团安徽省合肥市蜀山区井岗镇委员会",
            "团井岗镇委",
            committee,
            "农村",
            code="340104001",
            township_flag=True,
        )
        self.orgs["township"] = orgs.create(self.orgs["county"], township)
        floating = NewOrganisation(
            "安徽省合肥市蜀山区井岗镇流动团员团支部", "井岗镇流动团员团支部", branch, "农村", purpose=Purpose.FLOATING
        )
        self.orgs["floating"] = orgs.create(self.orgs["township"], floating)
        college = "普通高等院校"
        self.add("university", "city", "共青团江淮示范大学委员会", "江淮示范大学团委", committee, college)
        self.add(
            "college",
            "university",
            "共青团江淮示范大学计算机学院总支部委员会",
            "计算机学院团总支",
            Category.GENERAL_BRANCH,
            college,
        )
        self.add(
            "class1", "college", "江淮示范大学计算机学院2022级软件工程专业1班团支部", "软工1班团支部", branch, college
        )
        self.add(
            "class2", "college", "江淮示范大学计算机学院2022级软件工程专业2班团支部", "软工2班团支部", branch, college
        )
        self.add("company", "county", "共青团示例科技有限公司委员会", "示例科技团委", committee, "非公企业")
        self.add("team", "company", "示例科技有限公司研发团支部", "研发团支部", branch, "非公企业")
        graduation.mark_branch(self.orgs["class1"], month=date(2026, 6, 1))

    def add(  # noqa: PLR0917 - a table of organisations reads best so
        self,
        key: str,
        parent: str,
        full_name: str,
        short_name: str,
        category: Category,
        industry: str | None = None,
        *,
        code: str | None = None,
    ) -> Organisation:
        """Create an organisation under ``parent`` and remember it as ``key``."""
        new = NewOrganisation(full_name, short_name, category, industry, code=code)
        self.orgs[key] = orgs.create(self.orgs[parent], new)
        return self.orgs[key]

    def _administrators(self) -> None:
        for key in ("province", "county", "township", "university", "college", "class1", "class2", "company", "team"):
            self.appoint(key)

    def appoint(self, key: str) -> Account:
        """A secretary, who is no member, for the organisation ``key``."""
        self.serial += 1
        account = people.create_account(f"书记{self.serial}", mobile=f"1390000{self.serial:04d}")
        account.activated_at = clock.now()
        people.start_seat(account, self.orgs[key], Post.SECRETARY)
        self.accounts[key] = account
        return account

    def _members(self) -> None:
        self.graduate = self.enrol("丁一", "class1")
        self.classmate = self.enrol("卜喆", "class1")
        self.sophomore = self.enrol("万堃", "class2")
        self.employee = self.enrol("于敏", "team")
        graduation.open_register()

    def enrol(self, name: str, branch: str) -> Member:
        """A member with an activated account in ``branch``."""
        self.serial += 1
        new = NewMember(
            name=name,
            id_number=id_number(self.serial),
            mobile=f"1380000{self.serial:04d}",
            sex=Sex.MALE,
            joined_on=date(2019, 5, 1),
            ethnicity="汉族",
            dev_number=f"20193400{self.serial:04d}",
            student_no=f"2022{self.serial:06d}",
            emergency_name="丁大",
            emergency_phone="13700000001",
            residence=RESIDENCE,
        )
        member = people.add_member(self.orgs[branch], new)
        member.account.activated_at = clock.now()
        return member

    def seat(self, key: str) -> ActiveSeat:
        """The seat of the secretary of organisation ``key``."""
        org, account = self.orgs[key], self.accounts[key]
        return ActiveSeat(SeatKind(org.workbench), account.id, None, org.id, org.path)

    def own_seat(self, member: Member) -> ActiveSeat:
        """The member's own seat."""
        return ActiveSeat(SeatKind.MEMBER, member.account_id, None, member.org_id, member.org.path, member.id)
