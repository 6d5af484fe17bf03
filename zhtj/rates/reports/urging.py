"""催办 of the lagging: one message an office, matter and day, whoever sends it; it says who did (PD-19, PD-38)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from zhtj.kernel import audit, clock
from zhtj.kernel.database import insert_new, session
from zhtj.kernel.permissions import ActiveSeat
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account
from zhtj.rates.models import Urging, UrgingTopic

MOST = 500
"""Offices urged at once."""


@dataclass(frozen=True, slots=True)
class UrgingMessage:
    """What one office is told; the sender is put in front of ``body``."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Urged:
    """What came of it: how many were told, and how many had heard of it today already."""

    sent: int
    known: int

    @property
    def text(self) -> str:
        """In one sentence."""
        parts = [f"已向 {self.sent} 个组织发出催办"] if self.sent else []
        if self.known:
            parts.append(f"{self.known} 个今天已经催办过，没有重复发送")
        return ("；".join(parts) or "没有要催办的组织") + "。"


def urge(seat: ActiveSeat, topic: UrgingTopic, letters: Mapping[int, UrgingMessage]) -> Urged:
    """Send each office its message, unless it has heard of the matter today, from whomever.

    Args:
        seat: who urges.
        topic: what it is about.
        letters: by office; the seat's own is left out, it need not write to itself.
    """
    wanted = {office: letter for office, letter in letters.items() if office != seat.org_id}
    if not wanted:
        return Urged(0, 0)
    mine = _claim(seat, topic, sorted(wanted))
    who = _signature(seat)
    notices.send_many(
        NewMessage(MessageKind.REMINDER, wanted[office].title, f"{who}催办：{wanted[office].body}", org_id=office)
        for office in mine
    )
    audit.record_many("rates.urge", "organisation", [(office, {"topic": topic.value}) for office in mine])
    return Urged(len(mine), len(wanted) - len(mine))


def _claim(seat: ActiveSeat, topic: UrgingTopic, offices: Sequence[int]) -> list[int]:
    """Those that nobody has urged today; of two at the same moment one waits for the other and then sees it."""
    now = clock.now()
    values = [
        {
            "office_id": office,
            "topic": topic,
            "day": clock.today(),
            "at": now,
            "by_org_id": seat.org_id,
            "account_id": seat.account_id,
        }
        for office in offices
    ]
    return sorted(session.scalars(insert_new(Urging).values(values).returning(Urging.office_id)))


def _signature(seat: ActiveSeat) -> str:
    organisation = session.get_one(Organisation, seat.org_id)
    return f"{organisation.short_name}（{session.get_one(Account, seat.account_id).name}）"


def today(topic: UrgingTopic, offices: Sequence[int]) -> dict[int, Urging]:
    """Who of these has heard of it today, with who sent it and when."""
    query = (
        select(Urging)
        .where(Urging.office_id.in_(offices), Urging.topic == topic, Urging.day == clock.today())
        .options(joinedload(Urging.by_org))
    )
    return {each.office_id: each for each in session.scalars(query)} if offices else {}
