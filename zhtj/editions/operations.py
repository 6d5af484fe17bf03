"""Asking for a dry run, looking at what it found, throwing it away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from zhtj.editions.comparing import DryRun
from zhtj.editions.models import DryRunLine, DryRunTask
from zhtj.editions.rules import Difference, PolicyChange
from zhtj.editions.summary import DryRunCounts
from zhtj.kernel import audit, clock
from zhtj.kernel.database import insert_new, session, touched
from zhtj.kernel.errors import Conflict, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, check
from zhtj.kernel.sql.listing import Listing
from zhtj.kernel.work import tasks
from zhtj.kernel.work.tasks import OPEN, TaskState
from zhtj.orgs.models import Organisation
from zhtj.policy.vocabulary import Reason
from zhtj.transfers.models import Application
from zhtj.transfers.queries import LISTED, attach_organisations

JOB = "jobs.editions.work_off"
KEPT_FOR = timedelta(days=7)
# Lines thrown away in one transaction.
PORTION = 50_000


@dataclass(frozen=True, slots=True)
class DryRunFilters:
    """Lines of one dry run; None is any."""

    number: int
    difference: Difference | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class DifferingApplication:
    """An application and what would be otherwise."""

    application: Application
    changes: tuple[PolicyChange, ...]


def ask(seat: ActiveSeat, layer: str, season: int) -> DryRunTask:
    """Have a job try a layer on the seat's part of the tree; asked again while it runs, it is the same one.

    Raises:
        Forbidden: the seat's kind never may.
        DomainError: there is no such layer, or it cannot be tried on that season.
    """
    check(seat, Permission.POLICY, seat.path)
    wanted = DryRun(layer, season, seat.path)
    wanted.check()
    moment = clock.now()
    made = session.execute(
        insert_new(DryRunTask).values(
            layer=layer,
            season=season,
            account_id=seat.account_id,
            org_id=seat.org_id,
            state=TaskState.WAITING,
            done=0,
            total=wanted.count(),
            attempt=0,
            last_id=0,
            created_at=moment,
            touched_at=moment,
            expires_at=moment + KEPT_FOR,
        ),
        execution_options={"preserve_rowcount": True},
    )
    mine = (*_mine(seat), DryRunTask.layer == layer, DryRunTask.season == season, DryRunTask.state.in_(OPEN))
    found = session.scalars(select(DryRunTask).where(*mine)).first()
    if found is None:
        raise Conflict("刚才的试行已经结束。", fix="请刷新页面。")
    if touched(made) == 1:
        audit.record("policy.try", "dry_run", found.id, layer=layer, season=season)
        tasks.enqueue(JOB, found.id)
    return found


def _mine(seat: ActiveSeat) -> tuple[Any, ...]:
    return DryRunTask.account_id == seat.account_id, DryRunTask.org_id == seat.org_id


def mine(seat: ActiveSeat, limit: int = 20) -> Sequence[DryRunTask]:
    """This seat's dry runs, newest first."""
    query = select(DryRunTask).where(*_mine(seat), DryRunTask.expires_at > clock.now())
    return session.scalars(query.order_by(DryRunTask.id.desc()).limit(limit)).all()


def owned(number: int, seat: ActiveSeat) -> DryRunTask:
    """The dry run, if this seat asked for it. Raises NotFound, also when its time is over."""
    found = session.get(DryRunTask, number, populate_existing=True)
    mine = found is not None and (found.account_id, found.org_id) == (seat.account_id, seat.org_id)
    if found is None or not mine or found.expires_at <= clock.now():
        raise NotFound("没有找到这次试行。", fix="试行的结果只有本人在原来的任职中能看，保留七天。")
    return found


def run_of(task: DryRunTask) -> DryRun:
    """What is tried."""
    return DryRun(task.layer, task.season, session.get_one(Organisation, task.org_id).path)


def counts_of(task: DryRunTask) -> DryRunCounts:
    """What was found so far."""
    return DryRunCounts.read(task.counts) if task.counts else DryRunCounts()


def listing(seat: ActiveSeat, chosen: DryRunFilters) -> Listing[DifferingApplication]:
    """The applications behind one figure of a dry run. Raises NotFound where it is not this seat's."""
    task = owned(chosen.number, seat)
    query = select(DryRunLine).where(DryRunLine.run_id == task.id)
    if chosen.difference is not None:
        query = query.where(DryRunLine.differences.contains(f" {chosen.difference.value} "))
    if chosen.reason is not None:
        query = query.where(DryRunLine.reason == chosen.reason.value)
    return Listing(query, [DryRunLine.application_id], dress=_dressed)


def _dressed(lines: Sequence[DryRunLine]) -> Sequence[DifferingApplication]:
    query = select(Application).where(Application.id.in_([line.application_id for line in lines])).options(*LISTED)
    known = {each.id: each for each in attach_organisations(session.scalars(query).all())}
    return [
        DifferingApplication(
            known[line.application_id],
            tuple(PolicyChange(Difference(key), before, after) for key, before, after in line.changes),
        )
        for line in lines
    ]


def cancel(task: DryRunTask) -> None:
    """Stop one that is still to come. Raises Conflict for one that has ended."""
    if not tasks.stop(DryRunTask, task.id):
        raise Conflict("这次试行已经结束，不用取消。", fix="请刷新页面。")
    session.refresh(task)


def purge() -> int:
    """Throw away what was kept long enough, a portion of lines at a time. Returns how many dry runs."""
    over = session.scalars(select(DryRunTask.id).where(DryRunTask.expires_at <= clock.now()).order_by(DryRunTask.id))
    done = 0
    for number in over.all():
        some = select(DryRunLine.application_id).where(DryRunLine.run_id == number).limit(PORTION)
        gone = delete(DryRunLine).where(DryRunLine.run_id == number, DryRunLine.application_id.in_(some))
        if touched(session.execute(gone, execution_options={"synchronize_session": False})) == PORTION:
            break  # the rest next time
        session.execute(delete(DryRunTask).where(DryRunTask.id == number))
        done += 1
    return done
