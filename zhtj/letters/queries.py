"""Reads of letters, inside what the seat may see; and the one public look at a letter by its code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind, scope
from zhtj.kernel.sql.listing import Listing
from zhtj.letters import rules
from zhtj.letters.models import Letter, LetterReceipt, LetterState
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of
from zhtj.people.finding import search
from zhtj.transfers.models import Application

WHOLE = (
    joinedload(Letter.issuer),
    joinedload(Letter.receiver),
    joinedload(Letter.issued_by),
    joinedload(Letter.voided_by),
)


class Validity(StrEnum):
    """效力 of a letter on a day (L-07)."""

    VALID = "valid"
    LAPSED = "lapsed"
    VOID = "void"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"valid": "有效", "lapsed": "已过有效期", "void": "已作废"}[self.value]

    @property
    def is_valid(self) -> bool:
        """Whether its receiver may still be shown it."""
        return self is Validity.VALID

    @property
    def is_lapsed(self) -> bool:
        """Whether its last day is over."""
        return self is Validity.LAPSED

    @property
    def is_void(self) -> bool:
        """Whether it was made void."""
        return self is Validity.VOID


def validity_of(letter: Letter, today: date | None = None) -> Validity:
    """What the letter is worth on a day, by default the present one: it counts to the end of its last valid day."""
    if letter.is_void:
        return Validity.VOID
    return Validity.VALID if (today or clock.today()) <= letter.last_valid_on else Validity.LAPSED


def rests_on_nothing(letter: Letter) -> bool:
    """Whether the application it was issued for has passed its due moment: it will be void (PD-28, PD-57)."""
    found = session.get(Application, letter.application_id) if letter.application_id else None
    return found is not None and found.has_lapsed


def visible(seat: ActiveSeat) -> ColumnElement[bool]:
    """His own to the member; to administrators those of members who left from their part of the tree."""
    if seat.kind is SeatKind.MEMBER:
        mine: ColumnElement[bool] = Letter.member_id == seat.member_id
        return mine
    places = select(Organisation.id).where(scope(Organisation.path, seat, Permission.LETTER_VIEW))
    return Letter.from_org_id.in_(places)


def letter(seat: ActiveSeat, number: int) -> Letter:
    """One letter by id. Raises NotFound outside the seat's part of the tree, Forbidden where its kind sees none."""
    query = select(Letter).where(Letter.id == number, visible(seat)).options(*WHOLE)
    found = session.scalars(query.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound
    return found


STATES = {**{one.value: one.label for one in Validity}, "waiting": "没有回执"}


@dataclass(frozen=True, slots=True)
class LetterFilters:
    """What the list is narrowed by; "" is no filter.

    Args:
        state: one of ``STATES``.
        text: start of the member's name.
    """

    SAID: ClassVar[Mapping[str, Callable[[str], str]]] = {"state": STATES.__getitem__}
    state: str = ""
    text: str = ""


def letters(seat: ActiveSeat, filters: LetterFilters) -> Listing[Letter]:
    """Letters the seat may see, newest first: for a committee its register of stubs (存根)."""
    query = select(Letter).where(visible(seat))
    if filters.state:
        query = query.where(*_in_state(filters.state))
    if filters.text:
        query = query.where(search.is_called(Letter.member_id, filters.text))
    return Listing(query, [Letter.id], descending=True, loads=WHOLE)


def _in_state(state: str) -> list[ColumnElement[bool]]:
    if state == Validity.VOID:
        return [Letter.state == LetterState.VOID]
    issued, today = Letter.state == LetterState.ISSUED, clock.today()
    if state == Validity.VALID:
        return [issued, Letter.last_valid_on >= today]
    if state == Validity.LAPSED:
        return [issued, Letter.last_valid_on < today]
    receipt = select(LetterReceipt.letter_id).where(LetterReceipt.letter_id == Letter.id)
    return [issued, ~receipt.exists()]


def with_receipt(numbers: list[int]) -> set[int]:
    """Those of these letters whose receipt is there."""
    return set(session.scalars(select(LetterReceipt.letter_id).where(LetterReceipt.letter_id.in_(numbers))))


def of_application(application_id: int) -> Letter | None:
    """The application's newest letter, valid or void."""
    query = select(Letter).where(Letter.application_id == application_id).options(*WHOLE)
    return session.scalars(query.order_by(Letter.id.desc()).limit(1)).first()


def problem(application: Application) -> DomainError | None:
    """Why its origin's policy lets no letter be issued for it as it stands; None if one may be (PD-28, PD-62)."""
    policy = policy_of(application.from_org)
    return rules.state_problem(application.state, requires_completion=policy.letter_requires_completion)


def of_member(member_id: int) -> list[Letter]:
    """Every letter about a member, newest first."""
    query = select(Letter).where(Letter.member_id == member_id).options(*WHOLE)
    return list(session.scalars(query.order_by(Letter.id.desc())))


@dataclass(frozen=True, slots=True)
class PublicView:
    """What the public page shows of a letter, and nothing else (PD-29); only the family name is not masked."""

    serial: str
    name: str
    issuer: str
    receiver: str
    issued_on: date
    last_valid_day: date
    validity: Validity


def of_code(code: str) -> Letter | None:
    """The letter behind a check code as printed or typed, whole; for whoever may fill its slip three."""
    typed = code.strip().upper().replace("－", "-")
    return session.scalars(select(Letter).where(Letter.code == typed).options(*WHOLE)).first()


def by_code(code: str) -> PublicView | None:
    """What everybody may see behind a check code, or None; the caller limits the attempts (PD-29)."""
    found = of_code(code)
    if found is None:
        return None
    record = found.record
    # PD-29: what everybody may see, and nothing else.
    return PublicView(
        serial=record.serial,
        name=record.name[0] + "*" * (len(record.name) - 1),
        issuer=record.issuer,
        receiver=record.receiver,
        issued_on=record.issued_on,
        last_valid_day=record.last_valid_day,
        validity=Validity.VOID if rests_on_nothing(found) else validity_of(found),
    )
