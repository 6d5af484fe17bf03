"""A name has one form at every door, and is found whichever way it is typed (PD-55)."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.cases.steps import PROOF, ask
from tests.imports.making import person, roster
from tests.letters.printing.test_fonts import TABLE
from tests.world import World
from zhtj.imports.members import rosters
from zhtj.kernel import database
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.people import operations as people
from zhtj.people import posts
from zhtj.people.finding import members, search
from zhtj.people.models import Account, Member, NameTerm
from zhtj.people.signing import codes
from zhtj.transfers.many.mass_starts import _identity

pytestmark = pytest.mark.rule("PD-55")

UYGHUR = "吾买尔江·托合提"
TYPED = ("吾买尔江·托合提", "吾买尔江.托合提", "吾买尔江・托合提", "吾买尔江 • 托合提", "吾买尔江托合提")


def found(text: str) -> set[str]:
    database.session.info.clear()
    return set(database.session.scalars(select(Account.name).where(search.begins(text))))


@pytest.mark.parametrize("typed", TYPED[:4])
def test_a_roster_stores_one_form(world: World, typed: str) -> None:
    with unit_of_work():
        plan = rosters.preview(roster(person(300, 姓名=typed)), world.orgs["university"])
        assert rosters.apply(plan) == 1
    assert found("托合提") == {UYGHUR}


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("甘■禾", "■"),
        ("鲍子墨（转专业）", "备注"),
        ("卫一宁、岑以安", "两个人"),
        ("卫一宁 岑以安", "两个人"),
        ("NULL", "不是姓名"),
    ],
)
def test_what_is_no_name_is_an_error_of_its_row(world: World, typed: str, says: str) -> None:
    plan = rosters.preview(roster(person(300, 姓名=typed)), world.orgs["university"])
    assert [(one.column, says in one.cause) for one in plan.errors] == [("姓名", True)]
    assert plan.errors[0].fix


@pytest.mark.parametrize("typed", TYPED)
def test_he_is_found_at_every_door(world: World, session: Session, typed: str) -> None:
    with unit_of_work():
        member = world.enrol(UYGHUR, "class1")
    number = member.account.id_number or ""
    assert members.find_exactly(typed, number) == member
    assert members.find_exactly(f"{typed}江", number) is None
    assert posts.find_person(typed, number) == member.account
    assert found(typed) == {UYGHUR}
    assert _identity({"name": typed, "id_number": number}) == _identity({"name": UYGHUR, "id_number": number})
    plan = rosters.preview(
        roster(
            {"姓名": typed, "身份证号码": number, "手机号码": member.account.mobile, "所在团支部": member.org.full_name}
        ),
        world.orgs["university"],
    )
    assert plan.errors == []


@pytest.mark.parametrize("typed", ["托合提", "吾买尔江.托", "tht", "wmej", "WMEJTHT"])
def test_a_part_behind_the_dot_finds_him(world: World, typed: str) -> None:
    with unit_of_work():
        world.enrol(UYGHUR, "class1")
    assert found(typed) == {UYGHUR}


@pytest.mark.parametrize(
    ("name", "letters"), [("单小红", "sxh"), ("单小红", "dxh"), ("长孙红", "zsh"), ("长孙红", "csh")]
)
def test_every_reading_of_a_surname_finds_him(world: World, name: str, letters: str) -> None:
    with unit_of_work():
        world.enrol(name, "class1")
    assert found(letters) == {name}


def test_a_new_name_is_found_and_the_old_one_no_more(world: World, session: Session) -> None:
    with unit_of_work():
        member = world.enrol(UYGHUR, "class1")
        member.account.set_name("长孙 红")
    assert member.account.name == "长孙红"
    assert found("托合提") == set()
    assert found("csh") == {"长孙红"}
    assert session.scalars(select(NameTerm.term).where(NameTerm.account_id == member.account_id)).all() == ["csh"]


def test_a_latin_name_is_found_in_any_case(world: World) -> None:
    with unit_of_work():
        world.enrol("LI  na", "class1")
    for typed in ("li n", "LI NA", "Li Na", "na", "lina"):
        assert found(typed) == {"Li Na"}, typed


def test_a_correction_and_a_registration_refuse_what_is_no_name(world: World) -> None:
    with pytest.raises(DomainError, match="备注"):
        ask(world.seat("class1"), "correction", world.graduate, PROOF, name="丁一（转专业）", why="录入时看错。")
    case = ask(world.seat("class1"), "correction", world.graduate, PROOF, name="丁 一一", why="录入时看错。")
    assert case.data["name"] == "丁一一"
    with unit_of_work():
        plain = codes.issue_registrations([world.orgs["university"].id], world.seat("province")).issued[0].plain
    with pytest.raises(DomainError, match="两个人"):
        codes.use_registration(
            plain, world.orgs["university"], name="张三、李四", mobile="13900009999", password="gao-shan-liu-shui-7"
        )


def test_every_official_character_is_stored_and_found(world: World, session: Session) -> None:
    signs = json.loads(TABLE.read_text(encoding="utf-8"))
    names = ["王" + "".join(signs[first : first + 8]) for first in range(0, len(signs), 8)]
    with unit_of_work():
        for name in names:
            people.create_account(name)
    session.expunge_all()
    assert set(session.scalars(select(Account.name))) >= set(names)
    assert [name for name in names[::25] if found(name) != {name}] == []
    missing = [one for one in session.scalars(select(Account)) if one.name in set(names) and not one.initials.isascii()]
    assert missing == []


def test_who_is_found_by_a_term_is_found_in_his_list(world: World, session: Session) -> None:
    with unit_of_work():
        member = world.enrol(UYGHUR, "class1")
    listed = members.listing(world.seat("university"), members.MemberFilters(text="托合提"))
    assert [one.id for one in listed.page().rows] == [member.id]
    query = select(Member.id).where(search.is_called(Member.id, "tht"))
    assert list(session.scalars(query)) == [member.id]
