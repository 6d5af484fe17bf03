"""Tables of identity: verification of number and name, certification by the application form, the sheet (U-12)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from zhtj.kernel.database import Base, Encrypted, StrEnumType, UtcDateTime
from zhtj.people.models import Account, Member


class CheckState(StrEnum):
    """How a member's ID number and name stand (身份认证)."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    MISMATCH = "mismatch"
    RETRY = "retry"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"unverified": "未认证", "verified": "已认证", "mismatch": "不一致", "retry": "待重查"}[self.value]

    @property
    def is_unverified(self) -> bool:
        """Whether there is no answer yet; it is asked for without anybody's doing."""
        return self is CheckState.UNVERIFIED


class Fault(StrEnum):
    """Why verification failed: the three cases of the rulebook (U-12)."""

    DATA = "data"
    """(a) number or name differ from the card."""
    PERSON = "person"
    """(b) name and number were both changed: one person became another."""
    SOURCE = "source"
    """(c) right here, not yet in the data it is compared with."""

    @property
    def needs_correction(self) -> bool:
        """Whether our record is wrong; if not, there is nothing to do but wait."""
        return self is not Fault.SOURCE


class IdentityCheck(Base):
    """身份认证: the last answer about a member's number and name, and when it is asked again."""

    __tablename__ = "identity_checks"
    __table_args__ = (Index("ix_identity_checks_state", "state", "member_id"),)

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[CheckState] = mapped_column(StrEnumType(CheckState))
    fault: Mapped[Fault | None] = mapped_column(StrEnumType(Fault))
    # What exactly is wrong, in words; no number.
    note: Mapped[str | None] = mapped_column(String(200))
    # Keyed hashes of what was verified last: shows that somebody has changed it since.
    name_hash: Mapped[str | None] = mapped_column(String(64))
    number_hash: Mapped[str | None] = mapped_column(String(64))
    # Who answered: the local rules, or the verifier that is plugged in.
    verifier: Mapped[str | None] = mapped_column(String(40))
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    member: Mapped[Member] = relationship()


class Origin(StrEnum):
    """What a certification rests on (认证依据)."""

    REVIEWED = "reviewed"
    OWN_ORGAN = "own_organ"
    VOUCHED = "vouched"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"reviewed": "上级审核通过", "own_organ": "本级上传，不需审核", "vouched": "历史数据已核"}[self.value]


class Certification(Base):
    """团员身份认证: the approved 入团志愿书 of a member, or that his old record was vouched for (U-13, E-01)."""

    __tablename__ = "certifications"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    certified_at: Mapped[datetime] = mapped_column(UtcDateTime)
    origin: Mapped[Origin] = mapped_column(StrEnumType(Origin))
    # The PDF, where the cases keep it; None where the record was vouched for without one.
    file_id: Mapped[int | None] = mapped_column(ForeignKey("case_files.id"))


class RegistrationSheet(Base):
    """团员信息登记表: what a member with an incomplete file declares in its place (F-16)."""

    __tablename__ = "registration_sheets"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    # JSON by field; encrypted, for it is a life in short (PD-37).
    content: Mapped[str] = mapped_column(Encrypted)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    version: Mapped[int] = mapped_column(default=1)

    account: Mapped[Account] = relationship()
