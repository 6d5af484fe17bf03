"""Thousands of members on the way to one branch, written at the speed of the driver."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from itertools import cycle
from typing import Any

from sqlalchemy import func, insert, select

from tests.world import World
from zhtj.kernel import clock
from zhtj.kernel.database import Base, session, unit_of_work
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account, Member, Membership, Sex
from zhtj.policy.vocabulary import Destination, Suitability
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.workflow import Action, Initiator, State


def applications(world: World, number: int, *, due: datetime, old: Sequence[int] = (), new: Sequence[int] = ()) -> None:
    """So many members of class 2 who applied to the team, all of them due at one moment; committed.

    Args:
        world: its tree.
        number: how many.
        due: when they are.
        old, new: ids of branches, taken in turns, instead of class 2 and the team.
    """
    olds, news = cycle(old or [world.orgs["class2"].id]), cycle(new or [world.orgs["team"].id])
    moment = clock.now()
    with unit_of_work():
        account, member, application = _next(Account), _next(Member), _next(Application)
        numbers = range(number)
        _write(
            Account, [{"id": account + n, "name": f"员{n}", "created_at": moment} for n in numbers], session_version=1
        )
        places = [next(olds) for _ in numbers]
        rows: list[dict[str, Any]] = [
            {"id": member + n, "account_id": account + n, "org_id": places[n]} for n in numbers
        ]
        _write(Member, rows, sex=Sex.MALE, joined_on=date(2019, 5, 1), is_graduate=False, created_at=moment)
        rows = [{"member_id": member + n, "org_id": places[n]} for n in numbers]
        _write(Membership, rows, started_at=moment, began_by="import")
        ends = {*places, *(new or [world.orgs["team"].id])}
        known = select(Organisation.id, Organisation.path).where(Organisation.id.in_(ends))
        paths: dict[int, str] = dict(session.execute(known).all())
        rows = [
            {
                "id": application + n,
                "member_id": member + n,
                "initiator_account_id": account + n,
                "initiator_org_id": places[n],
                "from_org_id": places[n],
                "to_org_id": to,
                "from_path": paths[places[n]],
                "to_path": paths[to],
                "holder_id": to,
            }
            for n, to in zip(numbers, news, strict=False)
        ]
        _write(
            Application,
            rows,
            initiator=Initiator.MEMBER,
            release_needed=False,
            reason="relocation",
            kind=Destination.UNIT,
            level=Suitability.ALLOWED,
            warnings=[],
            state=State.AWAITING_ACCEPTANCE,
            version=1,
            submitted_at=moment,
            waiting_since=moment,
            due_at=due,
        )
        rows = [{"application_id": application + n, "account_id": account + n, "org_id": places[n]} for n in numbers]
        submitted = {"action": Action.SUBMIT, "from_state": None, "to_state": State.AWAITING_ACCEPTANCE}
        _write(ApplicationEvent, rows, at=moment, recorded_at=moment, **submitted)


def _next(table: type[Base]) -> int:
    return 1000 + (session.scalar(select(func.max(table.id))) or 0)  # type: ignore[attr-defined]


def _write(table: type[Base], rows: list[dict[str, Any]], **common: Any) -> None:
    session.execute(insert(table), [{**common, **row} for row in rows])
