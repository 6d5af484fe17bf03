"""A school with its floating, overseas and delayed branches in the autumn after graduation; other policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.floating.steps import build
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.kernel.database import unit_of_work
from zhtj.orgs.models import Purpose
from zhtj.policy import seasons
from zhtj.policy.layers import compose, lineage


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


@pytest.fixture
def policy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Let a layer of another year or place govern, or change single values of the running season's."""

    def use(name: str = "2026-national", **values: object) -> None:
        found = compose(lineage(name), 2026).model_copy(update=values)
        seasons._policy_for.cache_clear()
        monkeypatch.setattr(seasons, "compose", lambda *_: found)

    yield use
    monkeypatch.undo()
    seasons._policy_for.cache_clear()
