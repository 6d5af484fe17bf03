"""Tables of letters. A letter once issued never changes: it can only be made void (L-04, PD-27)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, event, inspect, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from zhtj.kernel.database import Base, Encrypted, StrEnumType, UtcDateTime
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
        Index(
            "uq_letters_application",
            "application_id",
            unique=True,
            sqlite_where=text("state = 'issued'"),
            postgresql_where=text("state = 'issued'"),
        ),
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
    def serial(self) -> str:
        """Year and number as printed."""
        return self.record.serial


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
