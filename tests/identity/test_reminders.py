"""Once a week an office hears how many of its graduates still lack an approved form (U-13)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.identity.test_certification import LATE, certify
from tests.world import World
from zhtj import sweeps
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.notices.models import Message, MessageKind


def told(world: World, key: str) -> list[str]:
    query = select(Message.title).where(
        Message.org_id == world.orgs[key].id, Message.kind == MessageKind.REMINDER, Message.title.contains("档案")
    )
    return list(session.scalars(query.order_by(Message.id)))


@pytest.mark.rule("U-13", "E-01")
def test_the_branch_hears_once_a_week_until_nobody_lacks_a_form(world: World) -> None:
    with unit_of_work():
        for member in (world.graduate, world.classmate, world.sophomore):
            session.merge(member).joined_on = LATE
    assert sweeps.run("files").done == 1
    assert told(world, "class1") == ["2 名毕业生团员的档案未认证"]
    assert told(world, "class2") == []  # not a graduates' branch
    assert sweeps.run("files").done == 0
    # A week later, with one form approved
    certify(world, world.graduate)
    assert sweeps.run("files", clock.now() + timedelta(days=7)).done == 1
    assert told(world, "class1")[1:] == ["1 名毕业生团员的档案未认证"]
    certify(world, world.classmate)
    assert sweeps.run("files", clock.now() + timedelta(days=14)).done == 0
    # And never outside the campaign
    assert sweeps.run("files", clock.parse("2027-02-01T09:00")).done == 0
