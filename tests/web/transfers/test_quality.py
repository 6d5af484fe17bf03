"""The quality report: the season's applications judged by the table, each figure a link to exactly its applications."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from tests.browsing import Browser, Page
from tests.transfers.steps import EMPLOYED, UNPLACED, accept_into, apply, do, start
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.kernel.database import session, unit_of_work
from zhtj.policy.vocabulary import Destination, PlaceTie, Reason, Suitability
from zhtj.transfers import operations
from zhtj.transfers.models import Application
from zhtj.transfers.watching import quality
from zhtj.transfers.watching.quality import Cut

AT = {"unit_name": "某小店", "unit_address": "安徽省合肥市蜀山区井岗镇样例路8号"}
WITHOUT = {"reason": "employed_without_org", **AT}


@pytest.fixture
def world(world: World) -> World:
    """Six graduates: to the unit, to the unit's township, to a floating branch, warned, home by mistake, withdrawn."""
    with unit_of_work():
        more = [world.enrol(name, "class1") for name in ("王一", "李二", "张三", "赵四")]
        graduation.open_register()
    apply(world, world.graduate, "company")
    apply(world, world.classmate, "township", place="unit_location", **WITHOUT)
    apply(world, more[0], "floating", **UNPLACED)
    remark = {"remark": "就在镇政府工作", "confirmed": True, "unit_address": AT["unit_address"]}
    apply(world, more[1], "township", **EMPLOYED, place="unit_location", **remark)
    home = apply(world, more[2], "township", place="unit_location", **WITHOUT)
    withdrawn = apply(world, more[3], "company")
    do(operations.withdraw, withdrawn, world.own_seat(more[3]))
    # What an older table let through: the employed sent to their household place.
    with unit_of_work():
        session.execute(update(Application).where(Application.id == home.id).values(place="household"))
    session.expire_all()
    return world


def report(world: World, key: str = "university") -> quality.Report:
    return quality.report(world.seat(key), 2026)


def names(world: World, cut: Cut) -> set[str]:
    return {application.member.name for application in quality.listing(world.seat("university"), 2026, cut)}


@pytest.mark.rule("PD-11", "T-04")
def test_the_employed_sent_home_show_first_with_the_rule(world: World) -> None:
    worst = report(world).doubtful[0]

    assert (worst.level, worst.today.rule, worst.count) == (Suitability.FORBIDDEN, "T-04", 1)
    assert (worst.reason, worst.place) == (Reason.EMPLOYED_WITHOUT_ORG, PlaceTie.HOUSEHOLD)
    assert worst.where == "户籍所在地的乡镇街道团组织"
    assert names(world, worst.cut) == {"张三"}


@pytest.mark.rule("PD-11", "PD-25")
def test_every_figure_is_the_length_of_its_list(world: World) -> None:
    found = report(world)
    cuts = [Cut(), *(Cut(level) for level in Suitability), *(group.cut for group in found.groups)]
    cuts += [Cut(level, *row) for row in found.rows for level in (None, *Suitability)]

    for cut in cuts:
        assert len(names(world, cut)) == found.count(cut), cut
    assert {level: found.count(Cut(level)) for level in Suitability} == {
        Suitability.PREFERRED: 3,
        Suitability.ALLOWED: 0,
        Suitability.WARNED: 1,
        Suitability.FORBIDDEN: 1,
    }
    assert names(world, Cut(Suitability.WARNED)) == {"李二"}


@pytest.mark.rule("PD-08", "M-09")
def test_whoever_has_moved_counts_where_he_graduated_and_the_withdrawn_nowhere(world: World) -> None:
    (moved,) = quality.listing(world.seat("university"), 2026, Cut(kind=Destination.UNIT)).page().rows
    do(accept_into, moved, world.seat("company"), world.orgs["team"])

    assert report(world).count() == 5
    assert report(world, "class1").count() == 5
    assert report(world, "company").count() == 0
    assert report(world, "province").count() == 5


def test_a_transfer_of_no_graduate_is_not_in_the_report(world: World) -> None:
    start(world.own_seat(world.sophomore), world.sophomore, world.orgs["company"], reason="work", unit_name="某公司")

    assert report(world).count() == 5


def figures(page: Page) -> list[tuple[int, str]]:
    """Every figure that is a link, and where it leads."""
    links = [link for link in page.document.iter("a") if "/quality/list" in link.get("href", "")]
    texts = [("".join((link.find("b") if link.find("b") is not None else link).itertext()), link) for link in links]
    return [(int(text), link.get("href", "")) for text, link in texts if text.strip().isdigit()]


@pytest.mark.parametrize("role", ["college", "school", "provincial"])
def test_each_figure_on_the_page_leads_to_as_many_applications(app: Flask, world: World, role: str) -> None:
    key = {"school": "university", "provincial": "province"}.get(role, role)
    browser = Browser(app.test_client()).login(world.accounts[key])

    page = browser.get(f"/{role}/quality")

    assert "共 5 份" in page.main
    assert "已经就业的不能转到户籍地。" in page.main
    shown = figures(page)
    assert len(shown) > 8
    for count, href in shown:
        listed = browser.get(href)
        rows = [] if "没有这样的申请" in listed.main else listed.document.findall(".//tbody/tr")
        assert len(rows) == count, href
        assert f"{count} 份申请" in listed.main


def test_the_list_shows_what_was_confirmed(app: Flask, world: World) -> None:
    browser = Browser(app.test_client()).login(world.accounts["university"])

    page = browser.get("/school/quality/list?level=warned")

    assert "已确认：" in page.main
    assert "李二" in page.main
    assert browser.get("/school/quality/list?level=moon&kind=x").status == 200


def test_branches_have_no_quality_report(app: Flask, world: World) -> None:
    browser = Browser(app.test_client()).login(world.accounts["class1"])

    assert browser.get("/branch/quality").status == 403


def test_without_applications_the_report_is_empty_and_says_so(app: Flask, world: World) -> None:
    browser = Browser(app.test_client()).login(world.accounts["company"])

    assert "本届还没有申请" in browser.get("/school/quality").main
