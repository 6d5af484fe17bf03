"""A school with its floating, overseas and delayed branches in the autumn after graduation."""

from __future__ import annotations

import pytest

from tests.floating.steps import build
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.kernel.database import unit_of_work
from zhtj.orgs.models import Purpose


@pytest.fixture
def school(world: World) -> World:
    """Class 1 graduated in June 2026; the university and the college have built their branches."""
    with unit_of_work():
        graduation.convert_branches()
    build(world, "kept", "university", Purpose.FLOATING)
    build(world, "college_kept", "college", Purpose.FLOATING)
    build(world, "abroad", "university", Purpose.OVERSEAS)
    build(world, "delayed", "university", Purpose.DELAYED)
    return world
