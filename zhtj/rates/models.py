"""Tables of the rates: where each graduate stands on each day, and the counters kept from it (PD-24, PD-25)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from zhtj.graduation.models import GraduateCategory, RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.database import Base, StrEnumType, UtcDateTime, partial_index, sorted_text
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account
from zhtj.transfers.models import Application


class Standing(Base):
    """计入情况: how one graduate counts from one day to the next; the present one has no end.

    Days are those of the season's clock, ``until`` is the first day on which it no longer holds. Days on which he does
    not count have no row. Derived from the register and the applications, see ``rules.spans``.
    """

    __tablename__ = "standings"
    __table_args__ = (
        partial_index("uq_standings_present", "row_id", where="until IS NULL", unique=True),
        Index("ix_standings_row", "row_id", "since"),
        Index("ix_standings_season_path", "season", "season_path", "row_id"),
        Index("ix_standings_to_path", "season", "to_path", "row_id"),
        CheckConstraint("until IS NULL OR until > since", name="days"),
        CheckConstraint("(to_path IS NULL) = (shared_path IS NULL)", name="incoming"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    row_id: Mapped[int] = mapped_column(ForeignKey("season_register.id"))
    season: Mapped[int]
    since: Mapped[date]
    until: Mapped[date | None]
    season_path: Mapped[str] = mapped_column(sorted_text(64))
    # None = 未登记; counts as flowing to society (PD-09).
    category: Mapped[GraduateCategory | None] = mapped_column(StrEnumType(GraduateCategory))
    # 转接完成; to an employer's organisation (M-05); ever submitted and not only withdrawn (M-06).
    done: Mapped[bool]
    to_unit: Mapped[bool]
    initiated: Mapped[bool]
    # The application it rests on, if there is one.
    application_id: Mapped[int | None] = mapped_column(ForeignKey("applications.id"))
    # Where he counts as coming in from outside (C, F): the destination as it stood when he applied, and the lowest
    # place above both it and his origin; above that, and there too, he is no one from outside.
    to_path: Mapped[str | None] = mapped_column(sorted_text(64))
    shared_path: Mapped[str | None] = mapped_column(sorted_text(64))

    row: Mapped[RegisterRow] = relationship()
    application: Mapped[Application | None] = relationship()


class FigureColumns:
    """The columns of ``rules.Figures``."""

    further_study: Mapped[int] = mapped_column(default=0)
    further_study_done: Mapped[int] = mapped_column(default=0)
    society: Mapped[int] = mapped_column(default=0)
    society_done: Mapped[int] = mapped_column(default=0)
    unregistered: Mapped[int] = mapped_column(default=0)
    to_unit: Mapped[int] = mapped_column(default=0)
    initiated: Mapped[int] = mapped_column(default=0)
    incoming_study: Mapped[int] = mapped_column(default=0)
    incoming_study_done: Mapped[int] = mapped_column(default=0)
    incoming_society: Mapped[int] = mapped_column(default=0)
    incoming_society_done: Mapped[int] = mapped_column(default=0)


class RateCounter(FigureColumns, Base):
    """计数: present figures that begin at one place of one season; an organisation's are the sum of all below it.

    Incoming graduates are added where they go and taken off where origin and destination meet, so that the sum
    over a part of the tree holds only those who come from outside it. Places near the top are split into shards:
    writers then do not wait for each other (see ``counters``).
    """

    __tablename__ = "rate_counters"

    season: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    path: Mapped[str] = mapped_column(sorted_text(64), primary_key=True)
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)


class RateDay(FigureColumns, Base):
    """每日数据: a leading organ's figures at the end of a day, for its curve; smaller ones are counted when asked."""

    __tablename__ = "rate_days"

    season: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    path: Mapped[str] = mapped_column(sorted_text(64), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)


class AccessToken(Base):
    """数据接口令牌: whoever holds it reads the figures of an organisation, and names if it says so."""

    __tablename__ = "access_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(8))
    # Whether it opens the people behind a figure, too.
    people: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    # The last day on which it is good.
    valid_until: Mapped[date]
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    org: Mapped[Organisation] = relationship()
    created_by: Mapped[Account] = relationship()

    @property
    def is_open(self) -> bool:
        """Whether it can still be used."""
        return self.revoked_at is None and self.valid_until >= clock.today()


class StatisticsSource(StrEnum):
    """Where an entry comes from (数据来源)."""

    REPORT = "report"
    EDUCATION = "education"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"report": "上报", "education": "教育部门"}[self.value]


class GraduationCount(Base):
    """毕业生统计上报: classes and students of a school, a college, or, by the education department, of an area."""

    __tablename__ = "graduation_counts"

    season: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    source: Mapped[StatisticsSource] = mapped_column(StrEnumType(StatisticsSource), primary_key=True)
    classes: Mapped[int]
    students: Mapped[int]
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))

    account: Mapped[Account] = relationship()
    org: Mapped[Organisation] = relationship()


class UrgingTopic(StrEnum):
    """What an office is urged about (催办事项)."""

    WAITING = "waiting"
    NOT_STARTED = "not_started"
    STATISTICS = "statistics"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"waiting": "待办申请", "not_started": "未发起", "statistics": "毕业生统计"}[self.value]


class Urging(Base):
    """催办记录: an office was urged about a matter on a day; the key lets it hear once."""

    __tablename__ = "urgings"
    __table_args__ = (UniqueConstraint("office_id", "topic", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    office_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    topic: Mapped[UrgingTopic] = mapped_column(StrEnumType(UrgingTopic))
    day: Mapped[date]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))

    by_org: Mapped[Organisation] = relationship(foreign_keys=[by_org_id])
    account: Mapped[Account] = relationship()
