"""Who asks to stay, and who stays, has that on his first page, whatever he had tried before (PD-10, R-12)."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.browsing import Browser
from tests.cases.steps import ask, do
from tests.floating.conftest import school  # noqa: F401 - a fixture
from tests.floating.steps import ABROAD, RETAINED, grant, stay_of
from tests.floating.steps import apply as stay
from tests.transfers.steps import UNPLACED, acting, apply
from tests.transfers.steps import do as decide
from tests.world import World
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseAction
from zhtj.kernel.database import session
from zhtj.people.models import Member
from zhtj.transfers import operations, queries
from zhtj.transfers.applying import drafts
from zhtj.transfers.rules import Ground

TEACHING = {**RETAINED, "ground": "teaching", "detail": "支教一年后读研究生"}
# Kind of case, what is typed.
WAYS = [
    pytest.param(("retention", RETAINED), id="retained"),
    pytest.param(("retention", TEACHING), id="teaching"),
    pytest.param(("overseas_study", ABROAD), id="abroad"),
]
LINE = ("college", "university")


@pytest.fixture
def browser(client: FlaskClient, school: World) -> Browser:  # noqa: F811
    return Browser(client).login(session.merge(school.graduate.account))


def refused(world: World) -> None:
    """The township has refused him this morning."""
    application = apply(world, world.graduate, "township", **UNPLACED)
    decide(operations.refuse, application, world.seat("township"), Ground.OTHER, "不属于本镇的团员")


def begin_draft(world: World, member: Member) -> None:
    with acting(world.own_seat(session.merge(member))):
        drafts.save(session.get_one(Member, member.id), {"reason": "unplaced"})


@pytest.mark.rule("PD-10", "R-12")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("before", ["refused", "draft"])
def test_the_case_and_then_the_stay_are_his_first_page(
    browser: Browser,
    school: World,  # noqa: F811
    before: str,
    way: tuple[str, dict[str, Any]],
) -> None:
    # Given a graduate who was refused, or has begun to fill in an application
    if before == "refused":
        refused(school)
        assert "团井岗镇委没有同意" in browser.get("/member/").main
    else:
        begin_draft(school, school.graduate)
        assert "申请还没有提交" in browser.get("/member/").main
    # When he asks to stay with his school
    kind, typed = way
    case = stay(school, school.graduate, kind, **typed)
    # Then that is what he sees, and the draft is gone
    page = browser.get("/member/")
    assert page.content.startswith("正在办理：")
    assert case.number in page.main
    for words in ("没有同意", "申请还没有提交", "还没有申请转接"):
        assert words not in page.main
    assert queries.draft(school.graduate.id) is None
    # When it is granted
    grant(school, session.merge(case), *[key for key in LINE if school.orgs[key].id in case.line])
    # Then the stay is his page, with its term and the report that is due
    found, page = stay_of(school.graduate), browser.get("/member/")
    assert f"组织关系在{found.org.short_name}" in page.main
    assert "转出期限" in page.main
    assert "报告近况、查看期限" in page.main
    assert "下次报告" in page.main
    for words in ("没有同意", "申请还没有提交", "还没有申请转接"):
        assert words not in page.main


@pytest.mark.rule("PD-10", "A-22")
def test_what_others_raise_for_him_is_his_page_too(browser: Browser, school: World) -> None:  # noqa: F811
    begin_draft(school, school.graduate)
    case = ask(school.seat("college"), "retention", school.graduate, **RETAINED)
    page = browser.get("/member/")
    assert "正在办理" in page.main
    assert case.number in page.main
    # Refused, he is where he was before, and is called to apply
    do(case, school.seat("university"), CaseAction.REFUSE, "请先到居住地的乡镇街道")
    assert "还没有申请转接" in browser.get("/member/").main


@pytest.mark.rule("PD-10", "R-12")
def test_what_he_begins_or_tries_from_there_stands_beside_his_stay(browser: Browser, school: World) -> None:  # noqa: F811
    case: Case = stay(school, school.graduate)
    grant(school, case, *[key for key in LINE if school.orgs[key].id in case.line])
    # A draft of the way on
    begin_draft(school, school.graduate)
    page = browser.get("/member/")
    assert "申请还没有提交" in page.main
    assert "报告近况、查看期限" in page.main
    # An application from there that is refused
    session.expire_all()
    application = apply(school, session.get_one(Member, school.graduate.id), "township", **UNPLACED)
    decide(operations.refuse, application, school.seat("township"), Ground.OTHER, "不属于本镇的团员")
    page = browser.get("/member/")
    assert "团井岗镇委没有同意" in page.main
    assert "报告近况、查看期限" in page.main
