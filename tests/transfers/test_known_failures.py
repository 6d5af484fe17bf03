"""Failures that a comparable membership system has had in the field; none of them may happen here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.transfers.steps import EMPLOYED, apply, do, start
from tests.world import World
from zhtj import doctor, sweeps
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict
from zhtj.notices.models import Message
from zhtj.people.models import Membership
from zhtj.transfers import completion, operations
from zhtj.transfers.models import Application, ApplicationEvent, Arrival
from zhtj.transfers.workflow import OPEN, Action, State

Move = Callable[[Any], None]


def actions(application: Application) -> list[Action]:
    query = select(ApplicationEvent.action).where(ApplicationEvent.application_id == application.id)
    return list(session.scalars(query.order_by(ApplicationEvent.id)))


def test_a_withdrawn_application_is_never_approved_by_itself_nor_by_anybody(world: World, clock_at: Move) -> None:
    # Given an application that its member has taken back
    application = apply(world, world.graduate, "team")
    do(operations.withdraw, application, world.own_seat(world.graduate))
    # When its deadline and another year go by, with every sweep there is, and the receiver presses an old button
    for days in (11, 365):
        clock_at(clock.now() + timedelta(days=days))
        for name in sweeps.REGISTRY:
            sweeps.run(name)
    with pytest.raises(Conflict, match="撤销申请"):
        do(operations.accept, application, world.seat("team"))
    # Then it is what it was, and the member is where he was
    session.refresh(application)
    assert application.state is State.WITHDRAWN
    assert actions(application) == [Action.SUBMIT, Action.WITHDRAW]
    assert world.graduate.org_id == world.orgs["class1"].id


@pytest.mark.rule("A-06")
def test_two_are_never_open_at_once_whoever_starts_the_second(world: World) -> None:
    # Given an open application
    apply(world, world.graduate, "team")
    # When the member, his class, his college and a company start another
    starters = [world.own_seat(world.graduate), world.seat("class1"), world.seat("college"), world.seat("company")]
    for seat in starters:
        with pytest.raises(Conflict, match="已有业务正在办理"):
            start(seat, world.graduate, world.orgs["company"], **EMPLOYED)
    # Then one is open, and the others left nothing behind
    assert session.scalar(select(func.count()).select_from(Application)) == 1
    assert session.scalar(select(func.count()).where(Application.state.in_(OPEN))) == 1


@pytest.mark.rule("PD-36")
def test_a_sweep_does_not_only_look_back_a_month(world: World, clock_at: Move) -> None:
    # Given an application that fell due while no worker ran for most of a year
    application = apply(world, world.graduate, "team")
    due = application.due_at
    assert due is not None
    clock_at(due + timedelta(days=300))
    # When the first sweep comes
    sweeps.run("return")
    # Then it goes back, as of the moment it was due
    session.refresh(application)
    assert application.state is State.RETURNED
    assert application.ended_at == due
    last = session.scalars(select(ApplicationEvent).order_by(ApplicationEvent.id.desc())).first()
    assert last is not None
    assert (last.at, last.recorded_at) == (due, clock.now())


def test_a_decision_is_not_kept_if_what_it_brings_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given an application, and a fault in what follows an acceptance
    application = apply(world, world.graduate, "team")
    counted = [session.scalar(select(func.count()).select_from(table)) for table in (ApplicationEvent, AuditEvent)]

    def broken(*_: object) -> None:
        raise RuntimeError("no membership was moved")

    monkeypatch.setattr(completion, "move_members", broken)
    # When the receiver accepts
    with pytest.raises(RuntimeError):
        do(operations.accept, application, world.seat("team"))
    # Then nothing of it is there: no state, no history, no log, no arrival
    session.refresh(application)
    assert application.state is State.AWAITING_ACCEPTANCE
    assert application.due_at is not None
    tables = (ApplicationEvent, AuditEvent)
    assert [session.scalar(select(func.count()).select_from(table)) for table in tables] == counted
    assert not session.scalar(select(func.count()).select_from(Arrival))
    open_at = select(Membership.org_id).where(Membership.member_id == world.graduate.id, Membership.ended_at.is_(None))
    assert session.scalars(open_at).all() == [world.orgs["class1"].id]
    assert not [finding for finding in doctor.examine() if finding.broken]
    # And once the fault is mended, the same button works
    monkeypatch.undo()
    do(operations.accept, application, world.seat("team"))
    assert application.state is State.COMPLETED


def test_the_receiver_is_told(world: World) -> None:
    # Given and when: somebody applies to the team
    application = apply(world, world.graduate, "team")
    # Then its inbox says so, with his name and where he comes from
    told = session.scalars(select(Message).where(Message.org_id == world.orgs["team"].id)).one()
    assert (told.subject_type, told.subject_id) == ("application", application.id)
    assert "丁一" in told.body
    assert told.read_at is None
