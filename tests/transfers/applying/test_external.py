"""To and from 北京, 广东, 福建 by hand: typed twice, recorded with evidence, never twice (family X, PD-32, PD-33)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select, text

from tests.transfers.steps import EMPLOYED, acting, apply, do, start
from tests.uploads import JPG, PDF, PNG, SHOT
from tests.world import World, id_number
from zhtj import doctor, sweeps
from zhtj.graduation import operations as graduation
from zhtj.kernel import audit, clock
from zhtj.kernel.attachments import Upload
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.letters import operations as letters
from zhtj.letters.operations import Details
from zhtj.letters.record import FileDisposition
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Region
from zhtj.orgs.operations import NewOrganisation
from zhtj.people import operations as accounts
from zhtj.people.finding import members as people
from zhtj.people.models import CodeKind, Member, Membership, Sex
from zhtj.people.operations import NewMember
from zhtj.people.signing import codes
from zhtj.transfers import operations
from zhtj.transfers.deciding import external
from zhtj.transfers.deciding.external import Incoming
from zhtj.transfers.models import Application, Evidence
from zhtj.transfers.workflow import Initiator, State

NAME = "北京某某科技有限公司第一团支部"
ABROAD = {**EMPLOYED, "external_name": NAME, "external_name_again": NAME}
NOTE = "10月9日电话向对方团委王老师核实，已显示该团员。"


@pytest.fixture
def world(world: World) -> World:
    with unit_of_work():
        for key, name, code, region in (
            ("beijing", "北京市", "11", Region.BEIJING),
            ("guangdong", "广东省", "44", Region.GUANGDONG),
        ):
            new = NewOrganisation(
                f"共青团{name}委员会", f"团{name}委", Category.LEADING_ORGAN, code=code, system=region
            )
            world.orgs[key] = orgs.create(world.orgs["centre"], new)
    return world


@pytest.fixture
def young(world: World) -> Member:
    """A member who joined at twelve: born in July 2006, joined in September 2018."""
    with unit_of_work():
        new = NewMember(
            name="戚幼",
            id_number=id_number(450, born=date(2006, 7, 1)),
            mobile="13800004500",
            sex=Sex.MALE,
            joined_on=date(2018, 9, 1),
            dev_number="201834004500",
        )
        found = accounts.add_member(world.orgs["class1"], new)
        graduation.open_register()
    return found


def abroad(world: World, member: Member | None = None, **details: Any) -> Application:
    """A member of class 1 applies to Beijing."""
    return apply(world, member or world.graduate, "beijing", **{**ABROAD, **details})


def healthy() -> bool:
    return not [finding.name for finding in doctor.examine() if finding.broken]


# ---- there: who asks, what is typed, who is refused


@pytest.mark.rule("X-01", "X-02")
@pytest.mark.parametrize("who", ["member", "class1", "university"])
def test_whoever_chooses_a_region_types_the_name_and_it_waits_for_that_system(world: World, who: str) -> None:
    seat = world.own_seat(world.graduate) if who == "member" else world.seat(who)
    application = start(seat, world.graduate, world.orgs["beijing"], **ABROAD)
    assert application.state is State.AWAITING_EXTERNAL
    assert (application.external_name, application.to_name) == (NAME, f"{NAME}（北京）")
    # The old side holds it: it records what the other system decides (PD-32)
    assert application.holder_id == world.orgs["class1"].id


@pytest.mark.rule("X-02")
@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        (None, None, "external_name"),
        ("", NAME, "external_name"),
        ("团委", "团委", "external_name"),
        (NAME, "", "external_name_again"),
        (NAME, NAME.replace("第一", "第二"), "external_name_again"),
        (NAME, NAME + "（筹）", "external_name_again"),
    ],
)
def test_a_missing_name_or_two_different_ones_are_refused(
    world: World, first: str | None, second: str | None, field: str
) -> None:
    with pytest.raises(DomainError) as caught:
        abroad(world, external_name=first, external_name_again=second)
    assert (caught.value.field, caught.value.rule) == (field, "X-02")


def test_blanks_make_no_difference(world: World) -> None:
    application = abroad(world, external_name=f" {NAME[:4]} {NAME[4:]}", external_name_again=NAME)
    assert application.external_name == NAME


@pytest.mark.rule("X-09", "PD-33")
def test_who_joined_under_thirteen_is_refused_at_the_border_with_the_way_on_paper(world: World, young: Member) -> None:
    for seat in (world.own_seat(young), world.seat("class1")):
        with pytest.raises(DomainError) as caught:
            start(seat, young, world.orgs["beijing"], **ABROAD)
        assert (caught.value.rule, caught.value.field) == ("X-09", "destination")
        assert "介绍信" in caught.value.fix
        assert "不予认定" in caught.value.fix
    # Inside our own system he goes where he likes
    assert apply(world, young, "team").state is State.AWAITING_ACCEPTANCE


@pytest.mark.rule("X-09")
def test_thirteen_on_the_first_of_the_month_of_joining_is_old_enough(world: World, young: Member) -> None:
    with unit_of_work():
        session.merge(young).joined_on = date(2019, 7, 31)  # thirteen since the first of July
    session.refresh(young)
    assert abroad(world, young).state is State.AWAITING_EXTERNAL


def test_a_move_inside_the_school_never_goes_abroad(world: World) -> None:
    with pytest.raises(DomainError) as caught:
        apply(world, world.sophomore, "beijing", **{**ABROAD, "reason": "internal_transfer"})
    assert caught.value.rule == "T-22"


# ---- what the other system says


@pytest.mark.rule("X-07", "X-10", "PD-32")
def test_the_old_side_records_that_he_was_taken_in_and_he_leaves_our_roster(world: World) -> None:
    application, seat = abroad(world), world.seat("class1")
    do(external.confirm, application, seat, NOTE, Upload("截图.png", PNG))
    assert application.state is State.COMPLETED
    assert world.graduate.org_id == world.orgs["beijing"].id
    listed = people.listing(world.seat("university"), people.MemberFilters()).page().rows
    assert world.graduate.id not in {member.id for member in listed}
    # His record and where he has been stay (PD-06)
    stays = session.scalars(select(Membership).where(Membership.member_id == world.graduate.id).order_by(Membership.id))
    assert [stay.org_id for stay in stays] == [world.orgs["class1"].id, world.orgs["beijing"].id]
    assert application.events[-1].remark == NOTE
    assert healthy()


@pytest.mark.rule("PD-32")
def test_the_old_side_records_that_he_was_not_and_everything_can_be_sent_again(world: World) -> None:
    application = abroad(world)
    do(external.fail, application, world.seat("college"), "对方系统里全称多一个“区”字，退回。", SHOT)
    assert application.state is State.FAILED_EXTERNAL
    assert world.graduate.org_id == world.orgs["class1"].id
    again = abroad(world, follows=application)
    assert (again.state, again.follows_id) == (State.AWAITING_EXTERNAL, application.id)


@pytest.mark.rule("PD-32")
@pytest.mark.parametrize("who", ["team", "company", "province", "county", "university", "class2"])
def test_nobody_else_says_what_the_other_system_decided(world: World, who: str) -> None:
    application = abroad(world)
    for answer in (external.confirm, external.fail):
        with pytest.raises(Forbidden):
            do(answer, application, world.seat(who), NOTE, SHOT)
    with pytest.raises(Forbidden):
        do(external.confirm, application, world.own_seat(world.graduate), NOTE, SHOT)
    assert application.state is State.AWAITING_EXTERNAL


@pytest.mark.rule("PD-32")
@pytest.mark.parametrize("note", ["", "已收", "  好 的  "])
def test_what_shows_it_has_to_be_said(world: World, note: str) -> None:
    application = abroad(world)
    for answer in (external.confirm, external.fail):
        with pytest.raises(DomainError) as caught:
            do(answer, application, world.seat("class1"), note, SHOT)
        assert caught.value.field == "remark"
    assert application.state is State.AWAITING_EXTERNAL


@pytest.mark.rule("PD-32")
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"<html><script>", "PNG"),
        (b"MZ\x90", "PNG"),
        (b"", "PNG"),
        (PNG[:-8], "PNG"),
        (PDF.replace(b"0000", b"/JavaScript", 1), "脚本"),
        (PNG + b"0" * external.LARGEST, "2 MB"),
    ],
)
def test_what_is_no_picture_or_pdf_or_too_large_is_no_evidence(world: World, content: bytes, problem: str) -> None:
    application = abroad(world)
    with pytest.raises(DomainError) as caught:
        do(external.confirm, application, world.seat("class1"), NOTE, Upload("截图.png", content))
    assert (caught.value.field, problem in caught.value.message) == ("file", True)
    assert application.state is State.AWAITING_EXTERNAL
    assert session.scalar(select(func.count()).select_from(Evidence)) == 0


@pytest.mark.rule("PD-32", "PD-37")
@pytest.mark.parametrize(
    ("name", "content", "kept", "kind"),
    [
        ("../../etc/截图.png", PNG, "截图.png", "image/png"),
        ("C:\\照片\\a.jpg", JPG, "a.jpg", "image/jpeg"),
        ("说明.exe", PDF, "说明.exe", "application/pdf"),
        ("", PDF, "凭据", "application/pdf"),
    ],
)
def test_evidence_is_kept_encrypted_and_each_look_is_noted(
    world: World, name: str, content: bytes, kept: str, kind: str
) -> None:
    application, seat = abroad(world), world.seat("class1")
    do(external.confirm, application, seat, NOTE, Upload(name, content))
    (found,) = external.evidence_of(application.id)
    assert (found.filename, found.media_type, found.account_id) == (kept, kind, seat.account_id)
    row = session.execute(text("SELECT content FROM evidence")).scalar_one()
    assert "PNG" not in row
    assert "PDF" not in row
    with audit.acting(seat):
        assert external.evidence_content(application, found.id)[1] == content
    assert session.scalar(select(AuditEvent.account_id).where(AuditEvent.action == "evidence.view")) == seat.account_id
    with pytest.raises(NotFound):
        external.evidence_content(application, found.id + 1)


@pytest.mark.rule("PD-32")
def test_an_answer_is_recorded_once(world: World) -> None:
    application = abroad(world)
    do(external.fail, application, world.seat("class1"), "对方说没有这个人", SHOT)
    with pytest.raises(Conflict) as caught:
        do(external.confirm, application, world.seat("college"), NOTE, Upload("a.png", PNG))
    assert "登记对方未接收" in caught.value.message
    assert session.scalars(select(Evidence.filename)).all() == [SHOT.filename]


@pytest.mark.rule("X-04", "PD-18")
def test_without_an_answer_it_is_returned_after_ten_days(world: World, clock_at: Callable[[str], None]) -> None:
    clock_at("2026-10-05T23:59")
    application = abroad(world)
    assert application.due_at is not None
    assert clock.local(application.due_at).isoformat()[:16] == "2026-10-16T00:00"
    clock_at("2026-10-15T23:59")
    sweeps.run("return")
    session.refresh(application)
    assert application.state is State.AWAITING_EXTERNAL
    # From the due moment nothing else is possible, swept or not
    clock_at("2026-10-16T00:00")
    with pytest.raises(Conflict):
        do(external.confirm, application, world.seat("class1"), NOTE, SHOT)
    sweeps.run("return")
    session.refresh(application)
    assert application.state is State.RETURNED
    assert world.graduate.org_id == world.orgs["class1"].id
    assert abroad(world, follows=application).state is State.AWAITING_EXTERNAL
    assert healthy()


@pytest.mark.rule("PD-16")
def test_the_member_takes_it_back_until_the_answer_is_recorded(world: World) -> None:
    application = abroad(world)
    do(operations.withdraw, application, world.own_seat(world.graduate))
    assert application.state is State.WITHDRAWN
    late = abroad(world, world.classmate)
    do(external.confirm, late, world.seat("class1"), NOTE, SHOT)
    with pytest.raises(Conflict):
        do(operations.withdraw, late, world.own_seat(world.classmate))


@pytest.mark.rule("X-03")
def test_who_is_there_starts_nothing_here_and_is_not_entered_anew(world: World) -> None:
    application = abroad(world)
    do(external.confirm, application, world.seat("class1"), NOTE, SHOT)
    for seat in (world.own_seat(world.graduate), world.seat("team")):
        with pytest.raises(DomainError) as caught:
            start(seat, world.graduate, world.orgs["team"], reason="work", unit_name="示例科技有限公司")
        assert caught.value.rule == "X-03"
        assert "登记转入" in caught.value.fix


def test_the_letter_names_the_organisation_as_it_was_typed(world: World) -> None:
    with unit_of_work():
        school = session.merge(world.orgs["university"])
        school.phone, school.address, school.postcode = "0551-65500000", "示范路1号", "230031"
    application, seat = abroad(world), world.seat("university")
    with acting(seat):
        session.refresh(application)
        papers = Details(dues_until=date(2026, 9, 1), file_disposition=FileDisposition.WITH_PERSONAL_FILE)
        assert letters.issue(application, seat, papers).record.receiver == NAME


# ---- and back


def newcomer(serial: int = 480, **changes: Any) -> NewMember:
    return replace(
        NewMember(
            name="京来",
            id_number=id_number(serial),
            mobile=f"1380000{4000 + serial}",
            sex=Sex.MALE,
            joined_on=date(2019, 5, 1),
            dev_number="201911000480",
        ),
        **changes,
    )


def incoming(world: World, **changes: Any) -> Incoming:
    wanted = Incoming(
        region=world.orgs["beijing"],
        origin_name="北京示范大学经济学院2022级3班团支部",
        person=newcomer(),
        destination=world.orgs["team"],
        reason="employed_with_org",
        note="10月9日收到北京系统的转接通知。",
        upload=SHOT,
    )
    return replace(wanted, **changes)


def record(world: World, who: str = "team", **changes: Any) -> Application:
    seat = world.seat(who)
    with acting(seat):
        for key in ("beijing", "guangdong", "team", "company"):
            world.orgs[key] = session.merge(world.orgs[key])
        return external.record_incoming(incoming(world, **changes), seat)


@pytest.mark.rule("PD-32", "X-04")
def test_who_comes_from_there_is_recorded_accepted_and_can_open_his_account(world: World) -> None:
    # Given the receiving branch that records what the other system has released
    application = record(world, upload=Upload("通知.pdf", PDF))
    member = application.member
    assert (application.initiator, application.state) == (Initiator.OLD_SIDE, State.AWAITING_ACCEPTANCE)
    assert member.org_id == world.orgs["beijing"].id
    assert application.from_name == "北京示范大学经济学院2022级3班团支部（北京）"
    assert len(external.evidence_of(application.id)) == 1
    # The ten days run as for any other
    assert clock.local(application.due_at).isoformat()[:16] == "2026-10-25T00:00" if application.due_at else False
    assert healthy()
    # When it accepts
    do(operations.accept, application, world.seat("team"))
    # Then he is there, and an activation code opens his account
    session.refresh(member)
    assert (application.state, member.org_id) == (State.COMPLETED, world.orgs["team"].id)
    with acting(world.seat("team")):
        code = codes.issue(CodeKind.ACTIVATION, world.seat("team"), account=member.account)
    assert code.plain
    assert member.account.activated_at is None
    assert healthy()


def test_a_committee_records_for_its_branches_and_allocates(world: World) -> None:
    application = record(world, "company", destination=world.orgs["company"])
    do(operations.accept, application, world.seat("company"))
    do(operations.allocate, application, world.seat("company"), world.orgs["team"])
    assert application.member.org_id == world.orgs["team"].id


@pytest.mark.rule("X-04")
def test_who_is_not_accepted_in_ten_days_stays_where_he_was(world: World, clock_at: Callable[[str], None]) -> None:
    application = record(world)
    clock_at("2026-10-25T00:00")
    sweeps.run("return")
    session.refresh(application)
    assert application.state is State.RETURNED
    # And can be recorded once more: he is known there by now
    second = record(world)
    assert second.member_id == application.member_id
    assert session.scalar(select(func.count()).where(Member.account_id == application.member.account_id)) == 1


@pytest.mark.rule("X-03")
def test_somebody_who_belongs_to_us_comes_by_transfer_not_by_being_entered_again(world: World) -> None:
    known = world.classmate
    person = newcomer(name=known.name, id_number=known.account.id_number, mobile=known.account.mobile)
    with pytest.raises(Conflict) as caught:
        record(world, person=person)
    assert caught.value.rule == "X-03"
    assert "办理转入" in caught.value.fix


def test_a_known_number_with_another_name_is_doubted(world: World) -> None:
    with pytest.raises(DomainError) as caught:
        record(world, person=newcomer(id_number=world.classmate.account.id_number))
    assert caught.value.field == "name"


def test_who_went_there_from_us_comes_back_as_the_same_member(world: World) -> None:
    out = abroad(world)
    do(external.confirm, out, world.seat("class1"), NOTE, SHOT)
    known = world.graduate
    person = newcomer(name=known.name, id_number=known.account.id_number, mobile=known.account.mobile)
    # Not from another region than he went to
    with pytest.raises(DomainError) as caught:
        record(world, person=person, region=world.orgs["guangdong"])
    assert caught.value.field == "region"
    back = record(world, person=person)
    assert back.member_id == known.id
    do(operations.accept, back, world.seat("team"))
    session.refresh(known)
    assert known.org_id == world.orgs["team"].id
    stays = select(func.count()).where(Membership.member_id == known.id, Membership.ended_at.is_(None))
    assert session.scalar(stays) == 1
    assert healthy()


@pytest.mark.rule("A-06")
def test_two_receivers_cannot_both_record_him(world: World) -> None:
    record(world)
    with pytest.raises(Conflict):
        record(world, "company", destination=world.orgs["company"])


@pytest.mark.rule("PD-02")
def test_a_secretary_who_comes_as_a_member_keeps_his_account(world: World) -> None:
    with unit_of_work():
        account = session.merge(world.accounts["company"])
        account.name = "京来"
        account.set_id_number(id_number(480))
    application = record(world)
    assert application.member.account_id == world.accounts["company"].id


@pytest.mark.rule("X-09", "PD-33")
def test_who_joined_under_thirteen_does_not_come_in_online_either(world: World) -> None:
    too_young = newcomer(id_number=id_number(481, born=date(2007, 1, 1)))
    with pytest.raises(DomainError) as caught:
        record(world, person=too_young)
    assert (caught.value.rule, caught.value.field) == ("X-09", "joined_on")
    assert "介绍信" in caught.value.fix


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"origin_name": ""}, "origin_name"),
        ({"note": "有信"}, "remark"),
        ({"upload": Upload("a.png", b"text")}, "file"),
    ],
)
def test_what_is_missing_is_said_at_its_field_and_nothing_is_entered(
    world: World, changes: dict[str, Any], field: str
) -> None:
    before = session.scalar(select(func.count()).select_from(Member))
    with pytest.raises(DomainError) as caught:
        record(world, **changes)
    assert caught.value.field == field
    assert session.scalar(select(func.count()).select_from(Member)) == before


@pytest.mark.parametrize("who", ["class1", "university", "township"])
def test_nobody_records_for_somebody_else_s_organisation(world: World, who: str) -> None:
    with pytest.raises(Forbidden):
        record(world, who)


def test_ours_is_no_region(world: World) -> None:
    with pytest.raises(DomainError) as caught:
        record(world, region=world.orgs["province"])
    assert caught.value.field == "region"


def test_no_seat_of_ours_releases_him(world: World) -> None:
    application = record(world)
    seats: list[ActiveSeat] = [world.seat(key) for key in ("province", "university", "class1")]
    for seat in seats:
        with pytest.raises(Forbidden):
            do(operations.release, application, seat)
