"""Tables of people: one account a person, any number of seats, at most one member record (PD-02)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from zhtj.kernel import names, pinyin
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import Base, Encrypted, StrEnumType, UtcDateTime, partial_index, sorted_text
from zhtj.orgs.models import Organisation


class Account(Base):
    """账号: one person, who signs in by ID or mobile number (PD-04)."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sorted_text(60), index=True)
    # Of the name, with the surname's usual reading; other ways to find it are ``NameTerm``.
    initials: Mapped[str | None] = mapped_column(sorted_text(60), index=True)
    # Deferred: a list shows none of it, and each costs a decryption.
    id_number: Mapped[str | None] = mapped_column(Encrypted, deferred=True)
    id_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    mobile: Mapped[str | None] = mapped_column(Encrypted)
    mobile_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    # Part of the session: a new password signs out everywhere.
    session_version: Mapped[int] = mapped_column(default=1)
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    name_terms: Mapped[list[NameTerm]] = relationship(cascade="all, delete-orphan")

    def set_name(self, name: str) -> None:
        """Store the name in its one form, and what it is searched for by (PD-55)."""
        # PD-55: whatever door it came in by, a name is kept in one form.
        self.name = names.tidy(name)
        self.initials = pinyin.of_person(self.name)
        kept = {one.term: one for one in self.name_terms}
        self.name_terms = [kept.get(term) or NameTerm(term=term) for term in sorted(pinyin.person_terms(self.name))]

    def set_id_number(self, number: str | None) -> None:
        """Store the 18-digit number and its look-up hash together; its x is always a capital (K-19)."""
        number = number.upper() if number else None
        self.id_number = number
        self.id_hash = keyed_hash("id_number", number) if number else None

    def set_mobile(self, number: str | None) -> None:
        """Store the mobile number and its look-up hash together (U-03: one number, one person)."""
        self.mobile = number
        self.mobile_hash = keyed_hash("mobile", number) if number else None


class NameTerm(Base):
    """A further text by whose beginning a person is found: a part of the name, another reading of the surname."""

    __tablename__ = "name_terms"
    __table_args__ = ({"sqlite_with_rowid": False},)

    term: Mapped[str] = mapped_column(sorted_text(60), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id"), primary_key=True, autoincrement=False, index=True
    )


class UnclearName(Base):
    """A name that stood here before names had one form, and is none; correcting it is up to people (PD-55)."""

    __tablename__ = "unclear_names"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(60))


class Post(StrEnum):
    """职务 of a seat. Each of them administers its organisation."""

    SECRETARY = "secretary"
    DEPUTY = "deputy"
    ADMINISTRATOR = "administrator"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"secretary": "书记", "deputy": "副书记", "administrator": "管理员"}[self.value]


# PD-02: one account, any number of seats; a request is judged by the active one alone.
class Seat(Base):
    """任职: an account in a post of an organisation, from a day to a day."""

    __tablename__ = "seats"
    __table_args__ = (
        partial_index("uq_seats_open", "account_id", "org_id", "post", where="ended_at IS NULL", unique=True),
        partial_index("ix_seats_org_open", "org_id", where="ended_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    post: Mapped[Post] = mapped_column(StrEnumType(Post))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_why: Mapped[str | None] = mapped_column(String(64))

    account: Mapped[Account] = relationship()
    org: Mapped[Organisation] = relationship()


class Sex(StrEnum):
    """性别, as the ID number says."""

    MALE = "male"
    FEMALE = "female"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return "男" if self is Sex.MALE else "女"


ARCHIVED, SUSPENDED = "archived_at IS NOT NULL", text("suspended_at IS NOT NULL")


class Member(Base):
    """团员: the League record of a person. ``org_id`` repeats the open membership's branch, for lists."""

    __tablename__ = "members"
    __table_args__ = (
        Index("ix_members_org_id_id", "org_id", "id"),
        # What lists are sorted and narrowed by; what is rare has an index of its own.
        Index("ix_members_born_id", "born", "id"),
        Index("ix_members_joined_on_id", "joined_on", "id"),
        Index("ix_members_dev_number", "dev_number"),
        Index("ix_members_political_status", "political_status"),
        Index("ix_members_dues_until", "dues_until"),
        partial_index("ix_members_archived", "id", where="archived_at IS NOT NULL"),
        partial_index("ix_members_suspended", "id", where="suspended_at IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), unique=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    sex: Mapped[Sex] = mapped_column(StrEnumType(Sex))
    # As the ID number says; kept in the clear because lists by age must find it (U-24, PD-13).
    born: Mapped[date | None]
    ethnicity: Mapped[str | None] = mapped_column(String(20))
    joined_on: Mapped[date]
    dev_number: Mapped[str | None] = mapped_column(String(12))
    student_no: Mapped[str | None] = mapped_column(String(30), index=True)
    major: Mapped[str | None] = mapped_column(String(60))
    degree: Mapped[str | None] = mapped_column(String(20))
    political_status: Mapped[str | None] = mapped_column(String(20))
    household: Mapped[str | None] = mapped_column(String(120))
    origin: Mapped[str | None] = mapped_column(String(120))
    residence: Mapped[str | None] = mapped_column(String(120))
    emergency_name: Mapped[str | None] = mapped_column(Encrypted, deferred=True)
    emergency_phone: Mapped[str | None] = mapped_column(Encrypted, deferred=True)
    dues_until: Mapped[date | None]
    is_graduate: Mapped[bool] = mapped_column(default=False)
    # 停止团籍 (D-21); None otherwise.
    suspended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Key of the ground, see ``zhtj.people.archive_grounds``.
    archived_why: Mapped[str | None] = mapped_column(String(32))
    # The record that stayed when two of one person were merged (K-19).
    merged_into_id: Mapped[int | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship()
    org: Mapped[Organisation] = relationship()

    @property
    def name(self) -> str:
        """The person's name."""
        return self.account.name

    @property
    def path(self) -> str:
        """The branch's place in the tree, by which lists are ordered."""
        return self.org.path

    def age_on(self, day: date) -> int | None:
        """Completed years (周岁); None where the day of birth is not known."""
        if self.born is None:
            return None
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))


class Membership(Base):
    """团籍所在: an interval of one member in one branch; exactly one is open."""

    __tablename__ = "memberships"
    __table_args__ = (
        partial_index("uq_memberships_open", "member_id", where="ended_at IS NULL", unique=True),
        CheckConstraint("ended_at IS NULL OR ended_at >= started_at", name="interval"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="end"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    began_by: Mapped[str] = mapped_column(String(40))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str | None] = mapped_column(String(40))

    org: Mapped[Organisation] = relationship()


class CodeKind(StrEnum):
    """The three kinds of one mechanism (PD-03)."""

    ACTIVATION = "activation"
    RESET = "reset"
    REGISTRATION = "registration"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"activation": "账号激活码", "reset": "重置密码验证码", "registration": "管理员注册码"}[self.value]


LIVE_CODE = "used_at IS NULL AND revoked_at IS NULL"


class Code(Base):
    """验证码 or 注册码: single use, bound to an account or an organisation, kept only as a keyed hash."""

    __tablename__ = "codes"
    __table_args__ = (
        CheckConstraint("(kind = 'registration') = (account_id IS NULL)", name="account"),
        CheckConstraint("(kind = 'registration') = (org_id IS NOT NULL)", name="org"),
        # One person, one code of a kind (U-06); one organisation, one registration code (U-07).
        partial_index("uq_codes_live_account", "account_id", "kind", where=LIVE_CODE, unique=True),
        partial_index("uq_codes_live_org", "org_id", where=LIVE_CODE, unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[CodeKind] = mapped_column(StrEnumType(CodeKind))
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    issued_by_seat_id: Mapped[int | None] = mapped_column(ForeignKey("seats.id"))
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # A newer code for the same person takes the place of this one.
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class MemberView(Base):
    """常用名单: filters, columns and order of the list of members, kept under a name for one person in one seat."""

    __tablename__ = "member_views"
    __table_args__ = (UniqueConstraint("account_id", "org_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(String(30))
    # Arguments of the list's address.
    query: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Likeness(StrEnum):
    """Why two records may be one person's (疑似重复)."""

    NAME_BORN = "name_born"
    DEV_NUMBER = "dev_number"
    STUDENT_NO = "student_no"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {
            "name_born": "姓名、出生日期、性别相同",
            "dev_number": "发展团员编号相同",
            "student_no": "姓名、学号相同",
        }[self.value]


class LikelyDuplicate(Base):
    """疑似重复: two records that may be one person's, until somebody has found that they are not (U-15, K-19)."""

    __tablename__ = "likely_duplicates"
    __table_args__ = (
        UniqueConstraint("one_id", "other_id"),
        CheckConstraint("one_id < other_id", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    one_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    ground: Mapped[Likeness] = mapped_column(StrEnumType(Likeness))
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # 确认不是同一人.
    apart_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    apart_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    apart_why: Mapped[str | None] = mapped_column(String(200))

    one: Mapped[Member] = relationship(foreign_keys=[one_id])
    other: Mapped[Member] = relationship(foreign_keys=[other_id])
