"""Applications that may have a letter of this committee and have none yet: from these one picks for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload

from zhtj.kernel import clock
from zhtj.kernel.permissions import ActiveSeat, Permission, scope, subtree
from zhtj.kernel.sql.listing import Listing
from zhtj.letters import rules
from zhtj.letters.models import Letter, LetterState
from zhtj.people.finding import search
from zhtj.people.models import Account, Member
from zhtj.policy.model import Policy
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State


@dataclass(frozen=True, slots=True)
class CandidateFilters:
    """What the list is narrowed by; "" or None is no filter.

    Args:
        text: start of the name, or a whole student number.
        org_id: the branch they leave.
        done: ``yes`` for completed transfers alone, ``no`` for those under way.
    """

    text: str = ""
    org_id: int | None = None
    done: str = ""


def listing(seat: ActiveSeat, policy: Policy, filters: CandidateFilters) -> Listing[Application]:
    """Applications without valid letter that leave the seat's committee, branch by branch, as the papers will lie."""
    loads = (
        joinedload(Application.member).joinedload(Member.account),
        joinedload(Application.from_org),
        joinedload(Application.to_org),
        joinedload(Application.final_org),
    )
    return Listing(_listed(seat, policy, filters), [Application.from_path, Application.id], loads=loads)


def picked(
    seat: ActiveSeat, policy: Policy, filters: CandidateFilters, ids: Sequence[int] | None, most: int
) -> list[int]:
    """Ids of the applications of that list: all, or those with these ids; branch by branch, so that papers lie so."""
    found = listing(seat, policy, filters).ordered(Application.from_path, Account.name, Application.id)
    if ids is not None:
        found = found.where(Application.id.in_(ids))
    return found.take(most, Application.id)


def _listed(seat: ActiveSeat, policy: Policy, filters: CandidateFilters) -> Select[Application]:
    allowed = [State.COMPLETED] if policy.letter_requires_completion else list(set(State) - rules.FAILED)
    letter = select(Letter.id).where(Letter.application_id == Application.id, Letter.state == LetterState.ISSUED)
    query = (
        select(Application)
        .join(Member, Member.id == Application.member_id)
        .join(Account, Account.id == Member.account_id)
        .where(
            scope(Application.from_path, seat, Permission.LETTER_ISSUE),
            Application.state.in_(allowed),
            or_(Application.due_at.is_(None), Application.due_at > clock.now()),
            ~letter.exists(),
            # Inside one committee none is needed (L-06).
            ~subtree(Application.to_path, seat.path),
        )
    )
    text = filters.text.strip()
    if text:
        query = query.where(search.is_named(text))
    if filters.org_id is not None:
        query = query.where(Application.from_org_id == filters.org_id)
    if filters.done:
        completed = Application.state == State.COMPLETED
        query = query.where(completed if filters.done == "yes" else ~completed)
    return query
