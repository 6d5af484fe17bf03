"""Tables of floating members: one stay in a floating or overseas branch, and the log of contacts (T-29, R-12, R-17)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Date, ForeignKey, String, and_, case, func, literal
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from zhtj.kernel.database import Base, StrEnumType, UtcDateTime, partial_index
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account, Member

FAR = date(9999, 12, 31)
NOTE_AT_MOST = 500
PLACE_AT_MOST = 120


def _nearest(*days: Mapped[date | None]) -> ColumnElement[date]:
    """SQL: the earliest of three days; neither database has a function the other knows."""
    first, second, third = (func.coalesce(day, literal(FAR, Date)) for day in days)
    return case((and_(first <= second, first <= third), first), (second <= third, second), else_=third)


class StayKind(StrEnum):
    """Whose branch it is: a county's, a township's, his own school's, or that for studies abroad (O-08, R-16)."""

    COUNTY = "county"
    TOWNSHIP = "township"
    SCHOOL = "school"
    OVERSEAS = "overseas"

    @property
    def is_abroad(self) -> bool:
        """Whether they study abroad, and are left out of the season's rates meanwhile."""
        return self is StayKind.OVERSEAS

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {
            "county": "县级流动团支部",
            "township": "乡镇街道、园区流动团支部",
            "school": "在校保留",
            "overseas": "出国（境）学习研究",
        }[self.value]


class Occupation(StrEnum):
    """就业就学情况 of a floating member, as last heard."""

    SEEKING = "seeking"
    STUDYING = "studying"
    CASUAL = "casual"
    ABROAD = "abroad"
    FOUND = "found"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {
            "seeking": "求职中",
            "studying": "备考升学",
            "casual": "灵活就业",
            "abroad": "在国（境）外学习",
            "found": "已落实",
        }[self.value]


class Stay(Base):
    """流动团员: one stay in a floating or overseas branch; open while he is there."""

    __tablename__ = "onward_transfers"
    __table_args__ = (partial_index("uq_onward_transfers_open", "member_id", where="ended_at IS NULL", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    kind: Mapped[StayKind] = mapped_column(StrEnumType(StayKind))
    since: Mapped[date]
    # The college he graduated from, or the school where it has none: it keeps contact although the branch is the
    # school's, and allocates him into its own.
    home_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    # Why he was retained: a value of the form.
    ground: Mapped[str | None] = mapped_column(String(32))
    # The last day of the retention, or of the studies abroad (D-18, R-14).
    retained_until: Mapped[date | None] = mapped_column(Date)
    extended_on: Mapped[date | None]
    # By when a county has to move him on (D-16).
    clear_by: Mapped[date | None] = mapped_column(Date)
    situation: Mapped[Occupation | None] = mapped_column(StrEnumType(Occupation))
    found_on: Mapped[date | None]
    found_what: Mapped[str | None] = mapped_column(String(PLACE_AT_MOST))
    # By when he has to be moved on once a place was recorded (D-17, PD-20).
    due_on: Mapped[date | None] = mapped_column(Date)
    last_contact_on: Mapped[date | None]
    # By when somebody has to have heard from him again.
    contact_by: Mapped[date | None] = mapped_column(Date, index=True)
    # Which stage of either deadline has been told; what a sweep does twice it does once.
    term_told: Mapped[int] = mapped_column(default=0)
    contact_told: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The nearest of the three days; FAR where none runs.
    next_on: Mapped[date] = column_property(_nearest(due_on, clear_by, retained_until))

    member: Mapped[Member] = relationship()
    org: Mapped[Organisation] = relationship(foreign_keys=[org_id])
    home: Mapped[Organisation | None] = relationship(foreign_keys=[home_id])
    contacts: Mapped[list[Contact]] = relationship(order_by="Contact.id.desc()", viewonly=True)

    @property
    def deadline(self) -> date | None:
        """The last day by which he must have been moved on, if one runs."""
        return None if self.next_on == FAR else self.next_on


class Contact(Base):
    """联系记录: when somebody spoke with a floating member, or he reported himself, and what was said (R-12, T-29)."""

    __tablename__ = "onward_contacts"

    id: Mapped[int] = mapped_column(primary_key=True)
    onward_id: Mapped[int] = mapped_column(ForeignKey("onward_transfers.id"), index=True)
    on: Mapped[date]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    situation: Mapped[Occupation | None] = mapped_column(StrEnumType(Occupation))
    note: Mapped[str] = mapped_column(String(NOTE_AT_MOST))
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship()
