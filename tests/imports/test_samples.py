"""The two sample files, as they come from a school."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from tests.imports.conftest import DATA
from zhtj.graduation.models import RegisterRow
from zhtj.imports.files.layouts import BRANCH, DEV_NUMBER, ID_NUMBER, JOINED, MOBILE, NAME, SEX
from zhtj.imports.files.tables import ImportTable
from zhtj.imports.members import rosters
from zhtj.imports.orgs import organisations
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import unit_of_work
from zhtj.orgs.models import Category, Organisation, Tier
from zhtj.people.models import Account, Member, Membership, Post, Seat

# Row, column and a word of the cause of every row that cannot be right.
BAD_ROWS = {
    30: (NAME, "没有填写"),
    66: (BRANCH, "没有全称为"),
    85: (ID_NUMBER, "出生日期不存在"),
    124: (SEX, "表明是女"),
    129: (BRANCH, "没有全称为"),
    133: (ID_NUMBER, "出生日期不存在"),
    147: (JOINED, "10 周岁"),
    162: (MOBILE, "10 位"),
    169: (DEV_NUMBER, "11 位"),
    174: (DEV_NUMBER, "必须有"),
    201: (ID_NUMBER, "校验码"),
    219: (ID_NUMBER, "校验码"),
    225: (ID_NUMBER, "已经丢失"),
    258: (ID_NUMBER, "已经丢失"),
    276: (ID_NUMBER, "已经丢失"),
    312: (MOBILE, "10 位"),
    317: (MOBILE, "第 60 行"),
    321: (DEV_NUMBER, "11 位"),
    322: (JOINED, "11 周岁"),
    340: (DEV_NUMBER, "必须有"),
    362: (ID_NUMBER, "校验码"),
    397: (SEX, "表明是男"),
    407: (DEV_NUMBER, "必须有"),
    416: (NAME, "没有填写"),
    422: (BRANCH, "没有全称为"),
    423: (ID_NUMBER, "第 164 行"),
}


def count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.rule("PD-31")
def test_the_sixteen_organisations_stand_where_the_file_says(
    session: Session, city: Organisation, organisation_table: ImportTable
) -> None:
    with unit_of_work():
        plan = organisations.preview(organisation_table)
        imported = organisations.apply(plan)

    assert (plan.read, plan.created, plan.errors, imported) == (16, 16, [], 16)
    below = session.scalars(select(Organisation).where(Organisation.path.like(f"{city.path}%"))).all()
    tiers = [organisation.tier for organisation in below if organisation.code not in {"3401", "340104"}]
    assert (tiers.count(Tier.BASIC), tiers.count(Tier.SECOND), tiers.count(Tier.BRANCH)) == (1, 3, 12)
    branch = session.scalars(
        select(Organisation).where(Organisation.full_name == "江淮示范大学外国语学院2022级日语专业2班团支部")
    ).one()
    assert branch.category is Category.BRANCH
    assert branch.industry == "普通高等院校"
    assert branch.parent is not None
    assert branch.parent.short_name == "外国语学院团总支"
    assert branch.phone == "0551-6710865"


@pytest.mark.rule("PD-31")
def test_secretaries_get_inactive_accounts_and_seats(session: Session, university: Organisation) -> None:
    secretary = session.scalars(select(Seat).where(Seat.org_id == university.id)).one()

    assert secretary.post is Post.SECRETARY
    assert (secretary.account.name, secretary.account.mobile) == ("周静怡", "13999560964")
    assert secretary.account.activated_at is None
    assert secretary.account.id_number is None
    # 赵磊 stands in the file three times with three numbers: three people.
    assert len(session.scalars(select(Account).where(Account.name == "赵磊")).all()) == 3
    assert university.office_id is None  # he has not activated his account yet (PD-61)


@pytest.mark.rule("PD-31", "U-03", "U-10", "U-11", "O-22")
def test_every_bad_row_of_the_roster_is_named_with_its_cause(
    session: Session, university: Organisation, roster_table: ImportTable
) -> None:
    plan = rosters.preview(roster_table, university)

    assert (plan.read, plan.bad_rows, plan.accepted) == (425, 26, 399)
    assert plan.skipped == [(431, "合计")]
    assert [problem.row for problem in plan.errors] == sorted(BAD_ROWS)
    for problem in plan.errors:
        column, words = BAD_ROWS[problem.row]
        assert problem.column == column
        assert words in problem.cause
        assert problem.fix
    assert count(session, Member) == 0


def test_a_wrong_branch_is_answered_with_the_nearest_full_name(
    university: Organisation, roster_table: ImportTable
) -> None:
    plan = rosters.preview(roster_table, university)

    fix = next(problem.fix for problem in plan.errors if problem.row == 422)
    assert fix.startswith("最接近的是：江淮示范大学外国语学院2022级日语专业2班团支部")


@pytest.mark.rule("PD-31")
def test_nothing_enters_without_partial(session: Session, university: Organisation, roster_table: ImportTable) -> None:
    with unit_of_work():
        imported = rosters.apply(rosters.preview(roster_table, university))

    assert imported == 0
    assert count(session, Member) == 0
    assert count(session, Account) == 16


@pytest.mark.rule("PD-31", "PD-37")
def test_the_other_399_enter_with_partial(
    session: Session, university: Organisation, roster_table: ImportTable
) -> None:
    with unit_of_work():
        imported = rosters.apply(rosters.preview(roster_table, university), partial=True)

    assert imported == 399
    assert count(session, Member) == 399
    open_intervals = session.scalars(select(Membership).where(Membership.ended_at.is_(None))).all()
    assert {(one.member_id, one.org_id) for one in open_intervals} == {
        (one.id, one.org_id) for one in session.scalars(select(Member))
    }
    member = session.scalars(select(Member).join(Account).where(Account.name == "戚萱泽")).one()
    assert member.account.id_number == "341204200404074586"
    assert member.account.mobile == "13912169593"
    stored = session.execute(text("SELECT id_number, mobile FROM accounts WHERE name = '戚萱泽'")).one()
    assert "341204200404074586" not in stored[0]
    assert "13912169593" not in stored[1]
    assert member.account.activated_at is None
    assert (member.sex.label, member.ethnicity, member.joined_on.isoformat()) == ("女", "满族", "2019-05-01")
    assert (member.student_no, member.emergency_phone) == ("2022000001", "13983634885")
    assert member.org.full_name == "江淮示范大学计算机学院2022级软件工程专业1班团支部"


def test_each_entered_member_has_his_audit_events(
    session: Session, university: Organisation, roster_table: ImportTable
) -> None:
    with unit_of_work():
        rosters.apply(rosters.preview(roster_table, university), partial=True)

    added = session.scalars(select(AuditEvent).where(AuditEvent.action == "member.add")).all()
    assert {event.subject_id for event in added} == set(session.scalars(select(Member.id)))
    whole = session.scalars(select(AuditEvent).where(AuditEvent.action == "import.members")).one()
    assert whole.detail == {"read": 425, "created": 399, "updated": 0, "skipped": 26}


def test_importing_the_same_files_again_changes_nothing(
    session: Session, university: Organisation, organisation_table: ImportTable, roster_table: ImportTable
) -> None:
    with unit_of_work():
        rosters.apply(rosters.preview(roster_table, university), partial=True)

    roster, tree = rosters.preview(roster_table, university), organisations.preview(organisation_table)

    assert (roster.created, roster.updates, roster.bad_rows, roster.unchanged) == (0, [], 26, 399)
    assert (tree.created, tree.updates, tree.errors, tree.unchanged) == (0, [], [], 16)
    with unit_of_work():
        assert rosters.apply(roster, partial=True) == 399
        assert organisations.apply(tree) == 16
    assert count(session, Member) == 399


def test_members_of_a_marked_branch_get_their_rows_in_the_register(
    session: Session, city: Organisation, organisation_table: ImportTable, roster_table: ImportTable
) -> None:
    for row in organisation_table.rows:
        if "1班" in str(row.cells["组织全称"]):
            row.cells["毕业时间"] = "2026-06"
    try:
        with unit_of_work():
            organisations.apply(organisations.preview(organisation_table))
    finally:
        for row in organisation_table.rows:
            row.cells.pop("毕业时间", None)
    university = session.scalars(select(Organisation).where(Organisation.full_name.like("%大学委员会"))).one()

    with unit_of_work():
        rosters.apply(rosters.preview(roster_table, university), partial=True)

    graduates = session.scalars(
        select(Member.id)
        .join(Organisation, Organisation.id == Member.org_id)
        .where(Organisation.full_name.like("%1班%"))
    ).all()
    assert len(graduates) > 150
    assert set(session.scalars(select(RegisterRow.member_id))) == set(graduates)


def test_the_samples_are_the_ones_described_here() -> None:
    assert {path.name for path in DATA.glob("*.xlsx")} == {"orgs-sample.xlsx", "roster-sample.xlsx"}
