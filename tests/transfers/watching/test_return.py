"""The automatic return (D-09, D-10, A-24, PD-18, PD-36)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.transfers.steps import EMPLOYED, apply, do
from tests.world import World
from zhtj import sweeps
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict
from zhtj.transfers import operations, queries
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import Action, State

Move = Callable[[str], None]
MOVED = {
    "reason": "relocation",
    "place": "residence",
    "unit_address": "安徽省合肥市蜀山区井岗镇",
    "remark": "搬到井岗镇居住",
}


def submitted(world: World, clock_at: Move, moment: str, to: str = "team") -> Application:
    clock_at(moment)
    return apply(world, world.graduate, to, **EMPLOYED)


@pytest.mark.rule("D-09", "PD-18")
@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2026-06-10T12:00", "2026-10-12T00:00"),
        ("2026-09-20T08:00", "2026-10-12T00:00"),
        ("2026-10-05T23:59", "2026-10-16T00:00"),
    ],
)
def test_the_clock_counts_calendar_days_from_october(world: World, clock_at: Move, moment: str, due: str) -> None:
    assert submitted(world, clock_at, moment).due_at == clock.parse(due)


@pytest.mark.rule("A-24", "D-09")
def test_what_nobody_answers_is_returned_at_the_due_time(world: World, clock_at: Move) -> None:
    application = submitted(world, clock_at, "2026-10-05T23:59")
    clock_at("2026-10-15T23:59")
    assert sweeps.run("return").done == 0
    clock_at("2026-10-16T03:00")
    counts = sweeps.run("return")
    assert (counts.found, counts.done) == (1, 1)
    session.expire_all()
    found = queries.application(world.own_seat(world.graduate), application.id)
    assert found.state is State.RETURNED
    assert found.ended_at == clock.parse("2026-10-16T00:00")
    event = found.events[-1]
    assert (event.action, event.account_id) == (Action.RETURN, None)
    assert event.at == clock.parse("2026-10-16T00:00")
    assert event.recorded_at == clock.parse("2026-10-16T03:00")
    # And the member may start again at once
    assert apply(world, world.graduate, "company").state is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("PD-36")
def test_a_sweep_after_a_week_s_outage_equals_seven_daily_ones_and_twice_is_once(world: World, clock_at: Move) -> None:
    application = submitted(world, clock_at, "2026-10-05T12:00")
    clock_at("2026-10-23T09:00")
    assert sweeps.run("return").done == 1
    assert sweeps.run("return").as_dict() == {"found": 0, "done": 0, "skipped": 0, "failed": 0}
    session.refresh(application)
    assert application.ended_at == clock.parse("2026-10-16T00:00")
    assert len(queries.application(world.seat("class1"), application.id).events) == 2


@pytest.mark.rule("PD-18")
def test_from_the_due_moment_every_decision_is_refused_swept_or_not(world: World, clock_at: Move) -> None:
    application = submitted(world, clock_at, "2026-10-05T12:00")
    clock_at("2026-10-16T00:00")
    with pytest.raises(Conflict, match="超过办理期限"):
        do(operations.accept, application, world.seat("team"))
    with pytest.raises(Conflict, match="超过办理期限"):
        do(operations.withdraw, application, world.own_seat(world.graduate))


@pytest.mark.rule("PD-18")
def test_the_clock_runs_over_the_whole_application_and_stops_with_acceptance(world: World, clock_at: Move) -> None:
    application = submitted(world, clock_at, "2026-10-05T12:00", to="company")
    clock_at("2026-10-14T12:00")
    do(operations.accept, application, world.seat("company"))
    assert application.due_at is None
    clock_at("2026-11-30T12:00")
    assert sweeps.run("return").done == 0
    session.refresh(application)
    assert application.state is State.AWAITING_ALLOCATION


@pytest.mark.rule("PD-18")
def test_outside_a_season_the_clock_starts_with_the_submission(world: World, clock_at: Move) -> None:
    clock_at("2026-06-10T12:00")
    application = apply(world, world.employee, "floating", **MOVED)
    assert application.due_at == clock.parse("2026-06-21T00:00")
