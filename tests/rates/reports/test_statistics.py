"""The statistics of 附件2: four counts of an area, reported, added up, reconciled, handed out (F-10, M-16)."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.browsing import Browser
from tests.exports.reading import csv_file, xlsx
from tests.rates.conftest import SEASON, Area
from tests.statements import statements
from tests.transfers.steps import acting
from zhtj.graduation import operations as graduation
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.notices.models import Message
from zhtj.orgs.models import Category
from zhtj.rates.models import GraduationCount
from zhtj.rates.reports import statistics
from zhtj.rates.reports.statistics import FourCounts


def write(
    area: Area, who: str, classes: int | str, students: int | str, about: str = "", *, season: int = SEASON
) -> None:
    seat, org = area.world.seat(who), area.world.orgs[about or who]
    with acting(seat):
        statistics.write(seat, org, season, {"classes": str(classes), "students": str(students)})


def lines(area: Area, key: str) -> dict[str, FourCounts]:
    return {line.organisation.short_name: line.counts for line in statistics.table(area.world.orgs[key], SEASON).lines}


def total(area: Area, key: str) -> FourCounts:
    return statistics.table(area.world.orgs[key], SEASON).total


@pytest.mark.rule("F-10", "M-16")
def test_four_counts_of_every_area_added_up_the_tree(area: Area) -> None:
    # Given two schools with one graduating branch each, three members here and one there
    assert total(area, "province") == FourCounts(None, 1, None, 3)
    # When both report classes and students, members of the League or not
    write(area, "university", 40, 1500)
    write(area, "q_college", 12, 300)
    # Then each area has its four counts
    assert lines(area, "university") == {"计算机学院团总支": FourCounts(None, 1, None, 3)}
    for key in ("university", "city", "province"):
        assert total(area, key) == FourCounts(40, 1, 1500, 3), key
    assert total(area, "q") == FourCounts(12, 1, 300, 1)
    assert total(area, "centre") == FourCounts(52, 2, 1800, 4)
    assert lines(area, "centre")["团安徽省委"] == FourCounts(40, 1, 1500, 3)
    # And a branch that graduates later is in neither
    with unit_of_work():
        graduation.mark_branch(area.world.orgs["class2"], month=date(2027, 6, 1))
    assert total(area, "province").branches == 1
    # The branches are listed, as many as counted
    path = area.world.orgs["centre"].path
    listing = statistics.branches(path, SEASON)
    found = listing.page().rows
    assert {each.short_name for each in found} == {"软工1班团支部", "1班团支部"}
    assert len(found) == listing.count() == total(area, "centre").branches


@pytest.mark.rule("M-16")
def test_the_leading_organ_sees_where_it_differs_from_the_education_department(area: Area) -> None:
    write(area, "university", 40, 1500)
    write(area, "city", 41, 1512)
    found = statistics.table(area.world.orgs["city"], SEASON)
    assert found.education is not None
    assert (found.education.classes - (found.total.classes or 0), found.education.students) == (1, 1512)
    # It changes nothing of what was reported, here or above
    assert total(area, "province") == FourCounts(40, 1, 1500, 3)
    assert [
        line.education.students
        for line in statistics.table(area.world.orgs["province"], SEASON).lines
        if line.education
    ] == [1512]


def test_a_college_reports_to_its_school_which_alone_counts(area: Area) -> None:
    write(area, "college", 7, 210)
    found = statistics.table(area.world.orgs["university"], SEASON)
    assert (found.total.classes, found.missing) == (None, 1)
    assert found.colleges == FourCounts(7, students=210)
    write(area, "university", 8, 240)
    found = statistics.table(area.world.orgs["university"], SEASON)
    assert (found.total, found.missing) == (FourCounts(8, 1, 240, 3), 0)
    assert lines(area, "university")["计算机学院团总支"].classes == 7


def test_every_change_is_in_the_log_with_what_stood_there(area: Area) -> None:
    write(area, "university", 40, 1500)
    write(area, "university", 41, 1501)
    events = session.scalars(select(AuditEvent).where(AuditEvent.action == "statistics.write").order_by(AuditEvent.id))
    details = [event.detail for event in events]
    assert details[0]["before"] is None
    assert details[1]["before"] == {"classes": 40, "students": 1500} == details[0]["after"]
    assert session.scalar(select(func.count()).select_from(GraduationCount)) == 1


@pytest.mark.parametrize(
    ("classes", "students", "field"),
    [
        ("", "10", "classes"),
        ("三", "10", "classes"),
        ("-1", "10", "classes"),
        ("5", "1e9", "students"),
        ("5", "99999999", "students"),
        ("0", "12", "classes"),
        ("5", "0", "classes"),
    ],
)
def test_what_cannot_be_a_count_is_told_at_its_field(area: Area, classes: str, students: str, field: str) -> None:
    with pytest.raises(DomainError) as caught:
        write(area, "university", classes, students)
    assert caught.value.field == field


def test_nobody_writes_for_others_nor_into_a_season_that_is_over(area: Area) -> None:
    for who, about, season in (
        ("college", "university", SEASON),
        ("province", "university", SEASON),
        ("class1", "class1", SEASON),
        ("company", "company", SEASON),
        ("university", "university", SEASON - 1),
    ):
        with pytest.raises(Forbidden):
            write(area, who, 1, 1, about, season=season)


@pytest.mark.rule("PD-22")
def test_whoever_acts_for_a_school_without_administrator_reports_for_it(area: Area) -> None:
    with unit_of_work():
        school = area.world.add(
            "small", "city", "共青团合肥小小学院委员会", "小小学院团委", Category.COMMITTEE, "普通高等院校"
        )
    assert school.office_id == area.world.orgs["city"].id
    write(area, "city", 12, 300, "small")
    assert total(area, "city").classes == 12


@pytest.mark.rule("F-10")
def test_who_has_not_reported_is_listed_and_reminded_once_a_day(area: Area) -> None:
    path = area.world.orgs["centre"].path
    assert [each.short_name for each in statistics.missing_schools(path, SEASON).page().rows] == [
        "江淮示范大学团委",
        "苏南示范学院团委",
    ]
    write(area, "q_college", 12, 300)
    assert statistics.table(area.world.orgs["centre"], SEASON).missing == 1
    seat = area.world.seat("centre")
    with acting(seat):
        assert statistics.urge(seat, path, SEASON, None).sent == 1
        assert statistics.urge(seat, path, SEASON, [area.world.orgs["university"].id]).known == 1
        assert statistics.urge(seat, path, SEASON, [area.world.orgs["q_college"].id]).sent == 0
    body = session.scalars(select(Message.body).where(Message.org_id == area.world.orgs["university"].id)).all()[-1]
    assert "江淮示范大学团委还没有上报 2026 届毕业班数、毕业学生数（全省的表应于 5月20日前报出）" in body


# ---- the page and the file


@pytest.mark.rule("F-10", "M-16")
def test_a_school_reports_on_the_page(app: Flask, area: Area) -> None:
    write(area, "college", 7, 210)
    school = Browser(app.test_client()).login(area.world.accounts["university"])
    page = school.get("/school/rates/statistics")
    form = page.form("/rates/statistics/write")
    assert (form.values["classes"], form.values["students"]) == ("7", "210")
    wrong = form.submit(classes="七")
    assert wrong.status == 422
    assert "毕业班数请填写" in wrong.main
    assert wrong.form("/rates/statistics/write").values["classes"] == "七"
    done = form.submit(classes="8", students="2").follow()
    assert "统计数已保存" in done.text
    # Three members among two students cannot be
    assert "少于团员数" in done.main
    assert "与学校上报的不一致" in done.main


def test_a_leading_organ_reconciles_and_reminds_on_the_page(app: Flask, area: Area) -> None:
    city = Browser(app.test_client()).login(area.world.accounts["city"])
    page = city.get("/provincial/rates/statistics")
    assert "还没有上报的学校（1）" in page.main
    done = page.form("/rates/statistics/write").submit(classes="41", students="1512").follow()
    assert "与教育部门核对" in done.main
    assert "-41" in done.main
    told = done.form("/rates/statistics/urge").submit(all="1").follow()
    assert "已向 1 个组织发出催办" in told.text
    assert "团合肥市委，" in told.main


@pytest.mark.rule("F-10")
def test_the_file_has_the_documents_columns_and_a_total(app: Flask, area: Area) -> None:
    write(area, "university", 40, 1500)
    province = Browser(app.test_client()).login(area.world.accounts["province"])
    page = province.get("/provincial/rates/statistics")
    answer = page.form("/exports/list/statistics").submit(format="csv")
    rows, _ = csv_file(answer.response.data)
    assert ["单位", "毕业班数", "毕业班团支部数", "毕业学生数", "毕业学生团员数"] in rows
    assert ["合计", "40", "1", "1500", "3"] in rows
    sheets = xlsx(page.form("/exports/list/statistics").submit(format="xlsx").response.data)
    assert statistics.TITLE in str(sheets)


def test_the_table_asks_few_things_whatever_its_size(app: Flask, area: Area) -> None:
    with app.test_request_context(), statements() as seen:
        statistics.table(area.world.orgs["centre"], SEASON)
    assert len(seen) <= 12
