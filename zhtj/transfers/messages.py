"""Every step of an application is told to every party: one SELECT and one INSERT a event, however many ids (PD-20)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from zhtj.kernel import audit, clock, dates
from zhtj.kernel.database import session
from zhtj.notices import operations as notices
from zhtj.notices.operations import NewMessage
from zhtj.orgs.models import Organisation, Region
from zhtj.people.models import Account, Member, Post, Seat
from zhtj.policy.vocabulary import Destination
from zhtj.transfers import wording
from zhtj.transfers.events import ApplicationsChanged
from zhtj.transfers.models import Application, ApplicationEvent, Objection, special_label
from zhtj.transfers.rules import hidden_ground
from zhtj.transfers.wording import ABOUT_OBJECTIONS, Matter, Reader
from zhtj.transfers.workflow import Action, Initiator, State

SUBJECT = "application"
CHUNK = 1000
# More than so many of one step reach an organisation as one message.
ONE_BY_ONE = 3
# Their ground and remark are told.
EXPLAINED = frozenset({Action.REFUSE, Action.WITHDRAW, Action.FAIL, *ABOUT_OBJECTIONS})
# Until they are over, the old side holds the application.
OLD_SIDE_ACTS = frozenset({State.AWAITING_RELEASE, State.AWAITING_EXTERNAL})

_From, _To, _Final, _Starter = (aliased(Organisation, name=name) for name in ("from_o", "to_o", "final_o", "start_o"))
_Holder = aliased(Organisation, name="holder_o")
_Actor, _ActorOffice = aliased(Organisation, name="actor_o"), aliased(Organisation, name="actor_office")


def _facts() -> Any:
    """Everything about an application that any message needs, in one row."""
    return (
        select(
            Application.id,
            Application.member_id,
            Application.initiator,
            Application.initiator_org_id,
            Application.from_org_id,
            Application.to_org_id,
            Application.final_org_id,
            Application.holder_id,
            Application.due_at,
            Application.kind,
            Application.remark.label("said"),
            Application.external_name,
            Member.account_id,
            Account.name,
            _From.short_name.label("old"),
            _From.system.label("old_system"),
            _From.office_id.label("old_office"),
            _From.parent_id.label("old_superior"),
            _To.short_name.label("new"),
            _To.system.label("new_system"),
            _To.office_id.label("new_office"),
            _Final.short_name.label("final"),
            _Final.office_id.label("final_office"),
            _Starter.short_name.label("starter"),
            _Starter.office_id.label("starter_office"),
            _Holder.office_id.label("holder_office"),
            _Holder.short_name.label("holder"),
        )
        .join(Member, Member.id == Application.member_id)
        .join(Account, Account.id == Member.account_id)
        .join(_From, _From.id == Application.from_org_id)
        .join(_To, _To.id == Application.to_org_id)
        .join(_Starter, _Starter.id == Application.initiator_org_id)
        .outerjoin(_Final, _Final.id == Application.final_org_id)
        .outerjoin(_Holder, _Holder.id == Application.holder_id)
    )


def _explained(query: Any) -> Any:
    """With ground and remark of the newest event, and the level above whoever acted."""
    newest = (
        select(func.max(ApplicationEvent.id))
        .where(ApplicationEvent.application_id == Application.id)
        .correlate(Application)
        .scalar_subquery()
    )
    return (
        query.add_columns(
            ApplicationEvent.ground,
            ApplicationEvent.remark,
            _Actor.parent_id.label("above_actor"),
            _Actor.short_name.label("actor"),
            # Of whoever acts for it, where it has no administrator (PD-22).
            func.coalesce(_ActorOffice.parent_id, _Actor.parent_id).label("above_office"),
            func.coalesce(_ActorOffice.short_name, _Actor.short_name).label("actor_office"),
            Objection.org_id.label("objected_to"),
        )
        .join(ApplicationEvent, ApplicationEvent.id == newest)
        .outerjoin(_Actor, _Actor.id == ApplicationEvent.org_id)
        .outerjoin(_ActorOffice, _ActorOffice.id == _Actor.office_id)
        .outerjoin(Objection, Objection.application_id == Application.id)
    )


def _with_posts(query: Any) -> Any:
    """With the post the member holds in the old organisation - or held until this very step ended it."""
    post = (
        select(func.max(Seat.post))
        .where(
            Seat.account_id == Member.account_id,
            Seat.org_id == Application.from_org_id,
            or_(Seat.ended_at.is_(None), Seat.ended_at >= Application.submitted_at),
        )
        .correlate(Application, Member)
        .scalar_subquery()
    )
    return query.add_columns(post.label("post"))


_FACTS = _facts()
_EXPLAINED = _explained(_FACTS)
_SUBMITTED = _with_posts(_FACTS)


def tell(changed: ApplicationsChanged) -> None:
    """Tell every party what happened; whoever did it himself knows already, but a member keeps his history."""
    query = _FACTS
    if changed.action in EXPLAINED | {Action.RETURN}:
        query = _EXPLAINED
    elif changed.action is Action.SUBMIT:
        query = _SUBMITTED
    for start in range(0, len(changed.ids), CHUNK):
        chunk = Application.id.in_(changed.ids[start : start + CHUNK])
        rows = session.execute(query.where(chunk).order_by(Application.id)).all()
        messages = list(_messages(rows, changed))
        notices.send_many(messages)
        if changed.action is Action.RETURN:
            _mail_returns(messages)


def _mail_returns(messages: Sequence[NewMessage]) -> None:
    """A return is told by mail too (PD-19): nobody looks into an inbox for what he takes to be under way."""
    told = {one.org_id for one in messages if one.org_id is not None}
    day = dates.full(clock.today())
    text = (
        f"{day}，有转接申请在期限内没有办理，系统已自动退回，需要重新发起。"
        "请登录系统，在“消息”中查看是哪些申请、由谁重新发起。"
    )
    notices.mail_offices(told, "转接申请超期退回", text)


def _messages(rows: Sequence[Any], changed: ApplicationsChanged) -> Iterator[NewMessage]:
    who = audit.actor()
    action, after = changed.action, changed.after
    told: dict[tuple[int, Reader], list[tuple[int, Matter]]] = defaultdict(list)
    for row in rows:
        by_member = who.account_id is not None and who.account_id == row.account_id
        matter = _matter(row, changed, by_member=by_member)
        shown = replace(matter, remark="") if matter.special else matter
        for org_id, reader in _organisations(row, changed, None if by_member else who.org_id):
            told[org_id, reader].append((row.id, shown))
        words = wording.text(matter, action, after, Reader.MEMBER)
        knows = who.account_id if by_member else None
        yield NewMessage(*words, member_id=row.member_id, subject=(SUBJECT, row.id), read_by=knows)
        yield from _besides(row, changed, matter)
    for (org_id, reader), matters in told.items():
        if len(matters) > ONE_BY_ONE:
            yield NewMessage(*wording.text_of_many([one for _, one in matters], action, after, reader), org_id=org_id)
            continue
        for number, matter in matters:
            yield NewMessage(*wording.text(matter, action, after, reader), org_id=org_id, subject=(SUBJECT, number))


Side = tuple[int | None, int | None, Region, Reader]


def _organisations(row: Any, changed: ApplicationsChanged, knows: int | None) -> Iterator[tuple[int, Reader]]:
    """Whom to tell as what; one office is told once, as what concerns it most, and never what it did itself."""
    told = {knows}
    for org_id, office, system, reader in [*_sides(row, changed), *_others(row, changed)]:
        if org_id is None or org_id == knows or system is not Region.NATIONAL or (office or -org_id) in told:
            continue
        told.add(office or -org_id)
        yield org_id, reader


def _sides(row: Any, changed: ApplicationsChanged) -> list[Side]:
    """Old and new side with their offices, whose turn it is first."""
    old: Side = (row.from_org_id, row.old_office, row.old_system, Reader.OLD_SIDE)
    # A township whose graduates the county has taken over has nothing more to do (PD-22).
    reader = Reader.STARTER if changed.action is Action.TAKE_OVER else Reader.NEW_SIDE
    new: Side = (row.to_org_id, row.new_office, row.new_system, reader)
    if changed.after is State.AWAITING_PROVINCE or _asks_superior(row, changed):
        new = (row.holder_id, row.holder_office, Region.NATIONAL, Reader.NEW_SIDE)
    sides = [old, new] if changed.after in OLD_SIDE_ACTS else [new, old]
    if changed.after is State.COMPLETED and row.final_org_id not in {None, row.to_org_id}:
        sides.insert(0, (row.final_org_id, row.final_office, Region.NATIONAL, Reader.NEW_SIDE))
    return sides


def _asks_superior(row: Any, changed: ApplicationsChanged) -> bool:
    """Whether another than the new side decides: the superior of who started it (PD-58)."""
    return changed.after is State.AWAITING_ACCEPTANCE and row.holder_id != row.to_org_id


def _others(row: Any, changed: ApplicationsChanged) -> Iterator[Side]:
    """Who started it for the member; who stands above whoever let it lapse, or decides an objection."""
    if row.initiator is not Initiator.MEMBER:
        yield row.initiator_org_id, row.starter_office, Region.NATIONAL, Reader.STARTER
    if changed.action is Action.RETURN:
        # PD-18: the level above the one that let it lapse, whichever side that was.
        above = row.above_office
        yield above, above, Region.NATIONAL, Reader.SUPERIOR
    if changed.action is Action.OBJECT:
        yield row.objected_to, row.objected_to, Region.NATIONAL, Reader.SUPERIOR


def _besides(row: Any, changed: ApplicationsChanged, matter: Matter) -> Iterator[NewMessage]:
    """What only some applications bring: duties that pass on, a refusal the level above must look at."""
    subject = (SUBJECT, row.id)
    if changed.action is Action.SUBMIT and row.post is not None:
        post = Post(row.post).label
        if row.old_superior is not None:
            words = wording.duties_pass(matter, post, Reader.SUPERIOR)
            yield NewMessage(*words, org_id=row.old_superior, subject=subject)
        yield NewMessage(*wording.duties_pass(matter, post, Reader.MEMBER), member_id=row.member_id, subject=subject)
    hidden = changed.action is Action.REFUSE and row.ground and hidden_ground(row.ground, row.remark or "")
    if hidden and row.above_actor is not None:
        yield NewMessage(*wording.flagged(matter), org_id=row.above_actor, subject=subject)


def _matter(row: Any, changed: ApplicationsChanged, *, by_member: bool) -> Matter:
    special = row.kind is Destination.SPECIAL_POOL
    explained = changed.action in EXPLAINED
    new = special_label(row.said) if special else _place(row.new, row.new_system, row.external_name)
    return Matter(
        name=row.name,
        old=_place(row.old, row.old_system, row.external_name),
        new=new,
        final=new if special or row.new_system is not Region.NATIONAL else row.final or new,
        starter="本人" if row.initiator is Initiator.MEMBER else row.starter,
        actor=_actor(row, by_member=by_member),
        ground=(row.ground or "") if explained else "",
        remark=(row.remark or "") if explained else "",
        deadline=_deadline(row.due_at),
        special=special,
        lapsed=row.actor_office if changed.action is Action.RETURN else "",
        decider=row.holder if _asks_superior(row, changed) else "",
    )


def _actor(row: Any, *, by_member: bool) -> str:
    """Who acted; where the newest event was not read, that is who had started it."""
    return "本人" if by_member else getattr(row, "actor", None) or row.starter


def _place(name: str, system: Region, external_name: str | None) -> str:
    return name if system is Region.NATIONAL or not external_name else f"{external_name}（{system.label}）"


def _deadline(due_at: Any) -> str:
    """The last day of a running clock; a deadline at 00:00 ends the day before at 24:00."""
    if due_at is None:
        return ""
    last = clock.local(due_at - timedelta(microseconds=1))
    return f" {dates.short(last)} 24:00 "
