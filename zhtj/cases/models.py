"""Tables of cases: the case, its history, its attachments (PD-34)."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Dialect, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from zhtj.cases.workflow import CaseAction, CaseState
from zhtj.kernel import clock, crypto
from zhtj.kernel.database import Base, Encrypted, StrEnumType, UtcDateTime, partial_index
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account, Member


class EncryptedJson(TypeDecorator[dict[str, Any]]):
    """A document that lies encrypted in the database: ID numbers occur in it (PD-37)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | None:
        """Encrypt."""
        del dialect
        return None if value is None else crypto.encrypt(json.dumps(value, ensure_ascii=False))

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:
        """Decrypt."""
        del dialect
        return None if value is None else dict(json.loads(crypto.decrypt(value)))


class Case(Base):
    """事项: something asked of a level above; one state column, the row stays for ever (PD-34)."""

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint("(state = 'waiting') = (holder_id IS NOT NULL)", name="holder"),
        CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("(subject_type IS NULL) = (subject_id IS NULL)", name="subject"),
        Index("ix_cases_holder", "holder_id", "id"),
        Index("ix_cases_raised_org", "raised_org_id", "id"),
        Index("ix_cases_subject", "subject_type", "subject_id"),
        Index("ix_cases_kind_state", "kind", "state", "id"),
        # One open case of a kind about one subject, whoever asks at the same moment.
        partial_index(
            "uq_cases_open_subject", "kind", "subject_type", "subject_id", where="state = 'waiting'", unique=True
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    season: Mapped[int]
    # "member" or "organisation", and which; both None where it is about something that does not exist yet.
    subject_type: Mapped[str | None] = mapped_column(String(32))
    subject_id: Mapped[int | None]
    # What lists show and are searched by: names, never a number.
    title: Mapped[str] = mapped_column(String(240))
    data: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    raised_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    raised_org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    # Raised on the member's own page.
    raised_member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"), index=True)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The way up as it was when the case was raised: ids of organisations, the deciding one last.
    line: Mapped[list[int]] = mapped_column(JSON)
    level: Mapped[int] = mapped_column(default=0)
    # Whose turn it is: the organisation at ``level`` of the line; its office acts (PD-22).
    holder_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    waiting_since: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[CaseState] = mapped_column(StrEnumType(CaseState))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Whoever ended it: decided, or took it back.
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    ended_org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    # What the decision brought, in words.
    outcome: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)

    raised_by: Mapped[Account] = relationship(foreign_keys=[raised_by_id])
    raised_org: Mapped[Organisation] = relationship(foreign_keys=[raised_org_id])
    holder: Mapped[Organisation | None] = relationship(foreign_keys=[holder_id])
    ended_by: Mapped[Account | None] = relationship(foreign_keys=[ended_by_id])
    ended_org: Mapped[Organisation | None] = relationship(foreign_keys=[ended_org_id])
    events: Mapped[list[CaseEvent]] = relationship(back_populates="case", order_by="CaseEvent.id", viewonly=True)
    files: Mapped[list[CaseFile]] = relationship(back_populates="case", order_by="CaseFile.id", viewonly=True)

    @property
    def number(self) -> str:
        """编号, as people quote it."""
        return f"{clock.local(self.raised_at).year}-{self.id:06d}"

    @property
    def is_last(self) -> bool:
        """Whether it lies at the level that decides."""
        return self.level == len(self.line) - 1


class CaseEvent(Base):
    """事项办理记录: one step, with who, in which organisation, when, from and to which level, and why."""

    __tablename__ = "case_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    action: Mapped[CaseAction] = mapped_column(StrEnumType(CaseAction))
    from_state: Mapped[CaseState | None] = mapped_column(StrEnumType(CaseState))
    to_state: Mapped[CaseState] = mapped_column(StrEnumType(CaseState))
    # Where it lay, and where it lies afterwards; None once it has ended.
    from_org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    to_org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    # Both None: the operator's command.
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    remark: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    case: Mapped[Case] = relationship(back_populates="events")
    account: Mapped[Account | None] = relationship()
    org: Mapped[Organisation | None] = relationship(foreign_keys=[org_id])
    to_org: Mapped[Organisation | None] = relationship(foreign_keys=[to_org_id])


class CaseFile(Base):
    """事项附件: a picture or PDF that shows what is said; kept encrypted."""

    __tablename__ = "case_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    filename: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]
    # Base64, encrypted: it may show a person's data.
    content: Mapped[str] = mapped_column(Encrypted, deferred=True)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)

    case: Mapped[Case] = relationship(back_populates="files")


class SignedForm(Base):
    """签名的表: a printed form as it was filled in, read and signed; never changed, kept with the member (PD-35, R-06).

    ``content`` holds the whole text and every answer. Signed on the phone by name and password, or on paper, whose
    scan then lies among the case's attachments (R-13).
    """

    __tablename__ = "signed_forms"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    form: Mapped[str] = mapped_column(String(8))
    content: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    name: Mapped[str] = mapped_column(String(60))
    # Who confirmed with his password; of a paper form whoever filed it.
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("case_files.id"))
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship()
    file: Mapped[CaseFile | None] = relationship()

    @property
    def on_paper(self) -> bool:
        """Whether it was signed by hand."""
        return self.file_id is not None


class Hearing(Base):
    """编号异议的答复: a claim on a member's 发展团员编号, and what the branch of its holder says to it (PD-61)."""

    __tablename__ = "case_hearings"
    __table_args__ = (
        CheckConstraint("(answered_at IS NULL) = (is_holders IS NULL)", name="answered"),
        UniqueConstraint("case_id", "member_id", name="uq_case_hearings_case_member"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    # Whose record carries the number; wherever he is by then, his branch answers.
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Whether the number is the holder's own.
    is_holders: Mapped[bool | None]
    remark: Mapped[str | None] = mapped_column(String(500))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))

    case: Mapped[Case] = relationship()
    member: Mapped[Member] = relationship()


class Round(Base):
    """集中审核: the day until which a committee takes applications, and the one on which it decides them (A-26)."""

    __tablename__ = "case_rounds"
    __table_args__ = (CheckConstraint("closes_on <= decides_on", name="order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    closes_on: Mapped[date]
    decides_on: Mapped[date]
    note: Mapped[str | None] = mapped_column(String(200))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    announced_at: Mapped[datetime] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    org: Mapped[Organisation] = relationship()
