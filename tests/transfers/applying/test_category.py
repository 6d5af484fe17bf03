"""Which rate a graduate counts for: his application's reason says it, until completion freezes it (PD-09, A-27)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.browsing import Browser
from tests.transfers.steps import EMPLOYED, apply, do, start
from tests.world import World
from zhtj.graduation.models import GraduateCategory, RegisterRow
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.models import Member
from zhtj.transfers import operations

STUDY = {"reason": "further_study", "unit_name": "淮上示范大学"}
GRADUATES = [
    "升学",
    "校内专升本",
    "已落实工作单位（单位有团组织）",
    "已落实工作单位（单位无团组织）",
    "转往特殊单位（参军入伍/涉密）",
    "未落实就业去向",
    "因公出国（境）",
    "因私出国（境）",
    "其他",
]
OTHERS = ["升学", "工作", "搬迁", "校内转专业", "转往特殊单位（参军入伍/涉密）", "其他"]


@pytest.fixture(autouse=True)
def admitting(world: World) -> None:
    """Another university that is ready for its new students."""
    with unit_of_work():
        world.add("school2", "city", "共青团淮上示范大学委员会", "淮上示范大学团委", Category.COMMITTEE, "普通高等院校")
        new = NewOrganisation(
            "淮上示范大学2026级新生团支部",
            "2026级新生团支部",
            Category.BRANCH,
            "普通高等院校",
            purpose=Purpose.NEW_STUDENTS,
        )
        world.orgs["freshmen"] = orgs.create(world.orgs["school2"], new)
        world.appoint("freshmen")


def row(member: Member) -> RegisterRow:
    session.expire_all()
    return session.scalars(select(RegisterRow).where(RegisterRow.member_id == member.id)).one()


@pytest.mark.rule("PD-09")
def test_the_later_application_says_which_rate_until_completion(world: World) -> None:
    # Given a graduate of whom nobody has said anything
    member = world.graduate
    assert row(member).category is None
    # When he applies for a job and takes it back, then for further study
    application = apply(world, member, "team", **EMPLOYED)
    assert row(member).category is GraduateCategory.SOCIETY
    do(operations.withdraw, application, world.own_seat(member))
    assert row(member).category is GraduateCategory.SOCIETY
    application = apply(world, member, "freshmen", **STUDY)
    # Then the later one counts, and the log keeps how it changed
    assert row(member).category is GraduateCategory.FURTHER_STUDY
    kept = session.scalars(select(AuditEvent.detail).where(AuditEvent.action == "register.category")).all()
    assert [(one["before"], one["after"]) for one in kept] == [(None, "society"), ("society", "further_study")]
    # And once he has arrived nothing changes it any more, wherever he goes next
    do(operations.accept, application, world.seat("freshmen"))
    session.refresh(member)
    start(world.own_seat(member), member, world.orgs["team"], **EMPLOYED)
    assert row(member).category is GraduateCategory.FURTHER_STUDY
    assert row(member).completed_at is not None


@pytest.mark.rule("A-27")
@pytest.mark.parametrize(("who", "reasons"), [("graduate", GRADUATES), ("sophomore", OTHERS)])
def test_the_reason_is_chosen_at_the_start_from_the_list_of_his_kind(
    world: World, client, who: str, reasons: list[str]
) -> None:
    # Given a graduate or another member who begins to apply
    member = getattr(world, who)
    page = Browser(client).login(member.account).get("/member/transfer/new")
    # Then he chooses among exactly the reasons of his kind, in their order
    cards = [label for label in page.document.iter("label") if label.find(".//input[@name='reason']") is not None]
    said = ["".join(card.itertext()) for card in cards]
    assert len(said) == len(reasons)
    assert all(reason in card for reason, card in zip(reasons, said, strict=True))
    # And an application without one of them is refused at that field
    form = page.form("/member/transfer/new")
    answer = form.submit()
    assert answer.status == 422
    assert "请选择转接原因" in answer.text


@pytest.mark.rule("A-27", "PD-10")
def test_nobody_starts_with_a_reason_of_the_other_kind(world: World) -> None:
    for member, reason in ((world.graduate, "work"), (world.employee, "employed_with_org")):
        with pytest.raises(DomainError, match="请选择转接原因") as caught:
            apply(world, member, "freshmen", reason=reason, unit_name="示例科技有限公司")
        assert (caught.value.field, caught.value.rule) == ("reason", "PD-10")
