"""A roster against what the system knows: new people, known people, other people's numbers."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.imports.making import person, roster
from tests.world import World, id_number
from zhtj.cases.kinds import kind_of
from zhtj.graduation.models import RegisterRow
from zhtj.identity.checking import WAYS_OUT
from zhtj.identity.models import Fault
from zhtj.imports.members import rosters
from zhtj.imports.members.rosters import RosterPlan
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import Conflict
from zhtj.orgs.models import Category
from zhtj.people import bulk
from zhtj.people import operations as people
from zhtj.people.bulk import Enrolment
from zhtj.people.models import Account, Member, Membership, Sex
from zhtj.people.operations import NewMember


def preview(world: World, *rows: dict[str, Any], into: str = "university") -> RosterPlan:
    return rosters.preview(roster(*rows), world.orgs[into])


def load(world: World, *rows: dict[str, Any]) -> int:
    with unit_of_work():
        return rosters.apply(preview(world, *rows), partial=True)


def row_of(member: Member, **cells: Any) -> dict[str, Any]:
    """The roster row that says what the system knows."""
    return {
        "姓名": member.name,
        "身份证号码": member.account.id_number,
        "手机号码": member.account.mobile,
        "所在团支部": member.org.full_name,
        **cells,
    }


@pytest.mark.rule("PD-31", "U-09")
def test_a_new_person_gets_what_entering_him_singly_would_give(world: World, session: Session) -> None:
    cells: dict[str, Any] = {"民族": "汉", "专业": "软件工程", "紧急联系人": "王大", "紧急联系电话": "13700000002"}
    load(world, person(300, **cells))
    new = NewMember(
        name="王敏",
        id_number=id_number(301),
        mobile="13600000301",
        sex=Sex.MALE,
        joined_on=date(2019, 5, 1),
        ethnicity="汉族",
        dev_number="201934010301",
        major="软件工程",
        emergency_name="王大",
        emergency_phone="13700000002",
    )
    single = people.add_member(world.orgs["class1"], new)

    imported = session.scalars(select(Member).join(Account).where(Account.mobile_hash == _hash("13600000300"))).one()

    own = {"id", "account_id", "dev_number"}
    columns = [column.key for column in Member.__table__.columns if column.key not in own]
    assert {name: getattr(imported, name) for name in columns} == {name: getattr(single, name) for name in columns}
    accounts = [column.key for column in Account.__table__.columns if column.key not in {"id"} | _NUMBERS]
    assert {name: getattr(imported.account, name) for name in accounts} == {
        name: getattr(single.account, name) for name in accounts
    }
    assert [_interval(session, one) for one in (imported, single)] == [("import", None, imported.org_id)] * 2
    assert _events(session, imported) == _events(session, single)


_NUMBERS = {"id_number", "id_hash", "mobile", "mobile_hash"}


def _hash(mobile: str) -> str | None:
    account = Account(name="", created_at=clock.now())
    account.set_mobile(mobile)
    return account.mobile_hash


def _interval(session: Session, member: Member) -> tuple[str, Any, int]:
    interval = session.scalars(select(Membership).where(Membership.member_id == member.id)).one()
    return interval.began_by, interval.ended_at, interval.org_id


def _events(session: Session, member: Member) -> list[tuple[str, dict[str, Any]]]:
    subjects = [("account", member.account_id), ("member", member.id)]
    found = []
    for kind, number in subjects:
        query = select(AuditEvent).where(AuditEvent.subject_type == kind, AuditEvent.subject_id == number)
        found += [(event.action, event.detail) for event in session.scalars(query)]
    return found


@pytest.mark.rule("PD-31")
def test_a_person_already_in_the_branch_is_an_update_of_what_may_change(world: World, session: Session) -> None:
    row = row_of(world.graduate, 专业="软件工程", 民族="壮", 紧急联系电话="13700000009", 团费交至="2026-06")

    plan = preview(world, row)

    assert (plan.created, plan.errors, plan.warnings) == (0, [], [])
    assert [str(change) for change in plan.updates[0].changes] == [
        "专业：（空） → 软件工程",
        "民族：汉族 → 壮族",
        "紧急联系电话：*** → ***",
        "团费交至：（空） → 2026-06",
    ]
    load(world, row)
    member = session.get_one(Member, world.graduate.id)
    assert (member.major, member.ethnicity, member.emergency_phone) == ("软件工程", "壮族", "13700000009")
    assert member.student_no
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "member.update")).one()
    assert event.detail["fields"] == ["dues_until", "emergency_phone", "ethnicity", "major"]


def test_a_row_that_says_nothing_new_is_no_update(world: World) -> None:
    plan = preview(world, row_of(world.graduate))
    assert (plan.updates, plan.errors, plan.unchanged) == ([], [], 1)


@pytest.mark.rule("U-14")
def test_joining_month_and_number_are_not_edited(world: World, session: Session) -> None:
    plan = preview(world, row_of(world.graduate, 入团年月="2020-05", 发展团员编号="202034009999"))

    assert plan.updates == []
    assert [(one.column, "不能更改" in one.cause) for one in plan.warnings] == [
        ("入团年月", True),
        ("发展团员编号", True),
    ]
    world.graduate.dev_number = None
    session.commit()
    plan = preview(world, row_of(world.graduate, 发展团员编号="202034009999"))
    assert [str(change) for change in plan.updates[0].changes] == ["发展团员编号：（空） → 202034009999"]


@pytest.mark.rule("U-14")
def test_another_name_for_a_known_number_is_an_error(world: World) -> None:
    plan = preview(world, row_of(world.graduate, 姓名="丁二"))
    assert [(one.column, "姓名不一致" in one.cause) for one in plan.errors] == [("姓名", True)]


@pytest.mark.rule("U-14", "K-19", "PD-06")
def test_what_is_wrong_in_the_system_is_corrected_by_a_case_and_nothing_is_deleted(world: World) -> None:
    name = preview(world, row_of(world.graduate, 姓名="丁二")).errors[0]
    month = preview(world, row_of(world.graduate, 入团年月="2020-05")).warnings[0]
    for problem in (name, month):
        assert f"“{kind_of('correction').label}”" in problem.fix
        assert "不用删除" in problem.fix
    assert f"“{kind_of('correction').label}”" in WAYS_OUT[Fault.DATA]
    for words in (name.fix, month.fix, *WAYS_OUT.values()):
        assert not re.search(r"删除后|归档后重新登记|须删除", words)


@pytest.mark.rule("PD-31", "U-03")
def test_a_member_who_opened_his_account_keeps_his_own_mobile_number(world: World, session: Session) -> None:
    row = row_of(world.graduate, 手机号码="13600000777")

    plan = preview(world, row)
    assert (plan.updates, [one.column for one in plan.warnings]) == ([], ["手机号码"])

    world.graduate.account.activated_at = None
    session.commit()
    plan = preview(world, row)
    assert [change.column for change in plan.updates[0].changes] == ["手机号码"]
    assert "13600000777" not in str(plan.updates)
    load(world, row)
    assert session.get_one(Member, world.graduate.id).account.mobile == "13600000777"


@pytest.mark.rule("PD-31", "U-18")
def test_a_person_in_another_organisation_is_sent_the_way_of_a_transfer(world: World) -> None:
    nearby = preview(world, row_of(world.sophomore, 所在团支部=world.orgs["class1"].full_name))
    far = preview(world, row_of(world.employee, 所在团支部=world.orgs["class1"].full_name))

    assert [(one.column, one.fix) for one in nearby.errors + far.errors] == [
        ("身份证号码", "请通过“办理转入”转接，不能用导入代替。")
    ] * 2
    assert world.orgs["class2"].full_name in nearby.errors[0].cause
    # Where somebody is outside one's own part of the tree is not told.
    assert world.orgs["team"].full_name not in far.errors[0].cause
    assert "其他团组织" in far.errors[0].cause


@pytest.mark.rule("PD-31", "U-03")
def test_a_mobile_number_that_is_someone_elses_is_an_error(world: World) -> None:
    plan = preview(
        world,
        person(1, 手机号码=world.classmate.account.mobile),
        person(2, 姓名="书记", 手机号码=world.accounts["college"].mobile),
        row_of(world.graduate, 手机号码=world.employee.account.mobile),
    )

    assert [(one.row, one.column) for one in plan.errors] == [(2, "手机号码"), (3, "手机号码"), (4, "手机号码")]
    assert {one.cause for one in plan.errors} == {"手机号码已是系统里另一人的。"}


@pytest.mark.rule("PD-31", "U-03")
def test_a_namesake_with_another_id_number_is_another_person(world: World) -> None:
    member = world.classmate
    plan = preview(world, person(1, 姓名=member.name, 手机号码=member.account.mobile))
    assert [one.column for one in plan.errors] == ["手机号码"]


@pytest.mark.rule("PD-06")
def test_an_archived_member_is_not_entered_again(world: World, session: Session) -> None:
    world.graduate.archived_at = clock.now()
    session.commit()

    plan = preview(world, row_of(world.graduate))

    (problem,) = plan.errors
    assert problem.column == "身份证号码"
    assert "请在“办理转入”中查到本人后提出请求" in problem.fix


@pytest.mark.rule("PD-02")
def test_a_secretary_on_the_roster_is_one_person_with_one_account(world: World, session: Session) -> None:
    secretary = world.accounts["class1"]
    secretary.name = "史敏"
    session.commit()
    row = person(400, 姓名="史敏", 手机号码=secretary.mobile)

    plan = preview(world, row)
    assert (plan.created, plan.errors) == (1, [])
    assert "同一账号" in plan.warnings[0].cause
    load(world, row)

    member = session.scalars(select(Member).where(Member.account_id == secretary.id)).one()
    assert member.account.id_number == id_number(400)
    assert member.account.activated_at is not None
    assert len(session.scalars(select(Account).where(Account.name == "史敏")).all()) == 1


def test_a_college_sees_its_own_branches_only(world: World) -> None:
    plan = preview(world, person(1, 所在团支部=world.orgs["team"].full_name), into="college")
    assert [one.column for one in plan.errors] == ["所在团支部"]


def test_a_branch_imports_into_itself(world: World) -> None:
    assert preview(world, person(1), into="class1").errors == []
    assert [one.column for one in preview(world, person(1), into="class2").errors] == ["所在团支部"]


@pytest.mark.rule("PD-08", "G-10")
def test_members_of_a_graduating_branch_are_graduates_with_rows(world: World, session: Session) -> None:
    world.orgs["class1"].category = Category.GRADUATES
    session.commit()

    load(world, person(1), person(2, 所在团支部=world.orgs["class2"].full_name))

    first, second = session.scalars(select(Member).join(Account).where(Account.name == "王敏").order_by(Member.id))
    assert (first.is_graduate, second.is_graduate) == (True, False)
    registered = set(session.scalars(select(RegisterRow.member_id)))
    assert first.id in registered
    assert second.id not in registered


@pytest.mark.rule("PD-31")
def test_one_bad_row_keeps_all_out_unless_partial(world: World, session: Session) -> None:
    rows = (person(1), person(2, 姓名=None), person(3))
    before = len(session.scalars(select(Member)).all())

    with unit_of_work():
        assert rosters.apply(preview(world, *rows)) == 0
    assert len(session.scalars(select(Member)).all()) == before
    assert load(world, *rows) == 2
    assert len(session.scalars(select(Member)).all()) == before + 2


def test_someone_else_entering_the_same_person_meanwhile_is_a_conflict(world: World) -> None:
    plan = preview(world, person(1))
    load(world, person(1))

    with pytest.raises(Conflict, match="刚刚登记"), unit_of_work():
        rosters.apply(plan)


def test_entering_many_keeps_their_order_across_chunks(
    world: World, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 3)
    branch = world.orgs["class2"]
    news = [
        NewMember(f"甲{'一二三四五六七八'[i]}", id_number(200 + i), f"1360001000{i}", Sex.MALE, date(2019, 5, 1))
        for i in range(8)
    ]
    with unit_of_work():
        ids = bulk.add_members([Enrolment(branch.id, branch.code, new) for new in news])

    names = [session.get_one(Member, number).name for number in ids]
    assert names == [new.name for new in news]
    assert [session.get_one(Member, number).account.id_number for number in ids] == [new.id_number for new in news]
