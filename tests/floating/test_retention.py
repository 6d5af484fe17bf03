"""Retention: who may, how long, where to, in batches, and how it counts (R-01 … R-12, D-18, A-22, A-26)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.cases.steps import ask, do, on_file
from tests.floating.steps import RETAINED, apply, build, grant, sign, stay_of, where
from tests.transfers.steps import EMPLOYED, acting, start
from tests.transfers.steps import do as transfer
from tests.uploads import PDF
from tests.world import World
from zhtj.cases import messages, operations, queries, rounds, signatures, subjects
from zhtj.cases.kinds import kind_of, staying
from zhtj.cases.kinds.retention import GROUND
from zhtj.cases.models import SignedForm
from zhtj.cases.queries import CaseFilters
from zhtj.cases.subjects import Invalid
from zhtj.cases.workflow import CaseAction, CaseState
from zhtj.floating import operations as floating
from zhtj.floating import queries as ledger
from zhtj.floating.models import StayKind
from zhtj.floating.queries import LedgerFilters
from zhtj.floating.rules import retained_until
from zhtj.graduation import personal
from zhtj.graduation import queries as graduation
from zhtj.graduation.models import MarkKind, MemberMark
from zhtj.graduation.personal import OwnMark
from zhtj.kernel import clock
from zhtj.kernel.attachments import Upload
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.notices.models import Message
from zhtj.orgs.models import Organisation, Purpose
from zhtj.people.models import Member
from zhtj.rates import queries as rates
from zhtj.transfers import operations as transfers
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State as TransferState

WAY = ("college", "university")


def keep(world: World, member: Member, **typed: Any) -> Member:
    grant(world, apply(world, member, **typed), *WAY)
    return member


@pytest.mark.rule("R-05", "R-06", "T-15", "PD-10")
def test_who_is_retained_goes_to_the_schools_floating_branch(school: World) -> None:
    # Given a graduate without a job, who has filled in the form and signed
    case = apply(school, school.graduate)
    assert case.holder_id == school.orgs["college"].id
    # When his college and then the school's committee agree
    grant(school, case, *WAY)
    # Then he is in the school's floating branch, looked after by his college, until the end of the term
    assert where(school.graduate) == school.orgs["kept"].id
    stay = stay_of(school.graduate)
    assert (stay.kind, stay.home_id, stay.ground) == (StayKind.SCHOOL, school.orgs["college"].id, "no_job")
    assert stay.retained_until == date(2026, 12, 31)
    assert "再由" not in (case.outcome or ""), "one tier: the school's branch is where he stays"
    # And nothing of it is a transfer
    assert session.scalar(select(func.count()).select_from(Application)) == 0


@pytest.mark.rule("D-18", "R-02", "PD-10")
@pytest.mark.parametrize(
    ("graduation", "months", "until"),
    [((2026, 6), 6, date(2026, 12, 31)), ((2026, 6), 12, date(2027, 6, 30)), ((2025, 8), 6, date(2026, 2, 28))],
)
def test_the_term_runs_from_the_end_of_the_graduation_month(
    graduation: tuple[int, int], months: int, until: date
) -> None:
    assert retained_until(date(*graduation, 15), months) == until


@pytest.mark.rule("D-18", "R-02")
def test_it_is_extended_once_where_the_policy_says_so(school: World, policy: Any) -> None:
    member = keep(school, school.graduate)
    seat = school.own_seat(session.merge(member))
    case = ask(seat, "retention_extension", why="单位明年三月才能办手续")
    grant(school, case, "university")
    assert (stay_of(member).retained_until, stay_of(member).extended_on) == (date(2027, 6, 30), date(2026, 10, 14))
    with pytest.raises(DomainError, match="不能再延长"):
        ask(seat, "retention_extension", why="还要再延长一次")
    policy(retention_max_months=6)
    with pytest.raises(DomainError, match="不能延长"):
        ask(seat, "retention_extension", why="还要再延长一次")


@pytest.mark.rule("R-01", "K-11")
def test_who_may_be_retained_the_policy_says(school: World, policy: Any) -> None:
    # A sophomore stays anyway; an employee is no school's
    for member, words in ((school.sophomore, "不是毕业生"), (school.employee, "不在学校")):
        with pytest.raises(DomainError, match=words):
            apply(school, member)
    # Vocational schools: by the national guide, not in the college's local one; at Nankai whoever applies
    with unit_of_work():
        session.get_one(Organisation, school.orgs["university"].id).industry = "中等职业院校"
    policy("2020-college")
    with pytest.raises(DomainError, match="不能保留在学校"):
        apply(school, school.graduate)
    for name in ("2026-national", "2022-nankai"):
        policy(name)
        with unit_of_work():
            case = apply(school, school.graduate)
        do(case, school.own_seat(session.merge(school.graduate)), CaseAction.WITHDRAW)
    with unit_of_work():
        session.get_one(Organisation, school.orgs["university"].id).industry = "普通高中"
    policy("2020-national")
    with pytest.raises(DomainError, match="不能保留"):
        apply(school, school.graduate)


@pytest.mark.rule("R-08", "T-19")
def test_a_delayed_graduate_never(school: World) -> None:
    with unit_of_work():
        wanted = OwnMark(MarkKind.DELAYED, date(2027, 6, 1), "学分未修满")
        personal.mark_members(school.seat("college"), school.orgs["class1"], [school.graduate.id], wanted)
    session.expire_all()
    with pytest.raises(DomainError, match="延迟毕业"):
        apply(school, school.graduate)


@pytest.mark.rule("R-04")
def test_he_stays_in_the_denominator_and_is_not_completed(school: World) -> None:
    before = rates.figures(school.orgs["university"].path, 2026)
    member = keep(school, school.graduate)
    row = graduation.register_row(member.id, 2026)
    assert row is not None
    assert (row.closed_at, row.completed_at) == (None, None)
    assert rates.figures(school.orgs["university"].path, 2026) == before
    # Until he is really transferred: then he counts like everybody else, and his stay has ended
    member = session.get_one(Member, member.id)
    application = start(school.own_seat(member), member, school.orgs["team"], **EMPLOYED)
    transfer(transfers.accept, application, school.seat("team"))
    session.expire_all()
    assert application.state is TransferState.COMPLETED
    assert row.completed_at is not None
    assert ledger.open_stay(member.id) is None


@pytest.mark.rule("R-09")
@pytest.mark.parametrize("missing", ["dues", "life"])
@pytest.mark.parametrize("ground", ["no_job", "retake", "commissioned"])
def test_dues_and_participation_are_each_fixed_in_writing_before_he_signs(
    school: World, ground: str, missing: str
) -> None:
    # Neither he himself nor whoever signs what was raised for him can leave one of the two open
    with pytest.raises(Invalid) as left_open:
        apply(school, school.graduate, ground=ground, **{missing: ""})
    assert set(left_open.value.errors) == {missing}
    case = ask(school.seat("college"), "retention", school.graduate, **{**RETAINED, "ground": ground, missing: ""})
    with pytest.raises(Invalid) as unsigned:
        sign(school, case, school.graduate)
    assert set(unsigned.value.errors) == {missing}
    sign(school, case, school.graduate, **{missing: "每季度一次，交给学院团委"})
    grant(school, case, "university")
    # What was agreed is kept with his signature
    form = session.scalars(select(SignedForm)).one()
    label = {"dues": "团费交纳", "life": "参加组织生活"}[missing]
    assert [label, "每季度一次，交给学院团委"] in form.content["rows"]


@pytest.mark.rule("R-05", "T-24")
def test_in_two_tiers_the_college_takes_him_into_its_own_branch(school: World, policy: Any) -> None:
    # Given somebody who sits the examination again, because his township refuses
    policy("2022-nankai")
    with pytest.raises(Invalid):
        apply(school, school.graduate, ground="retake", dues="", life="")
    case = apply(school, school.graduate, ground="retake", detail="居住地街道不接收，准备二战考研")
    grant(school, case, *WAY)
    assert "再由计算机学院团总支分配" in (case.outcome or "")
    # When his college, which sees him although the branch is the school's, allocates him
    seat = school.seat("college")
    assert where(school.graduate) == school.orgs["kept"].id
    (stay,) = ledger.listing(seat, LedgerFilters("allocate")).page().rows
    stranger = school.seat("university")
    with pytest.raises(DomainError), acting(stranger):
        floating.allocate(stranger, [stay_of(school.graduate)], school.orgs["floating"])
    with acting(seat):
        assert floating.allocate(seat, ledger.picked(seat, [stay.id]), school.orgs["college_kept"]) == 1
    # Then he is in the college's floating branch, on the same terms
    assert where(school.graduate) == school.orgs["college_kept"].id
    now = stay_of(school.graduate)
    assert (now.id, now.org_id, now.retained_until) == (stay.id, school.orgs["college_kept"].id, date(2026, 12, 31))
    assert ledger.listing(seat, LedgerFilters("allocate")).count() == 0
    # And what was agreed stands in the form he signed
    form = session.scalars(select(SignedForm)).one()
    assert ["团费交纳", RETAINED["dues"]] in form.content["rows"]


@pytest.mark.rule("T-23", "T-25")
@pytest.mark.parametrize(("ground", "until"), [("teaching", date(2027, 6, 30)), ("file_first", date(2026, 12, 31))])
def test_some_go_to_the_colleges_floating_branch_at_once(school: World, ground: str, until: date) -> None:
    member = keep(school, school.graduate, ground=ground)
    assert where(member) == school.orgs["college_kept"].id
    assert stay_of(member).retained_until == until


@pytest.mark.rule("T-26")
def test_a_dropout_whom_nobody_reaches_is_kept_and_not_deleted(school: World) -> None:
    # He signs nothing; his college states it of him
    typed = {**RETAINED, "ground": "dropout", "detail": "退学回家，电话不通", "dues": "", "life": ""}
    case = ask(school.seat("college"), "retention", school.graduate, **typed)
    grant(school, case, "university")
    assert where(school.graduate) == school.orgs["college_kept"].id
    assert session.get_one(Member, school.graduate.id).archived_at is None


@pytest.mark.rule("T-27", "R-09")
def test_a_commissioned_student_stays_with_his_unit_by_a_statement_on_file(school: World) -> None:
    seat, words = school.seat("team"), {"purpose": "commissioned", "text": "定向委培，在本单位任团支部委员，关系不转。"}
    with pytest.raises(DomainError, match="团费"):
        ask(seat, "statement", school.employee, **words)
    with pytest.raises(DomainError, match="组织生活"):
        ask(seat, "statement", school.employee, **words, dues="按月在单位交")
    case = ask(seat, "statement", school.employee, **words, dues="按月在单位交", life="寒暑假参加组织生活")
    grant(school, case, "company")
    assert case.state is CaseState.APPROVED
    assert where(school.employee) == school.orgs["team"].id
    own = school.own_seat(session.merge(school.employee))
    assert [one.id for one in on_file(own, school.employee.id)] == [case.id]


@pytest.mark.rule("A-26", "R-06", "F-08")
def test_nobody_is_taken_in_before_his_form_is_signed(school: World) -> None:
    case = ask(school.seat("college"), "retention", school.graduate, **RETAINED)
    seat = school.seat("university")
    assert "还没有填写、签名" in operations.obstacle(case)
    with pytest.raises(DomainError, match="还没有填写、签名"):
        do(case, seat, CaseAction.APPROVE)
    assert where(school.graduate) == school.orgs["class1"].id
    sign(school, case, school.graduate)
    assert operations.obstacle(case) == ""
    grant(school, case, "university")
    assert where(school.graduate) == school.orgs["kept"].id


@pytest.mark.rule("A-26", "T-23", "T-25")
@pytest.mark.parametrize("ground", ["teaching", "file_first"])
def test_nor_is_who_goes_to_the_colleges_branch_at_once(school: World, ground: str) -> None:
    case = ask(school.seat("college"), "retention", school.graduate, **{**RETAINED, "ground": ground})
    with pytest.raises(DomainError, match="还没有填写、签名") as refused:
        do(case, school.seat("university"), CaseAction.APPROVE)
    assert refused.value.rule == "A-26"
    assert where(school.graduate) == school.orgs["class1"].id
    sign(school, case, school.graduate)
    grant(school, case, "university")
    assert where(school.graduate) == school.orgs["college_kept"].id


@pytest.mark.rule("A-26")
def test_a_case_that_has_climbed_unsigned_is_not_approved(school: World) -> None:
    # Given one that his class has raised for him and his college has passed on, before he has signed
    case = ask(school.seat("class1"), "retention", school.graduate, **RETAINED)
    do(case, school.seat("college"), CaseAction.FORWARD)
    assert case.holder_id == school.orgs["university"].id
    # Then the committee cannot approve it, singly or in a batch
    seat = school.seat("university")
    with pytest.raises(DomainError, match="还没有填写、签名"):
        do(case, seat, CaseAction.APPROVE)
    with acting(seat):
        errors = operations.decide(queries.load(seat, [case.id]), seat, CaseAction.APPROVE)
    assert [error.rule for error in errors.values()] == ["A-26"]
    session.expire_all()
    assert case.state.is_open
    assert where(school.graduate) == school.orgs["class1"].id


@pytest.mark.rule("A-26", "R-05")
def test_the_committee_decides_many_at_once_at_announced_times(school: World) -> None:
    # Given a round that was announced, and three applications of which one is not signed
    seat = school.seat("university")
    with acting(seat):
        rounds.announce(seat, date(2026, 10, 20), date(2026, 10, 25))
    with unit_of_work():
        third = school.enrol("文心", "class1")
        school.graduate, school.classmate = session.merge(school.graduate), session.merge(school.classmate)
    with unit_of_work():
        session.get_one(Member, third.id).is_graduate = True
    cases = [apply(school, one) for one in (school.graduate, school.classmate)]
    cases.append(ask(school.seat("college"), "retention", third, **RETAINED))
    for case in cases[:2]:
        do(case, school.seat("college"), CaseAction.FORWARD)
    # When the committee decides all that lie with it
    ids = [case.id for case in queries.listing(seat, CaseFilters(kind="retention"))]
    assert ids == [case.id for case in cases]
    with acting(seat):
        errors = operations.decide(queries.load(seat, ids), seat, CaseAction.APPROVE)
    # Then two are in the branch, and the third line says why not
    assert list(errors) == [cases[2].id]
    assert "签名" in str(errors[cases[2].id])
    assert {where(school.graduate), where(school.classmate)} == {school.orgs["kept"].id}
    told = session.scalars(select(Message.body).where(Message.org_id == school.orgs["college"].id)).all()
    assert any("10月25日 集中审核" in body for body in told)
    with pytest.raises(Forbidden), acting(school.seat("college")):
        rounds.announce(school.seat("college"), date(2026, 10, 20), date(2026, 10, 25))


@pytest.mark.rule("A-22")
def test_who_is_not_eligible_takes_it_back_or_asks_for_a_refusal(school: World) -> None:
    own = school.own_seat(session.merge(school.graduate))
    # He takes back what he applied for himself, and what his college has raised for him
    mine = apply(school, school.graduate)
    do(mine, own, CaseAction.WITHDRAW)
    theirs = ask(school.seat("college"), "retention", school.graduate, **RETAINED)
    assert queries.case(own, theirs.id).id == theirs.id
    do(theirs, own, CaseAction.WITHDRAW)
    assert (mine.state, theirs.state) == (CaseState.WITHDRAWN, CaseState.WITHDRAWN)
    # Or the committee refuses because he asks for it
    third = ask(school.seat("college"), "retention", school.graduate, **RETAINED)
    with acting(own):
        messages.ask_refusal(third, "丁一", "已经找到单位")
    at_school = select(Message.body).where(Message.org_id == school.orgs["university"].id).order_by(Message.id.desc())
    assert "丁一请求不同意" in (session.scalars(at_school).first() or "")
    do(third, school.seat("university"), CaseAction.REFUSE, "本人请求不同意")
    assert third.state is CaseState.REFUSED
    assert where(school.graduate) == school.orgs["class1"].id


@pytest.mark.rule("R-13", "R-06")
def test_a_form_signed_by_hand_is_filed_as_a_picture(school: World) -> None:
    seat = school.seat("college")
    case = ask(seat, "retention", school.graduate, **{**RETAINED, "dues": "", "life": ""})
    agreed = {"dues": "一次交清半年", "life": "线上参加"}
    with pytest.raises(Invalid), acting(seat):
        signatures.file_paper(case, seat, Upload("告知书.pdf", PDF), {})
    with acting(seat):
        session.refresh(case)
        kept = signatures.file_paper(case, seat, Upload("告知书.pdf", PDF), agreed)
    assert kept.on_paper
    grant(school, case, "university")
    assert [one.form for one in signatures.of_member(school.graduate.id)] == ["F-08"]
    with pytest.raises(Conflict), acting(seat):
        signatures.file_paper(case, seat, Upload("告知书.pdf", PDF), agreed)


@pytest.mark.rule("PD-35", "F-08")
def test_the_notice_is_signed_by_name_and_kept_as_it_was_read(school: World) -> None:
    case = ask(school.seat("college"), "retention", school.graduate, **RETAINED)
    own = school.own_seat(session.merge(school.graduate))
    other = school.own_seat(session.merge(school.classmate))
    with pytest.raises(DomainError, match="姓名不一致"), acting(own):
        signatures.sign(case, own, signatures.Signature("丁二", own.account_id), {})
    with pytest.raises(Forbidden), acting(other):
        signatures.sign(case, other, signatures.Signature("卜喆", other.account_id), {})
    sign(school, case, school.graduate)
    form = session.scalars(select(SignedForm)).one()
    assert (form.form, form.member_id, form.name, form.on_paper) == ("F-08", school.graduate.id, "丁一", False)
    # The six points, whom to ring, the receipt: number, telephone, signature, day
    assert len(form.content["text"]) == 6
    labels = dict(form.content["rows"])
    assert labels["团组织联系人"] == school.accounts["college"].name
    assert labels["联系电话"]
    assert labels["团员身份证号码"] == school.graduate.account.id_number
    assert (labels["本人手机号码"], labels["签名"], labels["日期"]) == ("13811112222", "丁一", "2026年10月14日")
    with pytest.raises(Conflict):
        sign(school, case, school.graduate)


@pytest.mark.rule("R-07")
def test_why_is_said_in_the_forms_words(school: World) -> None:
    with pytest.raises(Invalid) as wrong:
        apply(school, school.graduate, ground="", detail="")
    assert {"ground", "detail"} <= wrong.value.errors.keys()
    with pytest.raises(DomainError, match="备注"):
        apply(school, school.graduate, plan="other")
    # What the document names is on offer
    offered = " ".join(words for _, words in GROUND.choices)
    for named in ("没有升学", "没有就业", "二战考研", "工作单位未确定具体转接流程"):
        assert named in offered


@pytest.mark.rule("O-12")
def test_where_the_branch_is_missing_whoever_decides_is_told_how_to_build_it(world: World, clock_at: Any) -> None:
    case = apply(world, world.graduate)
    do(case, world.seat("college"), CaseAction.FORWARD)
    with pytest.raises(DomainError, match=r"还没有“流动团员团支部”.*下级组织"):
        do(case, world.seat("university"), CaseAction.APPROVE)
    build(world, "kept", "university", Purpose.FLOATING)
    grant(world, case, "university")
    assert where(world.graduate) == world.orgs["kept"].id


def test_under_way_it_waits_for_the_transfer_and_the_other_way_round(school: World) -> None:
    case = apply(school, school.graduate)
    member = session.get_one(Member, school.graduate.id)
    start(school.own_seat(member), member, school.orgs["team"], **EMPLOYED)
    do(case, school.seat("college"), CaseAction.FORWARD)
    with pytest.raises(DomainError, match="正在办理的转接申请"):
        do(case, school.seat("university"), CaseAction.APPROVE)
    other = session.get_one(Member, school.classmate.id)
    start(school.own_seat(other), other, school.orgs["team"], **EMPLOYED)
    with pytest.raises(DomainError, match="正在办理的转接申请"):
        apply(school, other)


def test_taken_back_he_is_where_he_was(school: World) -> None:
    member = keep(school, school.graduate)
    seat = school.seat("university")
    with pytest.raises(DomainError, match="原因"), acting(seat):
        floating.take_back(seat, stay_of(member), "")
    # Nor by a committee that has nothing to do with him
    with pytest.raises(Forbidden), acting(school.seat("company")):
        floating.take_back(school.seat("company"), stay_of(member), "手续办错了，重新办理")
    with acting(seat):
        floating.take_back(seat, stay_of(member), "手续办错了，重新办理")
    assert where(member) == school.orgs["class1"].id
    assert ledger.open_stay(member.id) is None


@pytest.mark.rule("D-18", "PD-61")
def test_whoever_decides_is_told_that_the_term_is_an_extension_or_over(school: World, clock_at: Any) -> None:
    case = apply(school, school.graduate)
    matter = subjects.matter(case)
    assert kind_of("retention").warn(matter) == "同意后计为未完成转接，到落实去向、转出为止。"
    clock_at("2027-03-01T09:00")
    assert "按延长保留办理，保留到 2027-06-30" in kind_of("retention").warn(matter)
    clock_at("2027-07-01T09:00")
    assert "保留期最长到 2027-06-30，已经过了" in kind_of("retention").warn(matter)


@pytest.mark.rule("PD-08", "D-18")
def test_the_term_runs_from_his_own_month_where_he_has_one(school: World) -> None:
    member = session.merge(school.graduate)
    assert staying.graduation_month(member) == date(2026, 6, 1)
    with unit_of_work():
        session.add(
            MemberMark(
                member_id=member.id,
                org_id=member.org_id,
                kind=MarkKind.INDIVIDUAL,
                month=date(2026, 9, 1),
                marked_at=clock.now(),
            )
        )
    assert staying.graduation_month(member) == date(2026, 9, 1)
    # Whose class has none has none, whatever others have
    assert staying.graduation_month(session.merge(school.sophomore)) is None


@pytest.mark.rule("A-26")
def test_a_round_can_be_applied_for_to_the_end_of_its_last_day(school: World, clock_at: Any) -> None:
    seat, committee = school.seat("university"), school.orgs["university"]
    with acting(seat):
        rounds.announce(seat, date(2026, 10, 20), date(2026, 10, 25))
    for moment, open_then in (("2026-10-20T23:59", True), ("2026-10-21T00:00", False)):
        clock_at(moment)
        assert (rounds.next_of(committee) is not None) is open_then


@pytest.mark.rule("PD-35", "R-09")
def test_what_was_agreed_at_the_signature_is_logged_and_nothing_where_nothing_changed(school: World) -> None:
    noted = select(AuditEvent.detail).where(AuditEvent.action == "case.agree")
    sign(school, ask(school.seat("college"), "retention", school.graduate, **RETAINED), school.graduate)
    assert session.scalars(noted).all() == []
    other = ask(school.seat("college"), "retention", school.classmate, **{**RETAINED, "dues": ""})
    sign(school, other, school.classmate, dues="每季度交给学院团委")
    assert [one["fields"] for one in session.scalars(noted)] == [["dues"]]
