"""Tables of notices: the inbox, whom an office's digest goes to, what was reminded when, what still has to go out."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from zhtj.kernel.database import Base, StrEnumType, UtcDateTime, partial_index
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account

TITLE_AT_MOST = 80


class MessageKind(StrEnum):
    """What a message is about (消息类型); one filters by it."""

    TASK = "task"
    PROGRESS = "progress"
    OUTCOME = "outcome"
    REMINDER = "reminder"
    DUTIES = "duties"
    NOTE = "note"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return KIND_LABELS[self]


KIND_LABELS = {
    MessageKind.TASK: "新的待办",
    MessageKind.PROGRESS: "办理进展",
    MessageKind.OUTCOME: "办理结果",
    MessageKind.REMINDER: "待办提醒",
    MessageKind.DUTIES: "职务接续",
    MessageKind.NOTE: "其他通知",
}


class Message(Base):
    """消息: to one member or to one organisation, whose office reads it (PD-22); complete, ready to be passed on."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("(org_id IS NULL) != (member_id IS NULL)", name="recipient"),
        CheckConstraint("(read_at IS NULL) = (read_by_account_id IS NULL)", name="read"),
        CheckConstraint("(subject_type IS NULL) = (subject_id IS NULL)", name="subject"),
        # A list, newest first, and the unread ones of it: each row stands in one pair of these.
        partial_index("ix_messages_org", "org_id", "id", where="org_id IS NOT NULL"),
        partial_index("ix_messages_org_unread", "org_id", "id", where="org_id IS NOT NULL AND read_at IS NULL"),
        partial_index("ix_messages_member", "member_id", "id", where="member_id IS NOT NULL"),
        partial_index(
            "ix_messages_member_unread", "member_id", "id", where="member_id IS NOT NULL AND read_at IS NULL"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    kind: Mapped[MessageKind] = mapped_column(StrEnumType(MessageKind))
    title: Mapped[str] = mapped_column(String(TITLE_AT_MOST))
    body: Mapped[str] = mapped_column(Text)
    # What it is about, such as application 7; where it leads is the page's business.
    subject_type: Mapped[str | None] = mapped_column(String(32))
    subject_id: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))

    org: Mapped[Organisation | None] = relationship()
    read_by: Mapped[Account | None] = relationship()


class Subscription(Base):
    """邮件提醒: an e-mail address at which an organisation wants its digest; nothing is sent before it is confirmed."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        Index("uq_subscriptions_org_id_address", "org_id", "address", unique=True),
        CheckConstraint("(code_hash IS NULL) = (confirmed_at IS NOT NULL)", name="code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    address: Mapped[str] = mapped_column(String(254))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    code_hash: Mapped[str | None] = mapped_column(String(64))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Reminder(Base):
    """催办: the day an office was last reminded, and of how much; one row an office, so that a day counts once."""

    __tablename__ = "reminders"

    office_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    last_on: Mapped[date] = mapped_column(index=True)
    waiting: Mapped[int]
    # When the first of them goes back, if a clock runs.
    first_due: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Channel(StrEnum):
    """By what a mail leaves the house (渠道)."""

    MAIL = "mail"
    WEBHOOK = "webhook"

    @property
    def shows_address(self) -> bool:
        """Whether the address may be read; a robot's is a secret."""
        return self is Channel.MAIL


class Outbox(Base):
    """待发信件: one mail to one address; it stays until the receiver has confirmed it or we have given up."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("sent_at IS NULL OR given_up_at IS NULL", name="end"),
        partial_index("ix_outbox_due", "due_at", "id", where="sent_at IS NULL AND given_up_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[Channel] = mapped_column(StrEnumType(Channel))
    # An e-mail address; of a robot only the fingerprint, because its URL is a secret.
    address: Mapped[str] = mapped_column(String(254))
    org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Earliest next attempt; an attempt under way has already moved it, so that a killed one is repeated.
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    given_up_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_why: Mapped[str | None] = mapped_column(String(200))
