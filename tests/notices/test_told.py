"""Every party hears of every step (PD-18, PD-20, PD-21, PD-22, U-23)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.notices import inboxes
from tests.statements import statements
from tests.transfers.steps import EMPLOYED, UNPLACED, acting, apply, do, start
from tests.uploads import SHOT
from tests.world import World
from zhtj import sweeps
from zhtj.graduation import operations as graduation
from zhtj.kernel import audit
from zhtj.kernel.database import session, unit_of_work
from zhtj.notices.models import MessageKind
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose, Region
from zhtj.orgs.operations import NewOrganisation
from zhtj.people import operations as people
from zhtj.people import queries as people_queries
from zhtj.people.models import Post
from zhtj.transfers import operations
from zhtj.transfers.applying.situations import special_unit
from zhtj.transfers.deciding import decisions, external, objections
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import Action, State

Move = Callable[[str], None]
FLOATING = Purpose.FLOATING
MAJOR = {"reason": "internal_transfer", "remark": "校内转专业"}


def another_class(world: World) -> None:
    """A third class of the college, without a secretary."""
    world.add(
        "class3",
        "college",
        "江淮示范大学计算机学院2023级软件工程专业3班团支部",
        "软工3班团支部",
        Category.BRANCH,
        "普通高等院校",
    )


def test_the_receiver_is_told_of_an_application_and_so_is_everybody_else(world: World) -> None:
    """One of the failures others have had: the receiver never heard that something waited for him."""
    # When a graduate applies to a company's branch
    application = apply(world, world.graduate, "team")
    # Then the receiver has it as new work, with name, both sides and the last day
    (message,) = inboxes.of(world, "team")
    assert message.kind is MessageKind.TASK
    assert message.title == "请办理：丁一的转接申请（待转入方审批）"
    assert "丁一的组织关系转接申请（软工1班团支部 → 研发团支部）已提交，由本人发起。" in message.body
    assert "24:00 前办理，逾期系统自动退回" in message.body
    assert (message.subject_type, message.subject_id, message.read_at) == ("application", application.id, None)
    # And the old branch is informed, without being asked for anything
    (informed,) = inboxes.of(world, "class1")
    assert informed.kind is MessageKind.PROGRESS
    assert "现在等待研发团支部审批" in informed.body
    # And the member keeps it as history that is no news to him
    (own,) = inboxes.of_member(world, world.graduate)
    assert own.body.startswith("您的组织关系转接申请")
    assert "由您发起" in own.body
    assert own.read_by_account_id == world.graduate.account_id


@pytest.mark.rule("PD-20")
def test_each_further_step_is_told_to_all_but_whoever_took_it(world: World) -> None:
    application = apply(world, world.graduate, "company")
    inboxes.forget()
    # When the company accepts
    do(operations.accept, application, world.seat("company"))
    # Then it is told to the others: who has to allocate did it himself
    assert inboxes.recipients() == {"软工1班团支部", "本人"}
    assert "现在等待示例科技团委分配团支部" in inboxes.of_member(world, world.graduate)[0].body
    inboxes.forget()
    # When it puts him into a branch
    do(operations.allocate, application, world.seat("company"), world.orgs["team"])
    # Then that branch hears of its new member, the old one that he has gone
    assert inboxes.recipients() == {"研发团支部", "软工1班团支部", "本人"}
    (arrived,) = inboxes.of(world, "team")
    assert "丁一已转入研发团支部，请尽快与本人联系" in arrived.body
    assert arrived.kind is MessageKind.OUTCOME
    assert "不再由贵组织管理" in inboxes.of(world, "class1")[0].body
    assert "请主动与该组织联系报到" in inboxes.of_member(world, world.graduate)[0].body


def test_a_college_that_started_it_hears_how_it_goes_on(world: World) -> None:
    application = start(world.seat("college"), world.graduate, world.orgs["team"], **EMPLOYED)
    assert inboxes.recipients() == {"研发团支部", "软工1班团支部", "本人"}
    assert "由计算机学院团总支发起" in inboxes.of(world, "class1")[0].body
    do(operations.refuse, application, world.seat("team"), Ground.NOT_OURS, "本人没有到我公司报到")
    assert "未获同意" in inboxes.of(world, "college")[0].title


@pytest.mark.rule("PD-17", "A-23")
def test_a_refusal_names_ground_remark_and_the_ways_out(world: World) -> None:
    application = apply(world, world.graduate, "team")
    inboxes.forget()
    do(operations.refuse, application, world.seat("team"), Ground.WORKS_ELSEWHERE, "本人已到外省单位工作。")
    (own,) = inboxes.of_member(world, world.graduate)
    assert own.title == "转接申请未获同意"
    assert "理由：本人已在其他单位就业，应转往该单位。说明：本人已到外省单位工作。" in own.body
    for way in ("申诉一次", "改选组织", "重新发起"):
        assert way in own.body
    assert "说明：本人已到外省单位工作。" in inboxes.of(world, "class1")[0].body
    assert not inboxes.of(world, "team")[0:1]


@pytest.mark.rule("A-16", "PD-17")
def test_a_forbidden_ground_in_disguise_is_told_to_the_level_above(world: World) -> None:
    application = apply(world, world.graduate, "team")
    do(operations.refuse, application, world.seat("team"), Ground.OTHER, "本人是实习人员，不是正式职工")
    (flag,) = inboxes.of(world, "company")
    assert flag.title == "请核实：丁一的申请被拒收的理由"
    assert "不是正式职工" in flag.body


@pytest.mark.rule("PD-18", "A-23")
def test_a_return_tells_both_sides_the_level_above_and_offers_the_member_to_start_again(
    world: World, clock_at: Move
) -> None:
    # Given an application that the company's branch never answered
    clock_at("2026-10-05T10:00")
    apply(world, world.graduate, "team")
    inboxes.forget()
    clock_at("2026-10-16T00:01")
    # When the time is over
    sweeps.run("return")
    # Then all four hear of it
    assert inboxes.recipients() == {"研发团支部", "软工1班团支部", "示例科技团委", "本人"}
    (above,) = inboxes.of(world, "company")
    assert "研发团支部没有按时办理，请了解情况，督促办理" in above.body
    (own,) = inboxes.of_member(world, world.graduate)
    assert own.title == "转接申请超期退回"
    assert own.read_at is None
    assert "重新发起，原来填写的内容会自动带出" in own.body


@pytest.mark.rule("PD-22", "PD-18")
def test_messages_of_an_organisation_without_administrator_lie_at_its_office(world: World, clock_at: Move) -> None:
    clock_at("2026-10-05T10:00")
    # Given a floating branch that has nobody; the township acts for it
    apply(world, world.graduate, "floating", **UNPLACED)
    (task,) = inboxes.of(world, "township")
    assert task.org.short_name == "井岗镇流动团员团支部"
    assert task.kind is MessageKind.TASK
    # When the township lets it lapse
    clock_at("2026-10-16T00:01")
    inboxes.forget()
    sweeps.run("return")
    # Then the level above the township hears of it, not the township as its own superior
    assert [message.org.short_name for message in inboxes.of(world, "county")] == ["团蜀山区委"]
    assert len(inboxes.of(world, "township")) == 1
    # And as soon as the branch has a secretary of its own, its messages are his
    with unit_of_work():
        world.appoint("floating")
    assert len(inboxes.of(world, "floating")) == 1
    assert inboxes.of(world, "township") == []


def test_one_office_for_both_sides_is_told_once(world: World) -> None:
    # Given two classes without a secretary; the college acts for both
    with unit_of_work():
        another_class(world)
        (seat,) = people_queries.posts(world.orgs["class2"])
        people.end_seat(seat, "left")
    apply(world, world.sophomore, "class3", **MAJOR)
    assert len(inboxes.of(world, "college")) == 1


@pytest.mark.rule("PD-21", "U-23")
def test_a_secretary_who_leaves_and_his_superior_hear_at_submission_that_his_duties_pass_on(world: World) -> None:
    # Given a member who is deputy secretary of his own class
    with unit_of_work():
        people.start_seat(world.graduate.account, world.orgs["class1"], Post.DEPUTY)
    # When he applies to leave
    application = apply(world, world.graduate, "team")
    # Then his direct superior is told that it takes over until there is a successor
    (message,) = inboxes.of(world, "college")
    assert message.kind is MessageKind.DUTIES
    assert message.title == "软工1班团支部副书记丁一申请转出，请确定接任人"
    assert "由直接上级代为办理，直到确定新的管理员" in message.body
    # And so is he, as news; and nothing blocks the completion (PD-21)
    duties = [one for one in inboxes.of_member(world, world.graduate) if one.kind is MessageKind.DUTIES]
    assert [one.read_at for one in duties] == [None]
    assert "先请上级更换管理员" in duties[0].body
    do(operations.accept, application, world.seat("team"))
    assert application.state is State.COMPLETED


@pytest.mark.rule("PD-21")
def test_where_submission_completes_at_once_the_duties_are_told_all_the_same(world: World) -> None:
    with unit_of_work():
        another_class(world)
        people.start_seat(world.sophomore.account, world.orgs["class2"], Post.SECRETARY)
    start(world.seat("college"), world.sophomore, world.orgs["class3"], **MAJOR)
    assert [one.kind for one in inboxes.of_member(world, world.sophomore)].count(MessageKind.DUTIES) == 1


@pytest.mark.rule("S-09")
def test_of_a_special_unit_no_message_names_more_than_the_generic_destination(world: World) -> None:
    member = world.graduate
    with audit.acting(world.own_seat(member)), unit_of_work():
        session.refresh(member)
        wanted = special_unit(member, remark="参军入伍", secret_unit="某部队", confirmed=True)
        application = operations.submit(wanted, world.own_seat(member))
    # The province has it as new work, the old branch is informed
    (task,) = inboxes.of(world, "province")
    assert task.kind is MessageKind.TASK
    assert "→ 参军入伍" in task.body
    do(operations.approve, application, world.seat("province"))
    assert "组织关系已按参军入伍转出" in inboxes.of(world, "class1")[0].body
    assert all("某部队" not in message.body for message in inboxes.everything())


@pytest.mark.rule("PD-22")
def test_a_township_hears_that_the_county_has_taken_over_and_has_nothing_more_to_do(world: World) -> None:
    with unit_of_work():
        world.orgs["county_floating"] = orgs.create(
            world.orgs["county"],
            NewOrganisation(
                "安徽省合肥市蜀山区流动团员团支部", "蜀山区流动团员团支部", Category.BRANCH, purpose=FLOATING
            ),
        )
    application = apply(world, world.graduate, "township", **UNPLACED)
    inboxes.forget()
    do(operations.take_over, application, world.seat("county"), world.orgs["county_floating"])
    (message,) = inboxes.of(world, "township")
    assert "已由县级团委接收到蜀山区流动团员团支部" in message.body
    assert "请尽快与本人联系" not in message.body


@pytest.mark.rule("PD-16")
def test_whoever_decides_hears_that_an_application_was_amended(world: World) -> None:
    application = apply(world, world.graduate, "team")
    inboxes.forget()
    do(operations.amend, application, world.own_seat(world.graduate), {"unit_name": "示例科技（合肥）有限公司"})
    (message,) = inboxes.of(world, "team")
    assert message.title == "丁一的转接申请有修改"
    assert message.kind is MessageKind.PROGRESS


@pytest.mark.rule("PD-17")
def test_an_objection_and_its_answer_are_told_to_all_concerned(world: World) -> None:
    member = world.graduate
    application = apply(world, member, "team")
    do(operations.refuse, application, world.seat("team"), Ground.WORKS_ELSEWHERE, "本人已在别处就业")
    inboxes.forget()
    # When the member objects, the superior has it as work, the refuser and the old branch are informed
    with acting(world.own_seat(member)):
        session.refresh(application)
        objection = objections.object_to(application, world.own_seat(member), "劳动合同已签，去向属实")
    (task,) = inboxes.of(world, "company")
    assert task.kind is MessageKind.TASK
    assert "说明：劳动合同已签，去向属实。请在“申诉”中核实" in task.body
    assert inboxes.recipients() == {"示例科技团委", "研发团支部", "软工1班团支部", "本人"}
    inboxes.forget()
    # When it is sustained, all hear of it, and of the application that is begun anew
    with acting(world.seat("company")):
        objections.answer(objection, world.seat("company"), sustained=True, remark="已核实，确在我公司就业")
    assert {one.title for one in inboxes.of(world, "team")} == {
        "丁一的转接申请申诉得到支持",
        "请办理：丁一的转接申请（待转入方审批）",
    }
    assert any("会重新送到研发团支部" in one.body for one in inboxes.of_member(world, member))


@pytest.mark.rule("PD-32")
def test_what_an_external_system_decided_is_told_on_our_side_alone(world: World) -> None:
    with unit_of_work():
        region = NewOrganisation("共青团北京市委员会", "团北京市委", Category.LEADING_ORGAN, system=Region.BEIJING)
        world.orgs["beijing"] = orgs.create(world.orgs["centre"], region)
    name = "北京示例科技有限公司团支部"
    application = apply(world, world.graduate, "beijing", **EMPLOYED, external_name=name, external_name_again=name)
    # The old side answers for the other system: it is its turn
    (task,) = inboxes.of(world, "class1")
    assert task.kind is MessageKind.TASK
    assert "→ 北京示例科技有限公司团支部（北京）" in task.body
    assert "把对方系统的处理结果登记到“待办”中" in task.body
    do(external.fail, application, world.seat("class1"), "2026-10-12 电话 010-12345678 核实，对方没有接收", SHOT)
    assert inboxes.recipients() == {"软工1班团支部", "本人"}
    (own, _) = inboxes.of_member(world, world.graduate)
    assert "说明：2026-10-12 电话 （号码略） 核实，对方没有接收。请按对方的意见改正后重新发起" in own.body


def test_no_message_carries_a_number_that_is_a_person_s(world: World, clock_at: Move) -> None:
    clock_at("2026-10-05T10:00")
    apply(world, world.graduate, "team", **EMPLOYED, contact_mobile="13800001234")
    clock_at("2026-10-16T00:01")
    sweeps.run("return")
    assert not [one.body for one in inboxes.everything() if re.search(r"\d{7,}", one.body + one.title)]


@pytest.mark.slow("counts over many applications")
@pytest.mark.rule("PD-18")
def test_a_fact_of_many_applications_costs_one_select_and_one_insert(world: World, clock_at: Move) -> None:
    # Given sixty applications that fall due together
    clock_at("2026-10-05T10:00")
    with unit_of_work():
        crowd = [world.enrol(f"团员{number}", "team") for number in range(60)]
    for member in crowd:
        apply(
            world,
            member,
            "floating",
            reason="relocation",
            place="residence",
            unit_address="安徽省合肥市蜀山区井岗镇",
            remark="搬到井岗镇",
        )
    inboxes.forget()
    clock_at("2026-10-16T00:01")
    # When they are returned
    with statements() as seen:
        sweeps.run("return")
    # Then all are told in one statement: each member by himself, each organisation of all together
    telling = [one.split(maxsplit=1)[0] for one in seen if "messages" in one or "from_o" in one]
    assert telling == ["SELECT", "INSERT"]
    assert len(inboxes.everything()) == 60 + 3
    assert inboxes.recipients() == {"研发团支部", "井岗镇流动团员团支部", "团蜀山区委", "本人"}
    (many,) = inboxes.of(world, "team")
    assert many.title == "60 份转接申请超期退回"
    lines = many.body.splitlines()
    assert lines[1] == "· 团员0（研发团支部 → 井岗镇流动团员团支部）"
    assert lines[-2] == "· ……共 60 份"
    assert lines[-1].startswith("请与对方联系，核对本人去向，尽快重新发起。")


def test_many_at_once_reach_an_organisation_as_one_message(world: World, clock_at: Move) -> None:
    # Given a college that starts five applications together, into one company
    with unit_of_work():
        crowd = [world.enrol(f"团员{number}", "class1") for number in range(5)]
        graduation.open_register()
    for member in crowd:
        apply(world, member, "company")
    applications = list(session.scalars(select(Application).order_by(Application.id)))
    inboxes.forget()
    # When the company accepts them all
    with acting(world.seat("company")):
        assert decisions.decide(applications, world.seat("company"), Action.ACCEPT) == {}
    (many,) = inboxes.of(world, "class1")
    assert many.title == "5 份转接申请已同意转入"
    assert many.subject_id is None
    assert many.body.endswith("现在等待示例科技团委分配团支部，分配后转接完成。")
    assert [len(inboxes.of_member(world, member)) for member in crowd] == [1] * 5
