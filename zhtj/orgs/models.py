"""Tables of the organisation tree (O-01 … O-18, PD-01, PD-05)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from zhtj.kernel.database import Base, StrEnumType, UtcDateTime, sorted_text
from zhtj.kernel.permissions import SeatKind

SEGMENT = 4  # base-36 signs of one step in a path: up to 1.6 million children
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


# O-01: there are no others; what becomes a 毕业生团组织 is not chosen.
class Category(StrEnum):
    """组织类别 (O-01)."""

    LEADING_ORGAN = "leading_organ"
    COMMITTEE = "committee"
    WORKING_COMMITTEE = "working_committee"
    GENERAL_BRANCH = "general_branch"
    BRANCH = "branch"
    GRADUATES = "graduates"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return CATEGORY_LABELS[self]


CATEGORY_LABELS = {
    Category.LEADING_ORGAN: "团的领导机关",
    Category.COMMITTEE: "团委",
    Category.WORKING_COMMITTEE: "团工委",
    Category.GENERAL_BRANCH: "团总支",
    Category.BRANCH: "团支部",
    Category.GRADUATES: "毕业生团组织",
}


class Tier(StrEnum):
    """Level of an organisation (层级, PD-01)."""

    CENTRE = "centre"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    BASIC = "basic"
    SECOND = "second"
    BRANCH = "branch"


LEADING_TIERS = (Tier.CENTRE, Tier.PROVINCE, Tier.CITY, Tier.COUNTY)

WORKBENCH = {
    Tier.CENTRE: SeatKind.PROVINCIAL,
    Tier.PROVINCE: SeatKind.PROVINCIAL,
    Tier.CITY: SeatKind.PROVINCIAL,
    Tier.COUNTY: SeatKind.PROVINCIAL,
    Tier.BASIC: SeatKind.SCHOOL,
    Tier.SECOND: SeatKind.COLLEGE,
    Tier.BRANCH: SeatKind.BRANCH,
}


class Purpose(StrEnum):
    """What an organisation was built for, where that matters (O-08, O-12 … O-14)."""

    FLOATING = "floating"
    OVERSEAS = "overseas"
    DELAYED = "delayed"
    NEW_STUDENTS = "new_students"
    TEMPORARY = "temporary"
    YOUTH_HOME = "youth_home"
    YOUTH_SOCIETY = "youth_society"
    PARK = "park"
    SPECIAL_POOL = "special_pool"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return PURPOSE_LABELS[self]


PURPOSE_LABELS = {
    Purpose.FLOATING: "流动团员团支部",
    Purpose.OVERSEAS: "出国（境）学习研究团员团支部",
    Purpose.DELAYED: "延迟毕业团组织",
    Purpose.NEW_STUDENTS: "新生团组织",
    Purpose.TEMPORARY: "临时团支部",
    Purpose.YOUTH_HOME: "青年之家",
    Purpose.YOUTH_SOCIETY: "团属青年社团",
    Purpose.PARK: "园区团工委",
    Purpose.SPECIAL_POOL: "特殊单位专属库",
}


class Region(StrEnum):
    """Which system keeps the organisation: ours, or one of the three external ones (PD-05, PD-32)."""

    NATIONAL = "national"
    BEIJING = "beijing"
    GUANGDONG = "guangdong"
    FUJIAN = "fujian"

    @property
    def label(self) -> str:
        """The region's name."""
        return {"national": "全国", "beijing": "北京", "guangdong": "广东", "fujian": "福建"}[self.value]

    @property
    def is_national(self) -> bool:
        """Whether it is ours."""
        return self is Region.NATIONAL


class Organisation(Base):
    """团组织: a node of the tree, from the centre down to a branch."""

    __tablename__ = "organisations"
    __table_args__ = (
        CheckConstraint("(parent_id IS NULL) = (tier = 'centre')", name="root"),
        CheckConstraint("tier != 'branch' OR category IN ('branch', 'graduates')", name="branch"),
        Index("ix_organisations_parent_path", "parent_id", "path"),
        Index("ix_organisations_category_path", "category", "path"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sorted_text(64), unique=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    path: Mapped[str] = mapped_column(sorted_text(64), unique=True)
    full_name: Mapped[str] = mapped_column(String(120), unique=True)
    short_name: Mapped[str] = mapped_column(String(80))
    category: Mapped[Category] = mapped_column(StrEnumType(Category))
    tier: Mapped[Tier] = mapped_column(StrEnumType(Tier))
    industry: Mapped[str | None] = mapped_column(String(20))
    township_flag: Mapped[bool | None]
    purpose: Mapped[Purpose | None] = mapped_column(StrEnumType(Purpose))
    system: Mapped[Region] = mapped_column(StrEnumType(Region), default=Region.NATIONAL)
    phone: Mapped[str | None] = mapped_column(String(40))
    address: Mapped[str | None] = mapped_column(String(120))
    postcode: Mapped[str | None] = mapped_column(String(6))
    # 网上团支部: the address or number of its WeChat or QQ group, as members find it (O-21).
    online_community: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # How many children ever got a number; their paths and codes are never reused.
    next_child: Mapped[int] = mapped_column(default=0)
    # 承办组织: itself or the nearest superior that has an administrator; what waits here appears there (PD-22).
    office_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)

    parent: Mapped[Organisation | None] = relationship(remote_side="Organisation.id", foreign_keys=[parent_id])
    office: Mapped[Organisation | None] = relationship(remote_side="Organisation.id", foreign_keys=[office_id])

    @property
    def is_branch(self) -> bool:
        """Whether members can belong to it directly."""
        return self.tier is Tier.BRANCH

    @property
    def is_leading(self) -> bool:
        """团的领导机关 of any rank."""
        return self.tier in LEADING_TIERS

    @property
    def workbench(self) -> SeatKind:
        """Which blueprint serves its administrators (PD-01)."""
        # PD-01: the organisation's level, not the person, decides about the workbench.
        return WORKBENCH[self.tier]

    @property
    def line(self) -> list[str]:
        """Paths of its superiors and itself, from the top down."""
        return [self.path[:end] for end in range(SEGMENT, len(self.path) + 1, SEGMENT)]


class OrganisationMove(Base):
    """组织迁移: an organisation that got another superior, with all below it (PD-07).

    A season's figures keep the line of superiors of that season; by its former path an organisation finds its own.
    """

    __tablename__ = "organisation_moves"

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    from_path: Mapped[str] = mapped_column(sorted_text(64))
    to_path: Mapped[str] = mapped_column(sorted_text(64), index=True)
    moved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Why: the case that granted it, or the operator's words.
    by: Mapped[str] = mapped_column(String(200))


def segment(number: int) -> str:
    """The path segment of a parent's ``number``-th child."""
    signs = ""
    for _ in range(SEGMENT):
        number, rest = divmod(number, 36)
        signs = DIGITS[rest] + signs
    if number:
        raise ValueError("too many children")
    return signs


INDUSTRIES_COMMITTEE: tuple[str, ...] = (
    "党政机关",
    "事业单位（不含公立学校）",
    "普通高等院校",
    "高等职业（专科）院校",
    "普通高中",
    "中等职业院校",
    "完全中学",
    "初级中学",
    "小学",
    "九年一贯制学校",
    "十二年一贯制学校",
    "国有企业",
    "集体企业",
    "非公企业",
    "社会组织",
    "城市社区",
    "农村",
)
_COMMITTEE_ONLY = ("完全中学", "九年一贯制学校", "十二年一贯制学校")
INDUSTRIES_BRANCH = tuple(name for name in INDUSTRIES_COMMITTEE if name not in _COMMITTEE_ONLY)
SCHOOL_INDUSTRIES = frozenset(INDUSTRIES_COMMITTEE[2:11])


def industries(category: Category) -> tuple[str, ...]:
    """单位所属行业类别 a category may carry: 17 values, 14 for branches (O-16)."""
    return INDUSTRIES_BRANCH if category in {Category.BRANCH, Category.GRADUATES} else INDUSTRIES_COMMITTEE


class OrganisationTerm(Base):
    """检索词: one text, by whose beginning one organisation is found.

    The primary key is the whole row and in the order of the question: how the text stands for the organisation (a
    ``naming.Fit``), the text, the place in the tree. A search reads nothing else to know whom it found.
    """

    __tablename__ = "organisation_terms"
    __table_args__ = ({"sqlite_with_rowid": False},)

    fit: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    term: Mapped[str] = mapped_column(sorted_text(120), primary_key=True)
    path: Mapped[str] = mapped_column(sorted_text(64), primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True, autoincrement=False)
