"""Told in time: a term that runs out, a contact that is due; each stage once, whatever was missed (D-18, R-12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import chain

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import joinedload

from zhtj.floating.models import Stay, StayKind
from zhtj.floating.queries import what_is_due
from zhtj.floating.rules import AHEAD, CONTACT_AHEAD, DeadlineStage, contact_stage, stage
from zhtj.kernel import clock, dates
from zhtj.kernel.database import session
from zhtj.kernel.sql.listing import Listing
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Member
from zhtj.policy.spoken import months

TERM, CONTACT = "期限", "联系"
Told = tuple[Stay, DeadlineStage]


def remind() -> int:
    """Tell members and whoever looks after them what is due; twice is the same as once (PD-36). Returns messages."""
    sent = notices.send_many(_messages(list(_term(clock.today())), TERM))
    return sent + notices.send_many(_messages(list(_contact(clock.today())), CONTACT))


def _term(today: date) -> Iterator[Told]:
    due = and_(Stay.next_on <= today + timedelta(days=AHEAD), Stay.term_told < DeadlineStage.PAST)
    for stay in _found(due):
        reached = stage(stay.deadline, today)
        mine = and_(Stay.term_told < reached, Stay.next_on == stay.next_on)
        if reached > stay.term_told and _claim(stay, mine, term_told=reached):
            yield stay, reached


def _contact(today: date) -> Iterator[Told]:
    due = and_(Stay.contact_by <= today + timedelta(days=CONTACT_AHEAD), Stay.contact_told < DeadlineStage.PAST)
    for stay in _found(due):
        reached = contact_stage(stay.contact_by, today)
        mine = and_(Stay.contact_told < reached, Stay.contact_by == stay.contact_by)
        if reached > stay.contact_told and _claim(stay, mine, contact_told=reached):
            yield stay, reached


def _found(due: ColumnElement[bool]) -> Iterator[Stay]:
    query = (
        select(Stay)
        .join(Member, Member.id == Stay.member_id)
        .where(Stay.ended_at.is_(None), Stay.org_id == Member.org_id, Member.archived_at.is_(None), due)
    )
    loads = (joinedload(Stay.member).joinedload(Member.account), joinedload(Stay.org), joinedload(Stay.home))
    found: Listing[Stay] = Listing(query, [Stay.id], loads=loads)
    return chain.from_iterable(found.walk(forget=False))


def _claim(stay: Stay, mine: ColumnElement[bool], **values: int) -> bool:
    """Note the stage, unless somebody else has at this very moment."""
    taken = session.execute(
        update(Stay).where(Stay.id == stay.id, Stay.ended_at.is_(None), mine).values(**values).returning(Stay.id),
        execution_options={"synchronize_session": False},
    ).first()
    return taken is not None


def _messages(told: Sequence[Told], what: str) -> Iterator[NewMessage]:
    """One to each member; to an organisation one about all of its own (PD-19)."""
    heaps: dict[int, list[Told]] = defaultdict(list)
    for stay, reached in told:
        yield _to_member(stay, reached, what)
        for number in {stay.org_id, stay.home_id or stay.org_id}:
            heaps[number].append((stay, reached))
    for org_id, heap in heaps.items():
        yield _to_organisation(org_id, heap, what)


def _to_member(stay: Stay, reached: DeadlineStage, what: str) -> NewMessage:
    if what == CONTACT:
        late = reached is DeadlineStage.PAST
        policy = policy_of(stay.org)
        interval, lost = months(policy.contact_interval_months), months(policy.suspend_after_months)
        title = f"已超过{interval}没有联系团组织" if late else "该和团组织联系了"
        until = dates.full(stay.contact_by)
        when = f"{until} 前应当联系，还没有联系" if late else f"请在 {until} 前联系"
        body = f"您在{stay.org.short_name}，{when}。请登录报告近况；失去联系{lost}以上的，停止团籍。"
    else:
        late = reached is DeadlineStage.PAST
        title = "应转出，已经逾期" if late else "转出期限快到了"
        body = f"{what_is_due(stay)[0]}。期限是 {dates.full(stay.deadline)}。请尽快申请转接；有困难的，联系团组织。"
    return NewMessage(MessageKind.REMINDER, title, body, member_id=stay.member_id)


def _to_organisation(org_id: int, heap: Sequence[Told], what: str) -> NewMessage:
    late = sum(reached is DeadlineStage.PAST for _, reached in heap)
    names = "、".join(stay.member.name for stay, _ in heap[:10]) + ("等" if len(heap) > 10 else "")  # noqa: PLR2004
    if what == CONTACT:
        title = f"{len(heap)} 名流动团员该联系了"
        body = f"{names}。其中 {late} 人已超过期限没有联系。请在“流动团员”中登记联系情况。"
    else:
        abroad = sum(stay.kind is StayKind.OVERSEAS for stay, _ in heap)
        title = f"{len(heap)} 名流动团员转出期限快到或已到"
        body = f"{names}。其中 {late} 人已逾期{f'，{abroad} 人在国（境）外' if abroad else ''}。请联系本人，办理转接。"
    return NewMessage(MessageKind.REMINDER, title, body, org_id=org_id)
