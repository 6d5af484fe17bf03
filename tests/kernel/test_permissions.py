"""One table of who may do what, where: complete, and the same in routes and queries (PD-02)."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests.world import World
from zhtj.kernel.errors import Forbidden, NotFound
from zhtj.kernel.permissions import (
    TABLE,
    ActiveSeat,
    Permission,
    Relation,
    SeatKind,
    check,
    scope,
    subtree,
)
from zhtj.orgs.models import WORKBENCH, Organisation, Tier, segment

PATHS = st.lists(st.integers(0, 36**4 - 1), min_size=1, max_size=5).map(lambda parts: "".join(map(segment, parts)))


def seat(kind: SeatKind, path: str) -> ActiveSeat:
    return ActiveSeat(kind, account_id=1, seat_id=1, org_id=1, path=path)


def test_the_table_has_a_row_for_every_permission_and_no_empty_one() -> None:
    assert set(TABLE) == set(Permission)
    for permission, row in TABLE.items():
        assert row, permission
        assert set(row) <= set(SeatKind)
        assert all(row.values()), f"{permission}: a kind that may nothing has no entry"


def test_nothing_is_allowed_on_foreign_ground_and_who_may_below_may_at_home() -> None:
    for permission, row in TABLE.items():
        for kind, relations in row.items():
            assert Relation.FOREIGN not in relations, (permission, kind)
            assert Relation.OWN in relations, (permission, kind)


# What a member does on his own page with the same desks as an administrator.
SHARED = {Permission.OWN_ACCOUNT, Permission.MESSAGES, Permission.CASES}


def test_a_member_and_a_branch_have_nobody_below() -> None:
    for permission, row in TABLE.items():
        assert row.get(SeatKind.MEMBER, frozenset()) <= {Relation.OWN}, permission
        only_members = set(row) == {SeatKind.MEMBER}
        assert only_members or SeatKind.MEMBER not in row or permission in SHARED


def test_every_kind_of_seat_has_a_workbench_and_every_tier_a_kind() -> None:
    assert set(WORKBENCH) == set(Tier)
    assert set(WORKBENCH.values()) == set(SeatKind) - {SeatKind.MEMBER}
    for kind in SeatKind:
        first = Permission.OWN_MEMBERSHIP if kind is SeatKind.MEMBER else Permission.WORKBENCH
        assert seat(kind, "0001").may(first)


@given(PATHS, PATHS)
def test_a_relation_is_read_off_the_paths(own: str, tail: str) -> None:
    here = seat(SeatKind.SCHOOL, own)
    assert here.relation(own) is Relation.OWN
    assert here.relation(own + tail) is Relation.BELOW
    assert seat(SeatKind.SCHOOL, own + tail).relation(own) is Relation.FOREIGN
    if not tail.startswith(own):
        assert here.relation(tail) is Relation.FOREIGN


@pytest.mark.parametrize("kind", SeatKind)
@pytest.mark.parametrize("permission", Permission)
def test_check_says_403_to_the_wrong_kind_and_404_on_foreign_ground(kind: SeatKind, permission: Permission) -> None:
    here = seat(kind, "00010002")
    places = {Relation.OWN: "00010002", Relation.BELOW: "000100020001", Relation.FOREIGN: "00010003"}
    for relation, path in places.items():
        allowed = TABLE[permission].get(kind, frozenset())
        assert here.may(permission) is bool(allowed)
        assert here.may(permission, path) is (relation in allowed)
        if relation in allowed:
            check(here, permission, path)
        else:
            with pytest.raises(NotFound if allowed else Forbidden):
                check(here, permission, path)


@pytest.mark.parametrize("permission", Permission)
def test_a_query_finds_exactly_what_the_table_allows(session, world: World, permission: Permission) -> None:
    everything = session.scalars(select(Organisation)).all()
    for key in ("province", "county", "university", "college", "class1", "company"):
        here = world.seat(key)
        if not here.may(permission):
            with pytest.raises(Forbidden):
                scope(Organisation.path, here, permission)
            continue
        found = set(session.scalars(select(Organisation.path).where(scope(Organisation.path, here, permission))))
        assert found == {org.path for org in everything if here.may(permission, org.path)}, key


def test_a_member_s_query_stays_in_his_own_branch(session, world: World) -> None:
    here = world.own_seat(world.graduate)
    rows = select(Organisation.path).where(scope(Organisation.path, here, Permission.OWN_MEMBERSHIP))
    assert list(session.scalars(rows)) == [world.orgs["class1"].path]


def test_the_neighbour_with_the_next_number_is_not_below(session, world: World) -> None:
    # Given siblings whose paths differ in the last sign only
    assert world.orgs["class1"].path[:-1] == world.orgs["class2"].path[:-1]
    found = select(Organisation.path).where(subtree(Organisation.path, world.orgs["class1"].path))
    assert list(session.scalars(found)) == [world.orgs["class1"].path]


def test_a_seat_cannot_be_changed_once_it_is_known() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        seat(SeatKind.BRANCH, "0001").path = ""  # type: ignore[misc]
