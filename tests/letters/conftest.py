"""A school that has written down how to reach it, and a graduate on the way to a company."""

from __future__ import annotations

import pytest

from tests.transfers.steps import apply
from tests.world import World
from zhtj.kernel.database import session, unit_of_work
from zhtj.transfers.models import Application


@pytest.fixture
def office(world: World) -> World:
    """The world, with a school and a company that can be reached."""
    with unit_of_work():
        for key in ("university", "company"):
            org = session.merge(world.orgs[key])
            org.phone, org.address, org.postcode = "0551-65500000", "安徽省合肥市示范路1号", "230031"
    return world


@pytest.fixture
def application(office: World) -> Application:
    """A graduate on the way to the company."""
    return apply(office, office.graduate, "company")
