"""Posts: appointed, handed over, ended; somebody always acts (PD-22, U-23)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.transfers.steps import UNPLACED, acting, apply
from tests.world import World
from zhtj import doctor
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.orgs.models import Organisation
from zhtj.people import posts
from zhtj.people.models import Account, Member, Post, Seat
from zhtj.transfers.deciding import closing


def appoint(world: World, by: str, where: str, who: Account, post: Post, *, hand_over: bool = False) -> Seat:
    with acting(world.seat(by)):
        org = session.get_one(Organisation, world.orgs[where].id)
        return posts.appoint(world.seat(by), org, session.merge(who), post, hand_over=hand_over)


def end(world: World, by: str, where: str, seat: Seat, acts: str = "") -> None:
    with acting(world.seat(by)):
        posts.end(world.seat(by), session.get_one(Organisation, world.orgs[where].id), seat.id, acts=acts)


def held(world: World, where: str) -> list[tuple[str, Post]]:
    session.expire_all()
    org = session.get_one(Organisation, world.orgs[where].id)
    return [(seat.account.name, seat.post) for seat in posts.open_posts(org)]


def office(world: World, where: str) -> int | None:
    session.expire_all()
    return session.get_one(Organisation, world.orgs[where].id).office_id


@pytest.mark.rule("U-23")
def test_a_secretary_hands_over_before_he_leaves(world: World) -> None:
    old = world.accounts["class1"].name
    with pytest.raises(DomainError, match=f"现任书记是{old}") as caught:
        appoint(world, "class1", "class1", world.classmate.account, Post.SECRETARY)
    assert caught.value.field == "hand_over"
    appoint(world, "class1", "class1", world.classmate.account, Post.SECRETARY, hand_over=True)
    assert held(world, "class1") == [("卜喆", Post.SECRETARY)]
    assert office(world, "class1") == world.orgs["class1"].id


def test_further_administrators_stand_beside_the_secretary(world: World) -> None:
    appoint(world, "college", "class1", world.classmate.account, Post.DEPUTY)
    assert [post for _, post in held(world, "class1")] == [Post.SECRETARY, Post.DEPUTY]
    with pytest.raises(DomainError, match="已经是"):
        appoint(world, "college", "class1", world.classmate.account, Post.DEPUTY)


@pytest.mark.rule("PD-22")
def test_the_last_post_ends_only_after_saying_who_acts_then(world: World) -> None:
    # Given a class with one administrator
    only = posts.open_posts(world.orgs["class1"])[0]
    # When his post is ended without a word, or with the wrong one
    with pytest.raises(DomainError, match="之后由计算机学院团总支代办") as caught:
        end(world, "college", "class1", only)
    assert caught.value.field == "acts"
    with pytest.raises(Conflict, match="现在是计算机学院团总支"):
        end(world, "college", "class1", only, acts=world.orgs["university"].code)
    assert office(world, "class1") == world.orgs["class1"].id
    # Then nothing has happened; with the right one the college acts
    end(world, "college", "class1", only, acts=world.orgs["college"].code)
    assert office(world, "class1") == world.orgs["college"].id
    assert not [one for one in doctor.examine() if one.broken]


def test_a_post_that_has_ended_cannot_end_again(world: World) -> None:
    second = appoint(world, "college", "class1", world.classmate.account, Post.DEPUTY)
    end(world, "college", "class1", second)
    with pytest.raises(Conflict):
        end(world, "college", "class1", second)
    with pytest.raises(NotFound):
        end(world, "college", "class2", second)


@pytest.mark.rule("PD-02")
@pytest.mark.parametrize(("by", "where"), [("class1", "class2"), ("class1", "college"), ("team", "class1")])
def test_nobody_appoints_beside_or_above_himself(world: World, by: str, where: str) -> None:
    with pytest.raises((NotFound, Forbidden)):
        appoint(world, by, where, world.classmate.account, Post.ADMINISTRATOR)


@pytest.mark.rule("PD-37")
def test_somebody_from_elsewhere_is_found_by_name_and_full_number_alone(world: World) -> None:
    number = world.employee.account.mobile
    assert number
    with acting(world.seat("college")):
        assert posts.find_person("于敏", number) is not None
        assert posts.find_person("于某", number) is None
        assert posts.find_person("于敏", number[:-1]) is None
    looks = session.scalars(select(AuditEvent).where(AuditEvent.action == "account.look_up")).all()
    assert [event.detail["found"] for event in looks] == [True, False, False]
    assert all(number not in str(event.detail) for event in looks)


def test_candidates_are_the_members_below(world: World) -> None:
    def names(where: str, text: str = "") -> list[str]:
        return [member.name for member in posts.candidates(world.orgs[where], text)]

    assert names("class1") == ["丁一", "卜喆"]
    assert names("college", "万") == ["万堃"]
    assert names("college", "于敏") == []
    with pytest.raises(NotFound):
        posts.member_account(world.orgs["class1"], world.sophomore.id)


# ---- closing


def close(world: World, by: str, where: str, why: str = "班级已经合并") -> None:
    with acting(world.seat(by)):
        closing.close(world.seat(by), session.get_one(Organisation, world.orgs[where].id), why)


@pytest.mark.rule("PD-06")
def test_a_branch_with_members_cannot_be_closed(world: World) -> None:
    with pytest.raises(Conflict, match="还有 1 名团员"):
        close(world, "college", "class2")
    with pytest.raises(Conflict, match="下级组织"):
        close(world, "university", "college")
    assert session.get_one(Organisation, world.orgs["class2"].id).closed_at is None


@pytest.mark.rule("PD-06")
def test_an_empty_branch_is_closed_with_a_reason_and_opened_again(world: World) -> None:
    with acting(world.seat("college")):
        session.get_one(Member, world.sophomore.id).org_id = world.orgs["class1"].id
    with pytest.raises(DomainError, match="写明原因"):
        close(world, "college", "class2", "无")
    close(world, "college", "class2")
    assert held(world, "class2") == []
    assert office(world, "class2") == world.orgs["college"].id
    with pytest.raises(Conflict, match="已经停用"):
        close(world, "college", "class2")
    with pytest.raises(DomainError, match="停用"):
        appoint(world, "college", "class2", world.classmate.account, Post.SECRETARY)
    with acting(world.seat("college")):
        org = session.get_one(Organisation, world.orgs["class2"].id)
        closing.reopen(world.seat("college"), org, "班级恢复单独建制")
    org = session.get_one(Organisation, world.orgs["class2"].id)
    assert org.closed_at is None
    reasons = session.scalars(
        select(AuditEvent).where(AuditEvent.subject_id == org.id, AuditEvent.action.like("organisation.%open"))
    ).all()
    assert [event.detail["why"] for event in reasons] == ["班级恢复单独建制"]


@pytest.mark.rule("PD-06")
def test_nobody_closes_his_own_or_a_foreign_organisation(world: World) -> None:
    with pytest.raises(NotFound):
        close(world, "company", "class2")
    for own in ("college", "class1"):
        with pytest.raises(Forbidden):
            close(world, own, own)


@pytest.mark.rule("PD-06")
def test_what_somebody_is_on_the_way_to_stays_open(world: World) -> None:

    apply(world, world.graduate, "floating", **UNPLACED)
    with pytest.raises(Conflict, match="转入申请没有办完"):
        close(world, "township", "floating")
