"""Tables of graduation: the branch's mark and the season register (G-03, PD-08)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from zhtj.kernel.database import Base, StrEnumType, UtcDateTime, sorted_text
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member


class NoTime(StrEnum):
    """Why a branch has no graduation time (无法确定毕业时间的原因, G-03, K-03)."""

    STAFF = "staff"
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


class GraduateCategory(StrEnum):
    """Which of the two rates a graduate counts for (升学 / 流向社会, PD-09)."""

    FURTHER_STUDY = "further_study"
    SOCIETY = "society"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return "升学" if self is GraduateCategory.FURTHER_STUDY else "流向社会"


class RegisterRow(Base):
    """届别名册: one row a season and member; it keeps where he graduated, wherever he goes (PD-08)."""

    __tablename__ = "season_register"
    __table_args__ = (
        UniqueConstraint("season", "member_id"),
        Index("ix_season_register_season_path", "season", "season_path"),
        CheckConstraint("(closed_at IS NULL) = (close_reason IS NULL)", name="closed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    season: Mapped[int]
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    origin_org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    # Path of the origin branch as it stood in the season; never changed afterwards.
    season_path: Mapped[str] = mapped_column(sorted_text(64))
    # None = 未登记; counts as flowing to society (PD-09).
    category: Mapped[GraduateCategory | None] = mapped_column(StrEnumType(GraduateCategory))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    close_reason: Mapped[str | None] = mapped_column(String(32))
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    member: Mapped[Member] = relationship()
    origin: Mapped[Organisation | None] = relationship()
