"""Tables of letters. A letter once issued never changes: it can only be made void (L-04, PD-27)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, event, inspect
from sqlalchemy.orm import Mapped, mapped_column, relationship

from zhtj.kernel.database import Base, Encrypted, StrEnumType, UtcDateTime, partial_index
from zhtj.letters.record import LetterRecord
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account, Member


class LetterState(StrEnum):
    """介绍信状态, as kept; that it has run out follows from the day."""

    ISSUED = "issued"
    VOID = "void"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"issued": "已开具", "void": "已作废"}[self.value]


class LetterSeries(Base):
    """介绍信序号: the last number an issuing committee has used in a year."""

    __tablename__ = "letter_series"

    issuer_org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_number: Mapped[int]


class Letter(Base):
    """团员组织关系介绍信: one number of one committee, with the record all three slips are drawn from."""

    __tablename__ = "letters"
    __table_args__ = (
        UniqueConstraint("issuer_org_id", "year", "number"),
        # One valid letter an application; a correction voids the first.
        partial_index("uq_letters_application", "application_id", where="state = 'issued'", unique=True),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("(state = 'void') = (voided_at IS NOT NULL)", name="voided_at"),
        CheckConstraint("(state = 'void') = (void_reason IS NOT NULL)", name="void_reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    issuer_org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    year: Mapped[int]
    number: Mapped[int]
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    # The member's branch when it was issued: who above him may see it.
    from_org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    # None for a special unit, and where the receiver is in no tree of ours.
    receiver_org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    application_id: Mapped[int | None] = mapped_column(ForeignKey("applications.id"), index=True)
    record_json: Mapped[str] = mapped_column("record", Encrypted)
    template_version: Mapped[str] = mapped_column(String(16))
    # The seal printed on it, where the committee had uploaded one.
    seal_id: Mapped[int | None] = mapped_column(ForeignKey("seals.id"))
    # Public by nature: it stands on the paper.
    code: Mapped[str] = mapped_column(String(20), unique=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_valid_on: Mapped[date]
    issued_by_account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    issued_by_seat_id: Mapped[int | None] = mapped_column(ForeignKey("seats.id"))
    state: Mapped[LetterState] = mapped_column(StrEnumType(LetterState))
    voided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    void_reason: Mapped[str | None] = mapped_column(String(120))
    # None: the system, because the application failed.
    voided_by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))

    issuer: Mapped[Organisation] = relationship(foreign_keys=[issuer_org_id])
    from_org: Mapped[Organisation] = relationship(foreign_keys=[from_org_id])
    receiver: Mapped[Organisation | None] = relationship(foreign_keys=[receiver_org_id])
    member: Mapped[Member] = relationship()
    issued_by: Mapped[Account] = relationship(foreign_keys=[issued_by_account_id])
    voided_by: Mapped[Account | None] = relationship(foreign_keys=[voided_by_account_id])

    @property
    def record(self) -> LetterRecord:
        """What the letter says."""
        return LetterRecord.from_json(self.record_json)

    @property
    def is_void(self) -> bool:
        """Whether it counts no longer (L-04)."""
        return self.state is LetterState.VOID

    @property
    def serial(self) -> str:
        """Year and number as printed."""
        return self.record.serial


class LetterAuthorisation(Base):
    """开具介绍信授权: a school committee lets a college issue letters, from a day on, until ended (L-02, PD-30)."""

    __tablename__ = "letter_authorisations"
    __table_args__ = (
        partial_index("uq_letter_authorisations_open", "org_id", where="ended_at IS NULL", unique=True),
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="dates"),
        CheckConstraint("(ended_at IS NULL) = (ended_by_account_id IS NULL)", name="ended"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    school_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    valid_from: Mapped[date]
    # Last day; None: until it is ended.
    valid_until: Mapped[date | None]
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    granted_by_account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))

    org: Mapped[Organisation] = relationship(foreign_keys=[org_id])
    granted_by: Mapped[Account] = relationship(foreign_keys=[granted_by_account_id])
    ended_by: Mapped[Account | None] = relationship(foreign_keys=[ended_by_account_id])

    def holds(self, day: date) -> bool:
        """Whether it counts on a day; its last day is one of them."""
        until = self.valid_until
        return self.ended_at is None and self.valid_from <= day and (until is None or day <= until)


class Seal(Base):
    """组织章印模: picture of an issuing committee's seal. Letters keep naming the one they were issued with (L-07)."""

    __tablename__ = "seals"
    __table_args__ = (partial_index("uq_seals_present", "org_id", where="withdrawn_at IS NULL", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    # Base64 of a PNG, encrypted: whoever has the file can stamp with it.
    content: Mapped[str] = mapped_column(Encrypted, deferred=True)
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    uploaded_by_account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    uploaded_by: Mapped[Account] = relationship()


class ReceiptWay(StrEnum):
    """回执方式: how slip three came back (L-31, PD-29)."""

    ONLINE = "online"
    PHOTO = "photo"
    PAPER = "paper"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"online": "在线填写", "photo": "上传照片", "paper": "纸质回执"}[self.value]


class LetterReceipt(Base):
    """回执: slip three of a letter, as the in-committee filled it or as its paper says; once, for good (L-29, L-31)."""

    __tablename__ = "letter_receipts"
    __table_args__ = (CheckConstraint("(content IS NULL) = (media_type IS NULL)", name="content"),)

    letter_id: Mapped[int] = mapped_column(ForeignKey("letters.id"), primary_key=True, autoincrement=False)
    way: Mapped[ReceiptWay] = mapped_column(StrEnumType(ReceiptWay))
    handler: Mapped[str] = mapped_column(String(40))
    phone: Mapped[str] = mapped_column(String(40))
    # The day under the receiver's seal.
    received_on: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    # Base64 of a picture or PDF, encrypted.
    content: Mapped[str | None] = mapped_column(Encrypted, deferred=True)
    media_type: Mapped[str | None] = mapped_column(String(40))

    account: Mapped[Account] = relationship()
    org: Mapped[Organisation] = relationship()


class CardSide(StrEnum):
    """团员证“组织关系转接”页的栏目 (L-30)."""

    OUT = "out"
    IN = "in"

    @property
    def label(self) -> str:
        """The term on the card."""
        return {"out": "转出", "in": "转入"}[self.value]


class CardEntry(Base):
    """团员证登记: that one side has recorded and stamped its column of the member's card, and when (L-30)."""

    __tablename__ = "card_entries"

    letter_id: Mapped[int] = mapped_column(ForeignKey("letters.id"), primary_key=True, autoincrement=False)
    side: Mapped[CardSide] = mapped_column(StrEnumType(CardSide), primary_key=True)
    entered_on: Mapped[date]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))

    org: Mapped[Organisation] = relationship()


class ReminderKind(StrEnum):
    """What a letter's parties were reminded of."""

    RECEIPT = "receipt"
    LAPSED = "lapsed"


class LetterReminder(Base):
    """介绍信催办: once a kind and letter, so that no sweep repeats it (D-23)."""

    __tablename__ = "letter_reminders"

    letter_id: Mapped[int] = mapped_column(ForeignKey("letters.id"), primary_key=True, autoincrement=False)
    kind: Mapped[ReminderKind] = mapped_column(StrEnumType(ReminderKind), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


_VOIDING = frozenset({"state", "voided_at", "void_reason", "voided_by_account_id"})


@event.listens_for(Letter, "before_update")
def _only_void(_mapper: object, _connection: object, letter: Letter) -> None:
    state: Any = inspect(letter)
    changed = {column.key for column in state.mapper.column_attrs if state.attrs[column.key].history.has_changes()}
    if changed - _VOIDING:
        raise TypeError(f"an issued letter is immutable: {', '.join(sorted(changed - _VOIDING))}")


@event.listens_for(Letter, "before_delete")
def _never_gone(_mapper: object, _connection: object, _letter: Letter) -> None:
    raise TypeError("a letter is voided, never deleted")
