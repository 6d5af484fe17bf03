"""What waits for an office, as the badge, 待办 and the digest count it."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import literal

from zhtj.kernel.permissions import ActiveSeat
from zhtj.notices import waiting
from zhtj.notices.waiting import WaitingKind


def waits_for(seat: ActiveSeat) -> dict[WaitingKind, int]:
    """How much of each kind waits for the seat's office; kinds of which nothing does are missing."""
    found: Counter[WaitingKind] = Counter()
    for kind, _, number in waiting.counts(seat.org_id, literal(0)):
        if kind and number:
            found[WaitingKind(kind)] += number
    return dict(found)
