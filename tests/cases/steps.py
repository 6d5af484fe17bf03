"""Short sentences for tests of cases: raise one, pass it up the line, decide it."""

from __future__ import annotations

from typing import Any

from tests.transfers.steps import acting
from tests.uploads import PNG
from tests.world import World
from zhtj.cases import hearings, operations, queries
from zhtj.cases.kinds import kind_of
from zhtj.cases.models import Case
from zhtj.cases.queries import CaseFilters, CaseList
from zhtj.cases.workflow import CaseAction, CaseState
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat


def on_file(seat: ActiveSeat, member_id: int) -> list[Case]:
    """A person's file, as his page leads to it."""
    return list(queries.listing(seat, CaseFilters(side=CaseList.ALL, member_id=member_id)).page().rows)


PROOF = Upload("身份证.png", PNG)


def ask(seat: ActiveSeat, kind: str, subject: Any = "", *uploads: Upload, **typed: Any) -> Case:
    """Raise a case; ``subject`` is a member, an organisation or what somebody types."""
    words = subject if isinstance(subject, str) else f"#{subject.id}"
    with acting(seat):
        return operations.raise_case(kind_of(kind), seat, words, typed, uploads)


def do(case: Case, seat: ActiveSeat, action: CaseAction, remark: str = "") -> None:
    """One step in its own unit of work."""
    with acting(seat):
        session.refresh(case)
        operations.act(case, seat, action, remark)
    session.refresh(case)


def reply(case: Case, seat: ActiveSeat, *, is_holders: bool = False) -> None:
    """The branch of the number's holder says whose it is (PD-61)."""
    (found,) = hearings.of_case(case)
    with acting(seat):
        hearings.answer(found, seat, is_holders=is_holders, remark="已核对团员证原件")


def grant(world: World, case: Case, *keys: str) -> Case:
    """Pass it up through these organisations; the last one approves."""
    for key in keys[:-1]:
        do(case, world.seat(key), CaseAction.FORWARD)
    do(case, world.seat(keys[-1]), CaseAction.APPROVE)
    session.expire_all()
    assert case.state is CaseState.APPROVED
    return case
