"""去向登记: who registers what, which entry wins, when it freezes (PD-09, T-33, T-34, F-12)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from tests.transfers.steps import EMPLOYED, UNPLACED, acting, apply, do
from tests.world import World
from zhtj.graduation import destinations, queries
from zhtj.graduation.destinations import LABELS, DestinationFilters, Given
from zhtj.graduation.models import GraduateCategory, RegisterEvent, RegisterRow
from zhtj.imports.files.layouts import DESTINATIONS
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Member
from zhtj.transfers import operations as transfers

STUDY = {"reason": "further_study", "unit_name": "黄山师范大学"}


def row_of(member: Member) -> RegisterRow:
    session.expire_all()
    row = queries.register_row(member.id, 2026)
    assert row is not None
    return row


def enter(world: World, member: Member, **given: Any) -> None:
    with acting(world.own_seat(member)):
        destinations.enter(row_of(member), Given(**(given or STUDY)))


@pytest.mark.rule("PD-09")
def test_the_later_of_registration_and_application_wins(spring: World) -> None:
    member = spring.graduate
    enter(spring, member)
    assert row_of(member).category is GraduateCategory.FURTHER_STUDY
    application = apply(spring, member, "floating", **UNPLACED)
    assert row_of(member).category is GraduateCategory.SOCIETY
    do(transfers.withdraw, application, spring.own_seat(member))
    enter(spring, member)
    assert row_of(member).category is GraduateCategory.FURTHER_STUDY
    told = session.scalars(
        select(RegisterEvent.after).where(RegisterEvent.row_id == row_of(member).id).order_by(RegisterEvent.id)
    )
    assert list(told) == ["further_study", "society", "further_study"]


@pytest.mark.rule("PD-09")
def test_completion_freezes_it(spring: World) -> None:
    enter(spring, spring.graduate)
    do(transfers.accept, apply(spring, spring.graduate, "team", **EMPLOYED), spring.seat("team"))
    with pytest.raises(Conflict, match="转接已经完成"):
        enter(spring, spring.graduate)
    assert row_of(spring.graduate).category is GraduateCategory.SOCIETY


@pytest.mark.rule("PD-08", "PD-09")
def test_the_end_of_the_season_freezes_it(spring: World, clock_at) -> None:
    clock_at("2027-01-01T00:00")
    with pytest.raises(Conflict, match="2026 届已经结束"):
        enter(spring, spring.graduate)


@pytest.mark.rule("T-34", "F-12")
def test_the_whole_register_of_a_graduate_is_kept(spring: World) -> None:
    given = Given(
        "employed_with_org",
        "示例科技有限公司",
        address="科学大道1号",
        township="井岗镇",
        household="六安市金寨县梅山镇",
        residence="蜀山区井岗镇",
        parents_residence="六安市金寨县",
        mobile="13800001111",
    )
    with acting(spring.seat("college")):
        destinations.enter(row_of(spring.graduate), given)
    session.expire_all()
    entry = destinations.entry_of(row_of(spring.graduate))
    assert {name: destinations.value_of(entry, name) for name in LABELS} == {
        name: getattr(given, name) for name in LABELS
    }
    assert entry.entered_by_account_id == spring.accounts["college"].id


@pytest.mark.rule("T-34")
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "relocation"}, "reason"),
        ({"reason": "further_study"}, "unit_name"),
        ({"reason": "employed_with_org"}, "unit_name"),
        ({"reason": "employed_without_org", "unit_name": "某公司"}, "address"),
        ({"reason": "unplaced", "household": "字" * 121}, "household"),
    ],
)
def test_what_is_missing_is_named(spring: World, given: dict[str, str], field: str) -> None:
    with pytest.raises(DomainError) as caught:
        enter(spring, spring.graduate, **given)
    assert caught.value.field == field


@pytest.mark.rule("T-33", "F-14")
def test_the_college_has_the_list_with_its_counts(spring: World) -> None:
    enter(spring, spring.graduate)
    seat = spring.seat("college")
    assert destinations.counts(seat, 2026, DestinationFilters()) == (2, 1)
    for state, found in {"yes": ["丁一"], "no": ["卜喆"], "": ["丁一", "卜喆"]}.items():
        listing = destinations.listing(seat, 2026, DestinationFilters(state=state))
        assert [line.row.member.name for line in listing.page().rows] == found
        assert [line.row.member.name for line in listing] == found
    assert destinations.counts(spring.seat("company"), 2026, DestinationFilters()) == (0, 0)


def test_a_reason_without_a_rate_of_its_own_leaves_the_register_s_entry(spring: World) -> None:
    enter(spring, spring.graduate)
    enter(spring, spring.graduate, reason="other")
    assert row_of(spring.graduate).category in {GraduateCategory.FURTHER_STUDY, GraduateCategory.SOCIETY}
    enter(spring, spring.classmate, reason="other")
    assert row_of(spring.classmate).category is GraduateCategory.SOCIETY


@pytest.mark.rule("F-12")
def test_the_template_offers_exactly_the_reasons_of_the_policy(spring: World) -> None:
    policy = policy_of(spring.orgs["class1"])
    offered = next(column for column in DESTINATIONS.columns if column.choices)
    assert list(offered.choices) == [destinations.label_of(policy, one) for one in destinations.choices(policy)]
