"""A township takes in the unplaced only after making sure that they work nowhere else (T-05)."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser
from tests.transfers.steps import EMPLOYED, UNPLACED, apply
from tests.world import World
from zhtj.kernel.database import session
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State


@pytest.fixture
def township(world: World, client: FlaskClient) -> Browser:
    return Browser(client).login(world.accounts["township"])


def state(application: Application) -> State:
    session.expire_all()
    return session.get_one(Application, application.id).state


@pytest.mark.rule("T-05")
def test_a_yes_without_the_check_is_refused_with_the_way_out(world: World, township: Browser) -> None:
    # Given somebody without a job who wants into the floating branch
    application = apply(world, world.graduate, "floating", **UNPLACED)
    page = township.get(f"/school/applications/{application.id}/accept")
    form = page.form("/accept")
    # When the township says yes without the tick, it is told what to make sure of, and nothing has happened
    answer = form.submit()
    assert answer.status == 422
    assert "请先核实本人是否已在其他单位就业" in answer.text
    assert "已在其他单位就业的选“不同意”" in answer.text
    assert state(application) is State.AWAITING_ACCEPTANCE
    # When it has made sure, it goes through, and the history says so
    answer = answer.form("/accept").submit(whereabouts_checked="1").follow()
    assert state(application) is State.COMPLETED
    found = session.get_one(Application, application.id)
    assert found.events[-1].remark == "已核实本人没有在其他单位就业。"


@pytest.mark.rule("T-05")
def test_whoever_works_elsewhere_is_refused_with_that_ground(world: World, township: Browser) -> None:
    application = apply(world, world.graduate, "floating", **UNPLACED)
    form = township.get(f"/school/applications/{application.id}/refuse").form("/refuse")
    form.submit(ground="works_elsewhere", remark="电话核实，本人已在滨湖新区就业。")
    assert state(application) is State.REFUSED
    found = session.get_one(Application, application.id)
    assert found.events[-1].ground == "works_elsewhere"


def test_the_employed_are_not_asked_about(world: World, client: FlaskClient) -> None:
    application = apply(world, world.graduate, "team", **EMPLOYED)
    page = Browser(client).login(world.accounts["team"]).get(f"/branch/applications/{application.id}")
    assert "没有在其他单位就业" not in page.text
    page.form("/accept").submit()
    assert state(application) is State.COMPLETED


@pytest.mark.rule("T-05")
def test_many_are_asked_about_once_for_all(world: World, township: Browser) -> None:
    # Given two without a job
    found = [apply(world, member, "floating", **UNPLACED) for member in (world.graduate, world.classmate)]
    picked = {"listing": "waiting", "action": "accept", "row": [str(one.id) for one in found]}
    preview = township.post("/school/bulk", picked)
    assert "其中未落实去向的 2 名团员" in preview.text
    # When the tick is missing, nobody is taken in
    answer = preview.form("/bulk/confirm").submit()
    assert answer.status == 422
    assert "请先核实本人是否已在其他单位就业" in answer.text
    assert {state(one) for one in found} == {State.AWAITING_ACCEPTANCE}
    # With it, both are
    answer.form("/bulk/confirm").submit(whereabouts_checked="1").follow()
    assert {state(one) for one in found} == {State.COMPLETED}
