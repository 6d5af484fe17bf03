"""Whether the old side is asked when a member applies himself, and who of it (PD-15, K-33)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.transfers.steps import EMPLOYED, apply, do
from tests.world import World
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Forbidden
from zhtj.notices.models import Message
from zhtj.orgs import policies
from zhtj.orgs.models import Category
from zhtj.policy import seasons
from zhtj.policy.model import Policy
from zhtj.transfers import operations
from zhtj.transfers.workflow import State


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch):
    """Let the policy ask this part of the old side, whatever the destination."""

    def ask(who: str) -> None:
        real = seasons.policy_for

        def policy_for(season: int, line: Sequence[str]) -> Policy:
            return real(season, line).model_copy(update={"release_by": who, "release_inside_school": who})

        monkeypatch.setattr(policies, "policy_for", policy_for)

    return ask


@pytest.mark.rule("PD-15")
def test_nobody_of_the_old_side_is_asked_by_default_but_it_is_told(world: World) -> None:
    application = apply(world, world.graduate, "team", **EMPLOYED)
    assert application.state is State.AWAITING_ACCEPTANCE
    told = session.query(Message).where(Message.org_id == world.orgs["class1"].id).one()
    assert "丁一" in told.body


@pytest.mark.rule("PD-15")
def test_the_branch_is_asked_where_the_policy_says_so_and_its_superior_may_answer_for_it(world: World, asked) -> None:
    asked("branch")
    application = apply(world, world.graduate, "team", **EMPLOYED)
    assert application.state is State.AWAITING_RELEASE
    assert application.holder_id == world.orgs["class1"].id
    do(operations.release, application, world.seat("college"))
    assert application.state is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("PD-15")
def test_the_committee_alone_is_asked_where_the_policy_says_so(world: World, asked) -> None:
    # Given a policy by which the committee above the branch consents
    asked("committee")
    application = apply(world, world.graduate, "team", **EMPLOYED)
    assert application.holder_id == world.orgs["college"].id
    # When the branch tries, it is told that this is not its step
    with pytest.raises(Forbidden):
        do(operations.release, application, world.seat("class1"))
    # Then the committee does it
    do(operations.release, application, world.seat("college"))
    assert application.state is State.AWAITING_ACCEPTANCE
    assert application.holder_id == world.orgs["team"].id


@pytest.mark.rule("PD-15")
def test_inside_one_school_the_branch_is_asked_by_default(world: World) -> None:
    application = apply(world, world.sophomore, "class3", reason="internal_transfer")
    assert application.state is State.AWAITING_RELEASE


@pytest.mark.rule("PD-15")
def test_inside_one_employer_nobody_of_the_old_side_is_asked(world: World) -> None:
    with unit_of_work():
        world.add("shop", "company", "示例科技有限公司销售团支部", "销售团支部", Category.BRANCH, "非公企业")
    application = apply(world, world.employee, "shop", reason="work", unit_name="示例科技有限公司")
    assert application.state is State.AWAITING_ACCEPTANCE


@pytest.fixture(autouse=True)
def another_class(world: World) -> None:
    """A class to change to inside the school."""
    with unit_of_work():
        world.add(
            "class3",
            "college",
            "江淮示范大学计算机学院2024级1班团支部",
            "2024级1班团支部",
            Category.BRANCH,
            "普通高等院校",
        )
