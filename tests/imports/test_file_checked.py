"""Joined before 2017 at twelve: registered only by whoever says that the file was checked, at every door (PD-61)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browsing import Browser
from tests.cases.steps import PROOF, ask
from tests.imports.making import BRANCH, person, roster, xlsx
from tests.imports.test_commands import run
from tests.imports.test_pages import upload
from tests.world import World, id_number
from zhtj.imports import batches
from zhtj.imports.files.layouts import ROSTER
from zhtj.imports.members import rosters, single
from zhtj.imports.members.single import Refused
from zhtj.imports.models import ImportKind
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.people.models import Member

TWELVE = {"身份证号码": id_number(401, born=date(2004, 3, 14)), "入团年月": "2016-05", "发展团员编号": None}
ADDRESS = "/college/imports/members"


def entered() -> Member | None:
    session.expire_all()
    return session.scalars(select(Member).where(Member.joined_on == date(2016, 5, 1))).first()


def said() -> list[bool]:
    events = session.scalars(select(AuditEvent).where(AuditEvent.action == "member.add")).all()
    return [event.detail["file_checked"] for event in events if "file_checked" in event.detail]


@pytest.mark.rule("PD-61", "U-11")
@pytest.mark.parametrize(
    ("born", "joined", "asked"),
    [
        (date(2004, 3, 14), "2016-05", True),
        (date(2003, 12, 2), "2016-12", True),
        (date(2003, 12, 1), "2016-12", False),
        (date(2003, 5, 1), "2017-05", False),
    ],
)
def test_who_was_twelve_before_2017_is_asked_about(world: World, born: date, joined: str, *, asked: bool):
    row = person(1, 身份证号码=id_number(401, born=born), 入团年月=joined)
    plan = rosters.preview(roster(row), world.orgs["college"])
    assert [problem.asks_file_check for problem in plan.errors] == ([True] if asked else [])
    assert plan.accepted == (0 if asked else 1)


@pytest.mark.rule("PD-61", "U-11")
def test_on_a_preview_one_ticks_row_by_row(world: World, client: FlaskClient):
    other = {**TWELVE, "身份证号码": id_number(402, born=date(2004, 4, 14)), "姓名": "李敏"}
    rows = [person(1, **TWELVE), person(2, **other), person(3)]
    head = [column.name for column in ROSTER.columns]
    file = xlsx([head, *([row.get(name, "") for name in head] for row in rows)])
    page = upload(Browser(client).login(world.accounts["college"]), ADDRESS, file).follow()
    assert "导入 1 条，跳过 2 条" in page.text
    page = page.form(button="已核查档案").submit(row="2").follow()
    assert "导入 2 条，跳过 1 条" in page.text
    page.form(button="导入 2 条").submit().follow()
    found = entered()
    assert found is not None
    assert found.name == "王敏"
    assert said() == [True]
    assert session.scalar(select(Member.id).join(Member.account).where(Member.account.has(name="李敏"))) is None


@pytest.mark.rule("PD-61")
def test_a_tick_for_a_row_that_is_wrong_otherwise_lets_nothing_through(world: World):
    table = roster(person(1, **{**TWELVE, "入团年月": "2015-05"}), person(2))
    seat = world.seat("college")
    with unit_of_work():
        batch = batches.keep(ImportKind.MEMBERS, table, seat, "名单.xlsx")
        batches.file_checked(batch, [2, 3, 99])
        assert batches.plan_of(batch).accepted == 1


@pytest.mark.rule("PD-61", "PD-31")
@pytest.mark.parametrize("flag", [False, True])
def test_on_the_command_line_it_is_an_error_unless_said(app: Flask, world: World, tmp_path: Path, *, flag: bool):
    head = [column.name for column in ROSTER.columns]
    row = person(1, **TWELVE)
    file = tmp_path / "名单.xlsx"
    file.write_bytes(xlsx([head, [row.get(name, "") for name in head]]))
    more = ["--file-checked"] if flag else []
    done = run(app, "members", "import", str(file), "--org", world.orgs["college"].code, *more)
    assert done.exit_code == (0 if flag else 1)
    assert (entered() is not None) is flag
    assert said() == ([True] if flag else [])


@pytest.mark.rule("PD-61", "U-09")
def test_by_hand_the_tick_stands_in_the_form(world: World, client: FlaskClient):
    browser = Browser(client).login(world.accounts["class1"])
    values = _by_hand(person(1, **TWELVE))
    page = browser.get("/branch/members/new").form("/members/new").submit(**values)
    assert page.status == 422
    assert "已核查本人档案" in page.text
    assert entered() is None
    done = page.form("/members/new").submit(file_checked="1")
    assert done.status == 303
    assert said() == [True]


def _by_hand(row: Mapping[str, str]) -> dict[str, Any]:
    return {f"c{place}": row.get(column.name, "") for place, column in enumerate(single.COLUMNS)}


@pytest.mark.rule("PD-61")
def test_by_hand_it_is_refused_without_the_tick(world: World):
    row = {name: text for name, text in person(1, **TWELVE).items() if text != BRANCH}
    with pytest.raises(Refused) as caught:
        single.enter(world.orgs["class1"], row, confirmed=True)
    assert caught.value.asks_file_check


@pytest.mark.rule("PD-61", "U-14")
def test_a_correction_that_makes_somebody_twelve_needs_it_too(world: World):
    typed = {"joined": "2016-05", "why": "录入时看错年份"}
    with pytest.raises(DomainError, match="入团时只有 12 周岁") as caught:
        ask(world.seat("class1"), "correction", world.graduate, PROOF, **typed)
    assert caught.value.field == "file_checked"
    assert ask(world.seat("class1"), "correction", world.graduate, PROOF, **typed, file_checked="yes").state.is_open
