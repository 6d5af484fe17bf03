"""Study abroad and delay: who decides, where they are kept, how they count (T-16, T-19, R-14 … R-17, F-07)."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select

from tests.browsing import Browser
from tests.cases.steps import ask, do
from tests.floating.steps import ABROAD, apply, build, grant, stay_of, where
from tests.transfers.steps import acting
from tests.world import World
from zhtj.cases import queries
from zhtj.cases.kinds import kind_of
from zhtj.cases.models import SignedForm
from zhtj.cases.queries import CaseFilters, CaseList
from zhtj.cases.subjects import Invalid
from zhtj.cases.workflow import CaseAction
from zhtj.floating import operations as floating
from zhtj.floating import queries as ledger
from zhtj.floating.models import Occupation, StayKind
from zhtj.graduation import personal
from zhtj.graduation import queries as graduation
from zhtj.graduation.models import CloseReason, MarkKind, MemberMark
from zhtj.graduation.personal import OwnMark
from zhtj.imports.spreadsheets import write_xlsx
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Purpose
from zhtj.people.models import Member
from zhtj.rates import queries as rates

DELAY = {"month": "2027-06", "why": "学分未修满，延长一年", "place": "delayed_branch"}


def progress(world: World) -> int:
    return rates.figures(world.orgs["university"].path, 2026).graduates


# ---- abroad


@pytest.mark.rule("T-16", "R-15", "R-16", "PD-09")
def test_who_studies_abroad_is_kept_by_the_school_and_counts_no_more(school: World) -> None:
    before = progress(school)
    case = apply(school, school.graduate, "overseas_study")
    grant(school, case, "college", "university")
    assert where(school.graduate) == school.orgs["abroad"].id
    stay = stay_of(school.graduate)
    assert (stay.kind, stay.situation, stay.retained_until) == (
        StayKind.OVERSEAS,
        Occupation.ABROAD,
        date(2027, 12, 31),
    )
    row = graduation.register_row(school.graduate.id, 2026)
    assert row is not None
    assert row.close_reason is CloseReason.OVERSEAS
    assert progress(school) == before - 1
    # Taken back he counts again, where he was
    seat = school.seat("university")
    with acting(seat):
        floating.take_back(seat, stay, "签证没有办成，不出国了")
    assert where(school.graduate) == school.orgs["class1"].id
    assert progress(school) == before


@pytest.mark.rule("R-15", "K-12")
def test_by_policy_the_college_decides_and_keeps_them(school: World, policy: Any) -> None:
    policy("2020-college")
    build(school, "college_abroad", "college", Purpose.OVERSEAS)
    case = apply(school, school.graduate, "overseas_study")
    assert case.line == [school.orgs["college"].id]
    grant(school, case, "college")
    assert where(school.graduate) == school.orgs["college_abroad"].id
    # Nankai: decided by the school, kept by the college
    policy("2022-nankai")
    other = apply(school, school.classmate, "overseas_study")
    assert other.line == [school.orgs["college"].id, school.orgs["university"].id]
    grant(school, other, "college", "university")
    assert where(school.classmate) == school.orgs["college_abroad"].id


@pytest.mark.rule("R-14", "F-07")
def test_the_application_states_place_period_and_contacts(school: World) -> None:
    with pytest.raises(Invalid) as wrong:
        apply(school, school.graduate, "overseas_study", **dict.fromkeys(ABROAD, ""))
    asked = {"country", "university", "subject_abroad", "degree", "begins", "ends", "contact", "relation"}
    assert asked | {"contact_mobile", "ethnicity", "major", "level", "graduated"} <= wrong.value.errors.keys()
    with pytest.raises(DomainError, match="结束的月份"):
        apply(school, school.graduate, "overseas_study", ends="2026-09")


@pytest.mark.rule("F-07", "PD-35")
def test_the_signed_application_holds_every_field_of_the_form(school: World) -> None:
    apply(school, school.graduate, "overseas_study")
    form = session.scalars(select(SignedForm)).one()
    said = dict(form.content["rows"])
    assert (form.form, form.content["title"]) == ("F-07", "关于保留团组织关系的申请")
    assert said == {
        "姓名": "丁一",
        "性别": "男",
        "民族": "汉族",
        "出生年月": "2004年3月",
        "政治面貌": "共青团员",
        "入团年月": "2019年5月",
        "身份证号": school.graduate.account.id_number,
        "学院": school.orgs["college"].full_name,
        "专业": "软件工程",
        "届别": "2026届",
        "层次": "本科毕业生",
        "毕业时间": "2026年6月",
        "前往国家（地区）": "英国",
        "学校": "示例大学",
        "攻读专业": "计算机科学",
        "攻读学位": "硕士",
        "计划学习时间": "2026年9月至2027年12月",
        "团组织关系保留在": school.orgs["college"].full_name,
        "国内联系人": "丁大（父亲）",
        "联系电话": "13700000001",
        "签名": "丁一",
        "日期": "2026年10月14日",
    }


@pytest.mark.rule("R-16")
def test_all_of_them_stand_in_one_register(school: World) -> None:
    for member, keys in ((school.graduate, ("college", "university")), (school.classmate, ())):
        case = apply(school, member, "overseas_study")
        if keys:
            grant(school, case, *keys)
    kind, target = kind_of("overseas_study"), BytesIO()
    lines = list(queries.export(school.seat("university"), kind, CaseFilters(CaseList.ALL)))
    rows = [[column.cell(line) for column in kind.columns] for line in lines]
    write_xlsx(target, kind.title, [column.heading for column in kind.columns], rows)
    sheet = load_workbook(target).active
    assert sheet is not None
    head, first, second = sheet.iter_rows(values_only=True)
    assert head[:5] == ("序号", "姓名", "学院", "原团支部", "前往国家（地区）、学校")
    # The branch he came from stays in the register, although he has left it
    assert first[1:5] == ("丁一", "计算机学院团总支", school.orgs["class1"].full_name, "英国 示例大学")
    assert first[-2:] == ("2026-10-14", "已同意")
    assert second[-1] == "办理中"


@pytest.mark.rule("R-17", "R-12")
def test_abroad_he_reports_himself(school: World, clock_at: Any) -> None:
    grant(school, apply(school, school.graduate, "overseas_study"), "college", "university")
    assert stay_of(school.graduate).contact_by == date(2027, 4, 14)
    clock_at("2027-03-01T09:00")
    own = school.own_seat(session.get_one(Member, school.graduate.id))
    with acting(own):
        floating.reported(own, "学业顺利，按时交了团费", Occupation.ABROAD)
    stay = stay_of(school.graduate)
    assert (stay.last_contact_on, stay.contact_by) == (date(2027, 3, 1), date(2027, 9, 1))
    assert ledger.last_contacts([school.graduate.id]) == {school.graduate.id: date(2027, 3, 1)}


# ---- delayed


@pytest.mark.rule("T-19", "R-08")
def test_a_delayed_graduate_is_marked_and_put_into_his_organisation(school: World) -> None:
    before = progress(school)
    case = ask(school.own_seat(session.merge(school.graduate)), "delay", **DELAY)
    grant(school, case, "college")
    assert where(school.graduate) == school.orgs["delayed"].id
    mark = session.get_one(MemberMark, school.graduate.id)
    assert (mark.kind, mark.month) == (MarkKind.DELAYED, date(2027, 6, 1))
    assert progress(school) == before - 1
    assert ledger.open_stay(school.graduate.id) is None
    # Taken back he counts again, although he is elsewhere by now
    seat = school.seat("university")
    with acting(seat):
        personal.undo(seat, [school.graduate.id])
    assert progress(school) == before


@pytest.mark.rule("T-19", "G-17")
def test_whoever_was_marked_at_the_desk_is_put_there_with_one_button(school: World, client: FlaskClient) -> None:
    seat = school.seat("college")
    with acting(seat):
        wanted = OwnMark(MarkKind.DELAYED, date(2027, 6, 1), "学分未修满")
        personal.mark_members(seat, school.orgs["class1"], [school.graduate.id], wanted)
    page = Browser(client).login(school.accounts["college"]).get("/college/staying")
    assert "有 1 名团员已标记延迟毕业" in page.main
    done = page.form("/staying/delayed").submit().follow()
    assert "1 人" in done.text
    assert where(school.graduate) == school.orgs["delayed"].id
    assert not done.has_form("/staying/delayed")


@pytest.mark.rule("T-19", "K-24", "R-08")
def test_by_policy_he_goes_where_he_studies_and_never_to_a_floating_branch(school: World, policy: Any) -> None:
    seat = school.seat("college")
    study = {**DELAY, "place": "study_branch", "branch": school.orgs["class2"].full_name}
    with pytest.raises(DomainError, match="编入延迟毕业团组织"):
        ask(seat, "delay", school.graduate, **study)
    policy("2022-nankai")
    for branch, words in (
        ("kept", "不编入流动团员团支部"),
        ("team", "本校"),
        ("class1", "毕业生团组织"),
    ):
        with pytest.raises(DomainError, match=words):
            ask(seat, "delay", school.graduate, **{**study, "branch": school.orgs[branch].full_name})
    case = ask(seat, "delay", school.graduate, **study)
    grant(school, case, "college")
    assert where(school.graduate) == school.orgs["class2"].id


@pytest.mark.rule("G-18", "T-19")
def test_the_new_time_is_later_and_the_organisation_must_be_there(world: World) -> None:
    seat = world.own_seat(session.merge(world.graduate))
    with pytest.raises(DomainError, match="必须晚于"):
        ask(seat, "delay", **{**DELAY, "month": "2026-06"})
    case = ask(seat, "delay", **DELAY)
    with pytest.raises(DomainError, match="还没有“延迟毕业团组织”"):
        do(case, world.seat("college"), CaseAction.APPROVE)


LIFE = {"purpose": "life", "university": "", "subject_abroad": "", "degree": ""}


@pytest.mark.rule("PD-62")
def test_who_goes_abroad_to_live_there_may_stay_since_2022(school: World) -> None:
    case = apply(school, school.graduate, "overseas_study", **LIFE)
    grant(school, case, "college", "university")

    assert where(school.graduate) == school.orgs["abroad"].id
    paper = session.scalars(select(SignedForm)).one().content
    said = dict(paper["rows"])
    assert "前往境外生活" in paper["text"][0]
    assert {"学校", "攻读专业", "攻读学位"}.isdisjoint(said)
    assert said["计划在外时间"] == "2026年9月至2027年12月"


@pytest.mark.rule("PD-62")
def test_before_2022_only_studies_abroad_kept_somebody_at_school(school: World, policy: Any) -> None:
    policy("2020-national")

    with pytest.raises(DomainError, match="学习、研究的才能留在学校") as refused:
        apply(school, school.graduate, "overseas_study", **LIFE)
    assert refused.value.field == "purpose"
