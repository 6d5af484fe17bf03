"""Tables of transfers: the application, its history, the member's draft (PD-14 … PD-20)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from zhtj.graduation.models import RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.database import Base, Encrypted, StrEnumType, UtcDateTime, partial_index, sorted_text
from zhtj.orgs.models import Organisation, Region
from zhtj.orgs.naming import own_name
from zhtj.people.models import Account, Member
from zhtj.policy.vocabulary import Destination, Suitability
from zhtj.transfers.workflow import FAILED, OPEN, RUNNING, Action, Initiator, State, Track, Way


def _in(states: frozenset[State]) -> str:
    return "(" + ", ".join(sorted(f"'{state.value}'" for state in states)) + ")"


class Application(Base):
    """组织关系转接申请. One state column; the row stays for ever once it has ended."""

    __tablename__ = "applications"
    __table_args__ = (
        # A-06, and the invariant behind it: at most one open application a member.
        partial_index("uq_applications_open_member", "member_id", where=f"state IN {_in(OPEN)}", unique=True),
        Index("ix_applications_member_id", "member_id", "id", postgresql_include=["state"]),
        Index("ix_applications_holder", "holder_id", "id"),
        Index("ix_applications_from", "from_org_id", "id"),
        Index("ix_applications_to", "to_org_id", "id"),
        Index("ix_applications_from_path", "from_path", "id"),
        Index("ix_applications_to_path", "to_path", "id", postgresql_include=["season", "state"]),
        # Whole answers for a province: a season's figures and failures; what goes back next, waits longest, is special.
        Index(
            "ix_applications_season",
            "season",
            "season_path",
            postgresql_include=["state", "reason", "kind", "place", "level", "register_row_id"],
        ),
        partial_index(
            "ix_applications_failed",
            "season",
            "season_path",
            where=f"state IN {_in(FAILED)}",
            beside=["state", "ended_at", "id", "member_id", "register_row_id"],
        ),
        partial_index(
            "ix_applications_running",
            "due_at",
            "id",
            where="ended_at IS NULL",
            beside=["state", "holder_id", "submitted_at", "waiting_since", "from_path", "to_path"],
        ),
        partial_index("ix_applications_open", "submitted_at", "id", where=f"state IN {_in(OPEN)}"),
        Index("ix_applications_state", "state", "id"),
        # What lies with whom, of those who come from a place and of those who go to one.
        partial_index(
            "ix_applications_held_from",
            "season",
            "season_path",
            where=f"state IN {_in(OPEN)}",
            beside=["state", "register_row_id", "holder_id", "waiting_since", "due_at"],
        ),
        partial_index(
            "ix_applications_held_to",
            "season",
            "to_path",
            where=f"state IN {_in(OPEN)}",
            beside=["state", "season_path", "register_row_id", "holder_id", "waiting_since", "due_at"],
        ),
        partial_index("ix_applications_oldest", "waiting_since", "id", where=f"state IN {_in(OPEN)}"),
        partial_index("ix_applications_special", "from_path", "id", where="kind = 'special_pool'"),
        CheckConstraint(f"(state IN {_in(RUNNING)}) = (due_at IS NOT NULL)", name="due"),
        CheckConstraint(f"(state IN {_in(OPEN)}) = (ended_at IS NULL)", name="ended"),
        CheckConstraint(f"(state IN {_in(OPEN)}) = (holder_id IS NOT NULL)", name="holder"),
        CheckConstraint("state != 'completed' OR final_org_id IS NOT NULL", name="completed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    register_row_id: Mapped[int | None] = mapped_column(ForeignKey("season_register.id"), index=True)
    initiator: Mapped[Initiator] = mapped_column(StrEnumType(Initiator))
    initiator_account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    initiator_org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    from_org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    to_org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    # Where the two stand in the tree: with them the database knows how much of a list lies below an organisation.
    from_path: Mapped[str] = mapped_column(sorted_text(64))
    to_path: Mapped[str] = mapped_column(sorted_text(64))
    # Of the register row, whose season and path never change (PD-08).
    season: Mapped[int | None]
    season_path: Mapped[str | None] = mapped_column(sorted_text(64))
    final_org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    # Whose turn it is; its office (PD-22) decides.
    holder_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    release_needed: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(String(32))
    place: Mapped[str | None] = mapped_column(String(32))
    # Row of the decision table, where the applicant said more than the reason tells (劳务派遣 …): its facts count.
    situation: Mapped[str | None] = mapped_column(String(32))
    unit_name: Mapped[str | None] = mapped_column(String(120))
    unit_address: Mapped[str | None] = mapped_column(String(160))
    contact_mobile: Mapped[str | None] = mapped_column(Encrypted)
    remark: Mapped[str | None] = mapped_column(Text)
    # What the destination was for the member when he applied, and what the destination table said to it (PD-11).
    kind: Mapped[Destination] = mapped_column(StrEnumType(Destination))
    level: Mapped[Suitability] = mapped_column(StrEnumType(Suitability))
    # Sentences of the destination table the applicant confirmed; the approver sees them too (PD-11).
    warnings: Mapped[list[str]] = mapped_column(JSON, default=list)
    # Full name in the external system: the destination's, or the origin's of somebody who comes from there.
    external_name: Mapped[str | None] = mapped_column(String(120))
    # A special unit's name, where it may be told at all; screens show the generic destination instead (S-09).
    secret_unit: Mapped[str | None] = mapped_column(Encrypted, deferred=True)
    state: Mapped[State] = mapped_column(StrEnumType(State))
    version: Mapped[int] = mapped_column(default=1)
    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Since when the present step waits.
    waiting_since: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The ended application this one starts again (PD-14).
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("applications.id"))

    member: Mapped[Member] = relationship()
    register_row: Mapped[RegisterRow | None] = relationship()
    initiator_account: Mapped[Account] = relationship()
    from_org: Mapped[Organisation] = relationship(foreign_keys=[from_org_id])
    to_org: Mapped[Organisation] = relationship(foreign_keys=[to_org_id])
    final_org: Mapped[Organisation | None] = relationship(foreign_keys=[final_org_id])
    holder: Mapped[Organisation | None] = relationship(foreign_keys=[holder_id])
    events: Mapped[list[ApplicationEvent]] = relationship(
        back_populates="application", order_by="ApplicationEvent.id", viewonly=True
    )

    @property
    def way(self) -> Way:
        """What decides its way through the workflow."""
        return Way(self.initiator, self.to_org.is_branch, self.release_needed, track=self.track)

    @property
    def has_lapsed(self) -> bool:
        """Whether its due moment has come, swept or not: it goes back, and nothing rests on it any more (PD-18)."""
        return self.due_at is not None and self.due_at <= clock.now()

    @property
    def goes_back_at(self) -> datetime:
        """By when it is to be decided; far away while no clock runs, so that it can be sorted by."""
        return self.due_at or clock.NEVER

    @property
    def track(self) -> Track:
        """Between our organisations, to the special units' pool, or into an external system."""
        return TRACKS.get(self.kind, Track.DOMESTIC)

    @property
    def from_name(self) -> str:
        """The old organisation as screens call it; one of an external system by its name there."""
        return _name(self.from_org, self.external_name)

    @property
    def to_name(self) -> str:
        """The destination as screens call it: a special unit generically, one of an external system by its name there.

        Once completed, the branch that took him in.
        """
        if self.track is Track.SPECIAL:
            return self.unit_label
        return _name(self.final_org or self.to_org, self.external_name)

    @property
    def unit_label(self) -> str:
        """Unit or school as screens show it: of a special unit only the generic destination (S-04, S-09)."""
        if self.track is Track.SPECIAL:
            return special_label(self.remark)
        return self.unit_name or ""


TRACKS = {Destination.SPECIAL_POOL: Track.SPECIAL, Destination.EXTERNAL: Track.EXTERNAL}


def special_label(remark: str | None) -> str:
    """The generic destination of a special unit, read off the remark that must name it (S-04, S-09)."""
    return "涉密单位" if "涉密" in (remark or "") else "参军入伍"


def _name(organisation: Organisation, external_name: str | None) -> str:
    if organisation.system is Region.NATIONAL or not external_name:
        return organisation.short_name
    return f"{external_name}（{organisation.system.label}）"


class ApplicationEvent(Base):
    """办理记录: one step of an application, with who, in which organisation, when and why (A-07)."""

    __tablename__ = "application_events"
    __table_args__ = (
        Index(
            "ix_application_events_application_id",
            "application_id",
            postgresql_include=["action", "from_state", "ground"],
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"))
    action: Mapped[Action] = mapped_column(StrEnumType(Action))
    from_state: Mapped[State | None] = mapped_column(StrEnumType(State))
    to_state: Mapped[State] = mapped_column(StrEnumType(State))
    # None: the system.
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    # Where whoever acted sits; of a return who held it and let it lapse (PD-18).
    org_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    ground: Mapped[str | None] = mapped_column(String(32))
    remark: Mapped[str | None] = mapped_column(Text)
    # What was amended: field, before, after; numbers masked (PD-16).
    changes: Mapped[list[dict[str, str]] | None] = mapped_column(JSON(none_as_null=True))
    # A return takes effect at the due time; ``recorded_at`` says when it was written (PD-18).
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    application: Mapped[Application] = relationship(back_populates="events")
    account: Mapped[Account | None] = relationship()
    org: Mapped[Organisation | None] = relationship()


class TransferDraft(Base):
    """草稿: what a member has answered so far; one each, resumable on any device. No application yet (PD-14)."""

    __tablename__ = "transfer_drafts"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Arrival(Base):
    """新转入团员: what the new organisation still has to do for somebody who arrived (U-26, A-30)."""

    __tablename__ = "arrivals"
    __table_args__ = (Index("ix_arrivals_arrived_at", "arrived_at", "application_id"),)

    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    # Where that stands in the tree.
    path: Mapped[str] = mapped_column(sorted_text(64), index=True)
    arrived_at: Mapped[datetime] = mapped_column(UtcDateTime)
    contacted_on: Mapped[date | None]
    informed_on: Mapped[date | None]
    reported_on: Mapped[date | None]
    dues_from: Mapped[date | None]

    member: Mapped[Member] = relationship()


class Objection(Base):
    """申诉: the applicant objects once to a refusal; the refuser's direct superior decides (PD-17)."""

    __tablename__ = "objections"
    __table_args__ = (
        CheckConstraint("(decided_at IS NULL) = (sustained IS NULL)", name="decided"),
        Index("ix_objections_org", "org_id", "decided_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    # The refuser's direct superior, whose office decides.
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    text: Mapped[str] = mapped_column(Text)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sustained: Mapped[bool | None]
    answer: Mapped[str | None] = mapped_column(Text)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    # The application that a sustained objection started, if none was open.
    new_application_id: Mapped[int | None] = mapped_column(ForeignKey("applications.id"))

    application: Mapped[Application] = relationship(foreign_keys=[application_id])
    new_application: Mapped[Application | None] = relationship(foreign_keys=[new_application_id])
    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    decided_by: Mapped[Account | None] = relationship(foreign_keys=[decided_by_id])
    org: Mapped[Organisation] = relationship()


class RefusalFlag(Base):
    """违规拒收提示: a refusal whose remark names a forbidden ground; the level above looks at it (A-16, PD-17)."""

    __tablename__ = "refusal_flags"
    __table_args__ = (Index("ix_refusal_flags_org", "org_id", "seen_at", "application_id"),)

    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), primary_key=True)
    org_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seen_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    note: Mapped[str | None] = mapped_column(Text)

    application: Mapped[Application] = relationship()
    org: Mapped[Organisation] = relationship()
    seen_by: Mapped[Account | None] = relationship()


class Evidence(Base):
    """凭据: what shows what an external system decided - words, and a picture or PDF (PD-32, X-07)."""

    __tablename__ = "evidence"

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    filename: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(40))
    # Base64, encrypted: it may show a person's data.
    content: Mapped[str] = mapped_column(Encrypted, deferred=True)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)

    application: Mapped[Application] = relationship()
    account: Mapped[Account] = relationship()


SCHOOL_NAME_AT_MOST = 120


class AdmissionWait(Base):
    """升学等待: one member waits for one school; at most one is open a member."""

    __tablename__ = "admission_waits"
    __table_args__ = (
        partial_index("uq_admission_waits_open", "member_id", where="ended_at IS NULL", unique=True),
        Index("ix_admission_waits_school_id_id", "school_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    # None: a school that does not stand in the tree yet; its name as it was typed.
    school_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    school_name: Mapped[str] = mapped_column(String(SCHOOL_NAME_AT_MOST))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    member: Mapped[Member] = relationship()
    school: Mapped[Organisation | None] = relationship()

    @property
    def name(self) -> str:
        """What the school is called."""
        return own_name(self.school.short_name) if self.school else self.school_name


NOTE_AT_MOST = 500


class ExceptionNote(Base):
    """特殊情况: the remark on an unsuccessful application, or a whole line about a graduate who never applied."""

    __tablename__ = "exception_notes"
    __table_args__ = (
        CheckConstraint("(application_id IS NULL) != (register_row_id IS NULL)", name="about"),
        CheckConstraint("(register_row_id IS NULL) = (reason IS NULL)", name="reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int | None] = mapped_column(ForeignKey("applications.id"), unique=True)
    register_row_id: Mapped[int | None] = mapped_column(ForeignKey("season_register.id"), unique=True)
    # What the application would say, for a line entered by hand.
    transfer_type: Mapped[str | None] = mapped_column(String(40))
    province: Mapped[str | None] = mapped_column(String(40))
    city: Mapped[str | None] = mapped_column(String(40))
    destination: Mapped[str | None] = mapped_column(String(120))
    reason: Mapped[str | None] = mapped_column(String(200))
    remark: Mapped[str | None] = mapped_column(String(NOTE_AT_MOST))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)

    application: Mapped[Application | None] = relationship()
    register_row: Mapped[RegisterRow | None] = relationship()
