"""草稿: what a member has answered so far, one each, on any device; no application yet (PD-14)."""

from __future__ import annotations

from typing import Any

from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.people.models import Member
from zhtj.transfers import queries
from zhtj.transfers.models import TransferDraft


def save(member: Member, answers: dict[str, Any]) -> TransferDraft:
    """Keep what the member has answered so far; what was answered before and is not asked again stays."""
    draft = queries.draft(member.id)
    if draft is None:
        draft = TransferDraft(member_id=member.id, answers={}, saved_at=clock.now())
        session.add(draft)
    draft.answers = {**draft.answers, **answers}
    draft.saved_at = clock.now()
    session.flush()
    return draft


def drop(member: Member) -> None:
    """Forget the draft; the member starts anew."""
    draft = queries.draft(member.id)
    if draft is not None:
        session.delete(draft)
        session.flush()
