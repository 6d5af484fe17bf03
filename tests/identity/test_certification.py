"""团员身份认证: who needs it, who looks at it, what it blocks (U-13, E-01 … E-04, U-21)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.cases.steps import ask as raise_case
from tests.cases.steps import do, grant, reply
from tests.identity.papers import PAPER
from tests.transfers.steps import EMPLOYED, acting, apply, start
from tests.uploads import PDF
from tests.world import World, id_number
from zhtj.cases.membership import blockers, e_files, records
from zhtj.cases.membership.blockers import Obstacle
from zhtj.cases.membership.e_files import EFileFilters, EFileState
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseAction, CaseState
from zhtj.identity import certification
from zhtj.identity.models import Certification, Origin
from zhtj.imports.files.layouts import ROSTER
from zhtj.imports.files.tables import ImportTable, TableRow
from zhtj.imports.members import rosters
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs.models import Category, Organisation
from zhtj.orgs.policies import policy_of
from zhtj.people import operations as people
from zhtj.people.models import Member, Post
from zhtj.transfers.applying.checks import NOT_CERTIFIED, NUMBER_TAKEN
from zhtj.transfers.many import mass_starts

FORM = Upload("入团志愿书.pdf", PAPER)
LATE = date(2021, 5, 1)


@pytest.fixture
def world(world: World) -> World:
    """The graduate joined in 2021."""
    with unit_of_work():
        world.appoint("city")
        session.merge(world.graduate).joined_on = LATE
    return world


def upload(seat: ActiveSeat, member: Member, form: Upload = FORM, **said: Any) -> Case:
    return raise_case(seat, "e_file", member, form, **{"source": "developed", **said})


def state(member: Member) -> EFileState | None:
    session.expire_all()
    return e_files.status_of(session.get_one(Member, member.id)).state


def way(case: Case) -> list[str]:
    return [session.get_one(Organisation, number).short_name for number in case.line]


def certify(world: World, member: Member) -> Case:
    return grant(world, upload(world.seat("college"), member), "university")


@pytest.mark.rule("U-13", "E-01")
def test_who_joined_in_2020_or_later_is_blocked_at_every_door_until_his_form_is_approved(world: World) -> None:
    member, company = world.graduate, world.orgs["team"]
    content = {"name": member.name, "id_number": member.account.id_number, "to": company.full_name, **EMPLOYED}
    doors = {
        "himself": lambda: apply(world, member, "team"),
        "old side": lambda: start(world.seat("class1"), member, company),
        "new side": lambda: start(world.seat("team"), member, company),
    }
    for door in doors.values():
        with pytest.raises(DomainError) as caught:
            door()
        assert caught.value.message == NOT_CERTIFIED == "尚未完成团员身份认证，不能进行组织关系转接。"
        assert "上传入团志愿书" in caught.value.fix
    for examine, key in ((mass_starts.examine_out, "class1"), (mass_starts.examine_in, "team")):
        (line,) = examine(world.seat(key), [content], {})
        assert line.error is not None
        assert line.error.message == NOT_CERTIFIED
    # Once it is uploaded he still waits, and may go when it is approved
    case = upload(world.own_seat(member), member)
    assert way(case) == ["软工1班团支部", "计算机学院团总支", "江淮示范大学团委"]
    with pytest.raises(DomainError, match=NOT_CERTIFIED):
        apply(world, member, "team")
    grant(world, case, "class1", "college", "university")
    assert state(member) is EFileState.CERTIFIED
    (line,) = mass_starts.examine_out(world.seat("class1"), [content], {})
    assert line.error is None
    assert apply(world, member, "team").state.is_open


@pytest.mark.rule("U-13")
@pytest.mark.parametrize(("joined", "refusal"), [(date(2019, 12, 1), ""), (date(2020, 1, 1), NOT_CERTIFIED)])
def test_the_policy_says_from_which_day_on(world: World, joined: date, refusal: str) -> None:
    with unit_of_work():
        session.merge(world.graduate).joined_on = joined
    if refusal:
        with pytest.raises(DomainError, match=refusal):
            apply(world, world.graduate, "team")
    else:
        assert apply(world, world.graduate, "team").state.is_open
        with pytest.raises(DomainError, match="不需要上传"):
            upload(world.seat("college"), world.graduate)


@pytest.mark.rule("U-21", "A-25")
def test_a_number_that_two_records_carry_blocks_both(world: World) -> None:
    with unit_of_work():
        session.merge(world.employee).dev_number = world.classmate.dev_number
    content = {"member": world.classmate.id, "to": world.orgs["team"].full_name, **EMPLOYED}
    (line,) = mass_starts.examine_out(world.seat("class1"), [content], {})
    assert line.error.message == NUMBER_TAKEN
    with pytest.raises(DomainError, match=NUMBER_TAKEN) as caught:
        apply(world, world.classmate, "team")
    assert "省级团委" in caught.value.fix
    assert [one.obstacle for one in blockers.of(world.classmate)] == [Obstacle.NUMBER]
    # The way out: the province gives it to its owner (F-05)
    number = world.classmate.dev_number
    case = raise_case(world.seat("class1"), "occupied_number", world.classmate, number=number, occupant="被于敏使用")
    reply(case, world.seat("team"))
    grant(world, case, "college", "university", "city", "province")
    assert apply(world, world.classmate, "team").state.is_open


@pytest.mark.rule("E-02")
@pytest.mark.parametrize("source", ["developed", "transferred"])
def test_the_form_comes_from_where_it_lies(world: World, source: str) -> None:
    case = upload(world.seat("class1"), world.graduate, source=source)
    assert way(case) == ["计算机学院团总支", "江淮示范大学团委"]
    grant(world, case, "college", "university")
    known = session.get_one(Certification, world.graduate.id)
    assert (known.origin, known.file_id) == (Origin.REVIEWED, case.files[0].id)
    with acting(world.seat("college")):
        kept, content = e_files.open_file(session.get_one(Member, world.graduate.id))
    assert (content, kept.media_type) == (PAPER, "application/pdf")


def test_only_a_plain_pdf_is_taken(world: World) -> None:
    for form in (Upload("志愿书.pdf", PDF), Upload("志愿书.pdf", b"MZ"), Upload("../x.png", b"\x89PNG\r\n\x1a\nIEND")):
        with pytest.raises(DomainError) as caught:
            upload(world.seat("class1"), world.graduate, form)
        assert caught.value.field == "files"
    with pytest.raises(DomainError, match="请上传证明材料"):
        raise_case(world.seat("class1"), "e_file", world.graduate, source="developed")


@pytest.mark.rule("E-03")
def test_an_approved_file_is_replaced_by_the_committee_and_reviewed_by_the_leading_organ(world: World) -> None:
    member = world.graduate
    first = certify(world, member).files[0].id
    # Not by the member, not by branch or general branch
    for seat in (world.own_seat(member), world.seat("class1"), world.seat("college")):
        with pytest.raises(DomainError, match="由上级团委（团工委）替换") as caught:
            upload(seat, member, why="原扫描件缺页")
        assert caught.value.rule == "E-03"
    with pytest.raises(DomainError, match="为什么替换"):
        upload(world.seat("university"), member)
    # By the committee; the leading organ above looks at it, and says no: the old file stays
    case = upload(world.seat("university"), member, why="原扫描件缺页")
    assert way(case) == ["团合肥市委"]
    assert state(member) is EFileState.PENDING
    assert session.get_one(Certification, member.id).file_id == first
    do(case, world.seat("city"), CaseAction.REFUSE, "新的扫描件没有盖章")
    assert state(member) is EFileState.CERTIFIED
    assert session.get_one(Certification, member.id).file_id == first
    # The next one is approved and takes its place
    second = grant(world, upload(world.seat("university"), member, why="补盖公章"), "city")
    assert session.get_one(Certification, member.id).file_id == second.files[0].id != first
    assert apply(world, member, "team").state.is_open


@pytest.mark.rule("E-03")
def test_what_a_college_committee_replaces_goes_on_to_the_leading_organ(world: World) -> None:
    with unit_of_work():
        session.merge(world.orgs["college"]).category = Category.COMMITTEE
    certify(world, world.graduate)
    case = upload(world.seat("college"), world.graduate, why="原扫描件缺页")
    assert way(case) == ["江淮示范大学团委", "团合肥市委"]


def make_cadre(world: World, key: str, member: Member) -> None:
    with unit_of_work():
        people.start_seat(session.merge(member.account), session.merge(world.orgs[key]), Post.DEPUTY)


@pytest.mark.rule("E-04")
def test_a_committees_own_cadre_is_looked_after_there_and_reviewed_by_the_leading_organ(world: World) -> None:
    make_cadre(world, "university", world.graduate)
    with pytest.raises(DomainError, match="江淮示范大学团委的本级团干部"):
        upload(world.seat("college"), world.graduate)
    case = upload(world.seat("university"), world.graduate)
    assert way(case) == ["团合肥市委"]
    grant(world, case, "city")
    with pytest.raises(DomainError, match="由江淮示范大学团委替换"):
        upload(world.seat("class1"), world.graduate, why="原扫描件缺页")
    again = upload(world.seat("university"), world.graduate, why="原扫描件缺页")
    assert way(again) == ["团合肥市委"]
    # What he uploads himself does not end on his own desk either
    do(again, world.seat("city"), CaseAction.REFUSE, "没有必要替换")
    with unit_of_work():
        session.delete(session.get_one(Certification, world.graduate.id))
    own = upload(world.own_seat(world.graduate), world.graduate)
    assert way(own)[-1] == "团合肥市委"


@pytest.mark.rule("E-04", "PD-02")
def test_a_leading_organs_own_cadre_needs_no_review_unless_he_uploads_it_himself(world: World) -> None:
    with unit_of_work():
        session.merge(world.employee).joined_on = LATE
    make_cadre(world, "county", world.employee)
    case = upload(world.seat("county"), world.employee)
    session.expire_all()
    assert (case.state, case.holder_id, case.ended_by_id) == (CaseState.APPROVED, None, None)
    assert [event.action for event in case.events] == [CaseAction.RAISE, CaseAction.APPROVE]
    assert session.get_one(Certification, world.employee.id).origin is Origin.OWN_ORGAN
    again = upload(world.seat("county"), world.employee, why="原扫描件缺页")
    assert session.get_one(Certification, world.employee.id).file_id == again.files[0].id
    # For himself the superior decides
    county = world.orgs["county"]
    himself = ActiveSeat(
        SeatKind.PROVINCIAL, world.employee.account_id, None, county.id, county.path, world.employee.id
    )
    own = upload(himself, world.employee, why="原扫描件缺页")
    assert (own.state, way(own)) == (CaseState.WAITING, ["团合肥市委"])


def test_a_leading_organ_uploads_for_nobody_elses_member(world: World) -> None:
    with pytest.raises(DomainError, match="领导机关只审核"):
        upload(world.seat("city"), world.graduate)


@pytest.mark.rule("A-25")
def test_everything_in_the_way_is_said_at_once(world: World) -> None:
    with unit_of_work():
        session.merge(world.employee).dev_number = world.graduate.dev_number
        session.merge(world.graduate.account).activated_at = None
    found = blockers.of(session.get_one(Member, world.graduate.id), with_account=True)
    assert [one.obstacle for one in found] == [Obstacle.CERTIFICATION, Obstacle.NUMBER, Obstacle.ACCOUNT]
    assert all(one.says and one.way_out for one in found)
    # Uploaded: others have to act now; refused: he again
    case = upload(world.seat("class1"), world.graduate)
    (first, *_) = blockers.of(session.get_one(Member, world.graduate.id))
    assert (first.waits, first.case_id) == (True, case.id)
    assert "计算机学院团总支" in first.way_out
    do(case, world.seat("college"), CaseAction.REFUSE, "这是入团申请书，不是志愿书")
    (first, *_) = blockers.of(session.get_one(Member, world.graduate.id))
    assert (first.waits, state(world.graduate)) == (False, EFileState.REFUSED)
    assert "这是入团申请书，不是志愿书" in first.way_out
    # Somebody with an open application
    apply(world, world.classmate, "team")
    (only,) = blockers.of(world.classmate)
    assert (only.obstacle, only.waits) == (Obstacle.BUSINESS, True)
    assert only.application_id


def test_each_figure_is_the_length_of_its_list(world: World) -> None:
    with unit_of_work():
        members = [world.enrol(name, "class1") for name in ("甲一", "乙一", "丙一", "戊一")]
        for member in (*members, world.classmate):
            session.merge(member).joined_on = LATE
        certification.vouch(policy_of(world.orgs["class1"]), [(members[0].id, LATE)])
    certify(world, members[1])
    upload(world.seat("class1"), members[2])
    do(upload(world.seat("class1"), members[3]), world.seat("college"), CaseAction.REFUSE, "扫描件看不清楚")
    seat, policy = world.seat("university"), policy_of(world.orgs["university"])
    counts = e_files.counts(seat, policy, EFileFilters())
    assert {one.value: number for one, number in counts.items()} == {
        "missing": 2,
        "refused": 1,
        "pending": 1,
        "vouched": 1,
        "certified": 1,
    }
    for one, number in counts.items():
        rows = list(e_files.listing(seat, policy, EFileFilters(one)).page().rows)
        assert len(rows) == number
        assert set(e_files.states_of(rows).values()) == {one}
    assert e_files.counts(world.seat("team"), policy, EFileFilters())[EFileState.MISSING] == 0


def roster(world: World, key: str, serial: int) -> Member:
    """A roster of one member who joined in 2021, imported into the organisation ``key``."""
    row: dict[str, Any] = {
        "姓名": "新生",
        "身份证号码": id_number(serial),
        "手机号码": f"1360000{serial:04d}",
        "入团年月": "2021-05",
        "发展团员编号": f"20213400{serial:04d}",
        "所在团支部": world.orgs["class1"].full_name,
    }
    table = ImportTable(rows=[TableRow(2, row)], header_row=1, columns=[column.name for column in ROSTER.columns])
    with acting(world.seat(key)):
        plan = rosters.preview(table, session.merge(world.orgs[key]))
        assert rosters.apply(plan) == 1, plan.errors
        return session.get_one(Member, session.scalars(select(func.max(Member.id))).one())


@pytest.mark.rule("U-13", "E-01")
def test_a_roster_from_above_is_vouched_for_and_a_branchs_own_is_not(world: World) -> None:
    entered = roster(world, "college", 480)
    assert state(entered) is EFileState.VOUCHED
    assert certification.of_member(entered.id).origin is Origin.VOUCHED
    # Who joined earlier needs no form, and nobody vouches for him
    assert certification.vouch(policy_of(entered.org), [(entered.id, date(2019, 12, 1))]) == 0
    assert apply(world, entered, "team").state.is_open
    own = roster(world, "class1", 481)
    assert state(own) is EFileState.MISSING
    with pytest.raises(DomainError, match=NOT_CERTIFIED):
        apply(world, own, "team")
    # Where a record was vouched for, its form may still be brought - by anybody, for nothing is replaced
    case = upload(world.seat("class1"), entered)
    do(case, world.seat("college"), CaseAction.REFUSE, "扫描件看不清楚")
    assert state(entered) is EFileState.VOUCHED


def test_without_a_file_there_is_nothing_to_open(world: World) -> None:
    with acting(world.seat("college")), pytest.raises(NotFound):
        e_files.open_file(session.get_one(Member, world.graduate.id))


def test_a_committee_of_a_college_hands_up_to_the_leading_organ(world: World) -> None:
    certify(world, world.graduate)
    with unit_of_work():
        session.merge(world.orgs["college"]).category = Category.COMMITTEE
    case = upload(world.seat("college"), world.graduate, why="原扫描件缺页")
    assert way(case) == ["江淮示范大学团委", "团合肥市委"]


@pytest.mark.rule("U-15")
def test_of_two_records_the_kept_one_takes_the_certification(world: World) -> None:
    with unit_of_work():
        session.merge(world.sophomore).joined_on = LATE
    certify(world, world.graduate)
    file_id = session.get_one(Certification, world.graduate.id).file_id
    with acting(world.seat("university")):
        doubled, kept = (session.get_one(Member, one.id) for one in (world.graduate, world.sophomore))
        records.merge(doubled, kept, "test")
    assert session.get_one(Certification, world.sophomore.id).file_id == file_id
    assert state(world.sophomore) is EFileState.CERTIFIED
