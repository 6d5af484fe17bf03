"""Amending in place and sending elsewhere (A-18 … A-21, PD-16)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.transfers.steps import EMPLOYED, UNPLACED, acting, apply, do, start
from tests.world import World
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat
from zhtj.transfers import operations, queries
from zhtj.transfers.applying.situations import Submission
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import Action, State

Move = Callable[[str], None]


def redirected(old: Application, seat: ActiveSeat, destination: object, **details: str) -> Application:
    with acting(seat):
        session.refresh(old)
        wanted = Submission(member=old.member, destination=destination, follows=old, **(details or EMPLOYED))  # type: ignore[arg-type]
        return operations.redirect(old, wanted, seat)


@pytest.mark.rule("A-20", "PD-16")
def test_contact_unit_and_remark_are_amended_in_place_and_the_history_says_what_changed(world: World) -> None:
    # Given an application with its clock
    application = apply(world, world.graduate, "team", **EMPLOYED, contact_mobile="13812345678")
    due, submitted = application.due_at, application.submitted_at
    # When its member corrects number and unit
    changes = {"contact_mobile": "13987654321", "unit_name": "示例科技有限公司合肥分公司", "remark": ""}
    do(operations.amend, application, world.own_seat(world.graduate), changes)
    # Then state and clock are as before, and the change is on record without the whole numbers
    session.expire_all()
    found = queries.application(world.seat("team"), application.id)
    assert (found.state, found.due_at, found.submitted_at) == (State.AWAITING_ACCEPTANCE, due, submitted)
    assert found.contact_mobile == "13987654321"
    event = found.events[-1]
    assert event.action is Action.AMEND
    assert event.changes == [
        {"field": "contact_mobile", "before": "138****5678", "after": "139****4321"},
        {"field": "unit_name", "before": "示例科技有限公司", "after": "示例科技有限公司合肥分公司"},
    ]
    assert session.query(AuditEvent).filter_by(action="transfer.amend", subject_id=application.id).count() == 1


@pytest.mark.rule("A-20", "PD-16")
def test_what_the_reason_asks_for_cannot_be_emptied_and_nothing_is_no_change(world: World) -> None:
    application = apply(world, world.graduate, "team")
    seat = world.own_seat(world.graduate)
    with pytest.raises(DomainError, match="不能为空"):
        do(operations.amend, application, seat, {"unit_name": " "})
    with pytest.raises(DomainError, match="没有改动"):
        do(operations.amend, application, seat, {"unit_name": "示例科技有限公司"})
    assert len(queries.application(seat, application.id).events) == 1


@pytest.mark.rule("A-20", "PD-16")
def test_nobody_but_the_initiator_and_the_member_amends_and_nobody_after_acceptance(world: World) -> None:
    application = start(world.seat("class1"), world.graduate, world.orgs["company"])
    change = {"remark": "档案已寄出"}
    for key in ("team", "company", "college"):
        with pytest.raises(Forbidden):
            do(operations.amend, application, world.seat(key), change)
    do(operations.amend, application, world.seat("class1"), change)
    do(operations.amend, application, world.own_seat(world.graduate), {"remark": "档案已寄到"})
    do(operations.accept, application, world.seat("company"))
    with pytest.raises(Conflict, match="同意转入"):
        do(operations.amend, application, world.own_seat(world.graduate), change)


@pytest.mark.rule("A-18", "A-20", "PD-16")
def test_another_destination_withdraws_and_applies_in_one_step(world: World, clock_at: Move) -> None:
    clock_at("2026-10-05T09:00")
    old = apply(world, world.graduate, "team")
    clock_at("2026-10-12T09:00")
    new = redirected(old, world.own_seat(world.graduate), world.orgs["floating"], **UNPLACED)
    session.refresh(old)
    assert (old.state, new.state) == (State.WITHDRAWN, State.AWAITING_ACCEPTANCE)
    assert new.follows_id == old.id
    # A new clock, not the rest of the old one
    assert new.due_at is not None
    assert new.due_at.isoformat().startswith("2026-10-22")


@pytest.mark.rule("PD-16")
def test_a_redirection_that_fails_leaves_the_old_one_running(world: World) -> None:
    old = apply(world, world.graduate, "team")
    with pytest.raises(DomainError):
        redirected(old, world.own_seat(world.graduate), world.orgs["county"])
    session.expire_all()
    assert queries.application(world.seat("team"), old.id).state is State.AWAITING_ACCEPTANCE
    assert session.query(Application).filter_by(member_id=world.graduate.id).count() == 1


@pytest.mark.rule("A-18", "PD-16")
def test_what_was_accepted_meanwhile_cannot_be_redirected(world: World) -> None:
    old = apply(world, world.graduate, "company")
    do(operations.accept, old, world.seat("company"))
    with pytest.raises(Conflict, match="已经同意接收"):
        redirected(old, world.own_seat(world.graduate), world.orgs["floating"], **UNPLACED)


@pytest.mark.rule("A-21", "PD-16")
def test_the_member_may_withdraw_what_others_began_about_him(world: World) -> None:
    begun = start(world.seat("class1"), world.graduate, world.orgs["team"])
    with pytest.raises(Forbidden):
        do(operations.withdraw, begun, world.seat("team"))
    do(operations.withdraw, begun, world.own_seat(world.graduate))
    session.refresh(begun)
    assert begun.state is State.WITHDRAWN


@pytest.mark.parametrize("by", [("member",), ()])
@pytest.mark.rule("PD-16", "K-14b")
def test_the_policy_says_whether_a_member_withdraws_what_others_started(
    world: World, policy: Callable[..., None], by: tuple[str, ...]
) -> None:
    policy(withdraw_by=by)
    application = start(world.seat("college"), world.graduate, world.orgs["company"], **EMPLOYED)
    own = world.own_seat(world.graduate)
    assert (Action.WITHDRAW in queries.possible_actions(own, application)) is bool(by)
    if by:
        do(operations.withdraw, application, own)
        assert application.state is State.WITHDRAWN
    else:
        with pytest.raises(DomainError):
            do(operations.withdraw, application, own)
        assert session.get_one(Application, application.id).state.is_open
