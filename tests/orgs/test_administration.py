"""An organisation's own data: what is missing, what it may change itself (O-05, O-21)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.transfers.steps import acting
from tests.world import World
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.orgs.changing import administration as own
from zhtj.orgs.changing.administration import Gap
from zhtj.orgs.models import Category
from zhtj.orgs.searching.search import search


def change(world: World, key: str, shown: str = "", **typed: str) -> bool:
    org = world.orgs[key]
    with acting(world.seat(key)):
        now = {name: getattr(session.merge(org), name) or "" for name in own.OWN_DATA}
        return own.change_own_data(session.merge(org), now | typed, shown or own.seen(session.merge(org)))


def test_contact_data_change_at_once(world: World):
    assert change(world, "university", phone="0551-65500000", address="示范路 1 号", postcode="230031")
    org = world.orgs["university"]
    session.refresh(org)
    assert (org.phone, org.address, org.postcode) == ("0551-65500000", "示范路 1 号", "230031")
    assert not change(world, "university")


@pytest.mark.rule("K-04")
def test_a_shorter_name_is_found_beside_the_old_one(world: World):
    change(world, "college", short_name="计科学院团总支")
    for words in ("计科学院", "计算机学院"):
        assert search(session, words).hits[0].organisation.id == world.orgs["college"].id


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"short_name": "  "}, "short_name"),
        ({"short_name": "长" * 81}, "short_name"),
        ({"phone": "请找小王"}, "phone"),
        ({"postcode": "2300"}, "postcode"),
        ({"online_community": "群" * 201}, "online_community"),
    ],
)
def test_what_cannot_be_is_named_at_its_field(world: World, typed: dict[str, str], field: str):
    with pytest.raises(DomainError) as caught:
        change(world, "university", **typed)
    assert caught.value.field == field


@pytest.mark.rule("O-07")
def test_a_floating_branch_keeps_its_name(world: World):
    world.appoint("floating")
    with pytest.raises(DomainError, match="流动团员团支部"):
        change(world, "floating", short_name="井岗镇临时团支部")


def test_of_two_administrators_the_later_one_sees_what_the_other_wrote(world: World):
    shown = own.seen(world.orgs["university"])
    change(world, "university", shown, phone="0551-65500000")
    with pytest.raises(Conflict):
        change(world, "university", shown, phone="0551-65511111")
    session.refresh(world.orgs["university"])
    assert world.orgs["university"].phone == "0551-65500000"


@pytest.mark.parametrize(
    ("key", "gap", "cure"),
    [
        ("university", Gap.PHONE, lambda org: setattr(org, "phone", "0551-65500000")),
        ("floating", Gap.ADMINISTRATOR, lambda org: setattr(org, "office_id", org.id)),
        pytest.param(
            "floating",
            Gap.COMMUNITY,
            lambda org: setattr(org, "online_community", "QQ 群 12345"),
            marks=pytest.mark.rule("O-21"),
        ),
        pytest.param(
            "township",
            Gap.FLAG,
            lambda org: setattr(org, "township_flag", True),
            marks=pytest.mark.rule("O-06"),
        ),
    ],
)
def test_what_is_missing_is_said_until_it_is_there(world: World, key: str, gap: Gap, cure: Callable[[Any], None]):
    org = world.orgs[key]
    if gap is Gap.FLAG:
        org.township_flag = None
    assert gap in own.gaps(org)
    cure(org)
    session.flush()
    assert gap not in own.gaps(org)


@pytest.mark.rule("O-02")
def test_a_committee_without_a_branch_lacks_one(world: World):
    with acting(world.seat("county")):
        world.add("empty", "county", "共青团空白有限公司委员会", "空白公司团委", Category.COMMITTEE, "非公企业")
    assert Gap.BRANCH in own.gaps(world.orgs["empty"])
    assert Gap.BRANCH not in own.gaps(world.orgs["company"])


@pytest.mark.rule("O-05")
def test_the_flag_belongs_to_committees_and_is_yes_no_or_empty(world: World):
    for value, words in ((True, "是"), (False, "否"), (None, "空")):
        world.orgs["township"].township_flag = value
        assert own.flag(world.orgs["township"]) == own.Flag(shown=True, value=words)
    assert not own.flag(world.orgs["class1"]).shown
    assert not own.flag(world.orgs["county"]).shown
    assert own.flag_words(world.orgs["class1"]) == "—"
