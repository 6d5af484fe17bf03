"""Tables of graduation: marks of branches and members, the season register, where graduates go (G-03, PD-08)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from zhtj.kernel import clock
from zhtj.kernel.database import Base, Encrypted, StrEnumType, UtcDateTime, partial_index, sorted_text
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account, Member
from zhtj.policy.vocabulary import Reason


class NoTime(StrEnum):
    """Why a branch has no graduation time (无法确定毕业时间的原因, G-03, K-03)."""

    STAFF = "staff"
    # G-06, O-15: several years, or all of a school, in one branch; no month can be named.
    MIXED = "mixed"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"staff": "教职工团支部", "mixed": "混合型支部", "other": "其他原因"}[self.value]


class BranchMark(Base):
    """团支部毕业时间标记: a month, or the reason why there is none - exactly one of the two (G-03)."""

    __tablename__ = "branch_marks"
    __table_args__ = (CheckConstraint("(month IS NULL) != (no_time IS NULL)", name="month_or_reason"),)

    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    month: Mapped[date | None] = mapped_column(index=True)
    no_time: Mapped[NoTime | None] = mapped_column(StrEnumType(NoTime))
    marked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    marked_by_seat_id: Mapped[int | None] = mapped_column(ForeignKey("seats.id"))

    org: Mapped[Organisation] = relationship()


class MarkKind(StrEnum):
    """What a member is marked as for himself (个人标记, G-05, G-16, K-03)."""

    INDIVIDUAL = "individual"
    DELAYED = "delayed"
    TEACHER = "teacher"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"individual": "单独标记", "delayed": "延迟毕业", "teacher": "教师"}[self.value]


class MemberMark(Base):
    """团员个人标记: his own graduation month in a mixed branch, a delayed graduation, or that he is a teacher.

    It comes before the branch's mark (PD-08). ``org_id`` is the branch he was marked in: his own month and being a
    teacher count there and nowhere else, a delay goes with him. ``before`` is that branch's month at the time.
    """

    __tablename__ = "member_marks"
    __table_args__ = (CheckConstraint("(kind = 'teacher') = (month IS NULL)", name="month"),)

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    kind: Mapped[MarkKind] = mapped_column(StrEnumType(MarkKind))
    month: Mapped[date | None] = mapped_column(index=True)
    before: Mapped[date | None]
    reason: Mapped[str | None] = mapped_column(String(200))
    marked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    marked_by_seat_id: Mapped[int | None] = mapped_column(ForeignKey("seats.id"))

    member: Mapped[Member] = relationship()
    org: Mapped[Organisation] = relationship()


class MarkChange(Base):
    """转换后的标记更改: what a change of marks did to the season after its conversion, for the line under the rates."""

    __tablename__ = "mark_changes"
    __table_args__ = (Index("ix_mark_changes_season_path", "season", "path"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    season: Mapped[int]
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    # Where that branch stood.
    path: Mapped[str] = mapped_column(sorted_text(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    what: Mapped[str] = mapped_column(String(120))
    why: Mapped[str | None] = mapped_column(String(500))
    # Ids of members who no longer count, and of those who count from now on.
    gone: Mapped[list[int]] = mapped_column(JSON)
    come: Mapped[list[int]] = mapped_column(JSON)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    by_org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))

    org: Mapped[Organisation] = relationship(foreign_keys=[org_id])
    by_org: Mapped[Organisation | None] = relationship(foreign_keys=[by_org_id])


class GraduateCategory(StrEnum):
    """Which of the two rates a graduate counts for (升学 / 流向社会, PD-09)."""

    FURTHER_STUDY = "further_study"
    SOCIETY = "society"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return "升学" if self is GraduateCategory.FURTHER_STUDY else "流向社会"


class CloseReason(StrEnum):
    """Why a graduate no longer counts (不再计入的原因, PD-08, PD-09, PD-13)."""

    MARK = "mark"
    DELAYED = "delayed"
    TEACHER = "teacher"
    OVERSEAS = "overseas"
    LEFT = "left"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {
            "mark": "毕业时间标记已更改",
            "delayed": "延迟毕业",
            "teacher": "教师",
            "overseas": "出国（境）学习",
            "left": "已离团、去世或除名",
        }[self.value]


class RegisterRow(Base):
    """届别名册: one row a season and member; it keeps where he graduated, wherever he goes (PD-08)."""

    __tablename__ = "season_register"
    __table_args__ = (
        UniqueConstraint("season", "member_id"),
        # With what is counted, so that figures of a province need not read its rows.
        Index(
            "ix_season_register_season_path",
            "season",
            "season_path",
            postgresql_include=["id", "category", "completed_at", "closed_at"],
        ),
        # Who still counts as not completed.
        partial_index("ix_season_register_open", "id", where="closed_at IS NULL AND completed_at IS NULL"),
        partial_index("ix_season_register_closed", "season", "id", where="closed_at IS NOT NULL"),
        CheckConstraint("(closed_at IS NULL) = (close_reason IS NULL)", name="closed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    season: Mapped[int]
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    origin_org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    # Path of the origin branch as it stood in the season, never changed afterwards; "" with no origin: he comes from
    # an external system and counts as incoming (PD-24).
    season_path: Mapped[str] = mapped_column(sorted_text(64))
    # None = 未登记; counts as flowing to society (PD-09).
    category: Mapped[GraduateCategory | None] = mapped_column(StrEnumType(GraduateCategory))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    close_reason: Mapped[CloseReason | None] = mapped_column(StrEnumType(CloseReason))
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Since when his old unit has stated that his relation stays there (定向委培); no disposition, he counts on (PD-60).
    with_unit_since: Mapped[datetime | None] = mapped_column(UtcDateTime)

    member: Mapped[Member] = relationship()
    origin: Mapped[Organisation | None] = relationship()

    @property
    def after_close(self) -> bool:
        """Whether the transfer was completed only after the season froze on 31 December (PD-08)."""
        return self.completed_at is not None and clock.local(self.completed_at).year > self.season


class RegisterChange(StrEnum):
    """What happened to a row of the register (名册变动)."""

    CLOSED = "closed"
    REOPENED = "reopened"
    CATEGORY = "category"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"closed": "不再计入", "reopened": "恢复计入", "category": "去向类别"}[self.value]


class RegisterEvent(Base):
    """名册变动记录: when a row was closed and opened again, and its categories, so that any day can be told again.

    ``before`` and ``after`` are categories; of a closing ``after`` is the reason, of a reopening ``before`` (PD-09).
    """

    __tablename__ = "register_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    row_id: Mapped[int] = mapped_column(ForeignKey("season_register.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    change: Mapped[RegisterChange] = mapped_column(StrEnumType(RegisterChange))
    before: Mapped[str | None] = mapped_column(String(32))
    after: Mapped[str | None] = mapped_column(String(32))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))


# T-33: one a graduate and season; how far each transfer is stands beside it on the sheet.
class DestinationEntry(Base):
    """毕业去向登记: where a graduate of a season goes, as he or his organisation says (F-12, T-33, T-34)."""

    __tablename__ = "destination_entries"

    row_id: Mapped[int] = mapped_column(ForeignKey("season_register.id"), primary_key=True)
    reason: Mapped[Reason] = mapped_column(StrEnumType(Reason))
    unit_name: Mapped[str | None] = mapped_column(String(120))
    address: Mapped[str | None] = mapped_column(String(120))
    township: Mapped[str | None] = mapped_column(String(120))
    household: Mapped[str | None] = mapped_column(String(120))
    residence: Mapped[str | None] = mapped_column(String(120))
    parents_residence: Mapped[str | None] = mapped_column(String(120))
    mobile: Mapped[str | None] = mapped_column(Encrypted)
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    entered_by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))

    row: Mapped[RegisterRow] = relationship()


LONGEST_NAME = 30


class LiaisonRole(StrEnum):
    """Who is named (负责人)."""

    LEADER = "leader"
    DEPUTY = "deputy"
    CADRE = "cadre"

    @property
    def label(self) -> str:
        """The term on the screen."""
        # F-13: the three of the document.
        return {"leader": "学院团总支负责人", "deputy": "学生副书记", "cadre": "团总支干部"}[self.value]

    @property
    def short(self) -> str:
        """The same for a narrow screen."""
        return "负责人" if self is LiaisonRole.LEADER else self.label


class Liaison(Base):
    """学社衔接负责人: one of the three a college names a season."""

    __tablename__ = "liaisons"

    season: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    role: Mapped[LiaisonRole] = mapped_column(StrEnumType(LiaisonRole), primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    phone: Mapped[str] = mapped_column(Encrypted)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))

    account: Mapped[Account] = relationship()
