"""The notice: what the page shows is what is printed; what cannot be printed is said before (M-14, L-10)."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader

from tests.browsing import Browser
from tests.rates.conftest import Area
from tests.transfers.steps import EMPLOYED, do
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Organisation
from zhtj.rates.reports import notice
from zhtj.rates.reports.notice import RankingChoice
from zhtj.rates.reports.targets import Target, Targets
from zhtj.rates.rules import RateKind
from zhtj.transfers import operations

TITLE = "共青团安徽省委员会关于 2026 届毕业学生团员组织关系转接进展情况的通报"


@pytest.fixture
def browser(client: FlaskClient, area: Area) -> Browser:
    """The province's secretary, after one of three graduates has arrived in another city."""
    application = area.goes(area.world.graduate, "p2_team", **EMPLOYED)
    do(operations.accept, application, area.world.seat("p2_team"))
    return Browser(client).login(area.world.accounts["province"])


def text_of(data: bytes) -> str:
    """Every word of a PDF, without breaks."""
    pages = PdfReader(io.BytesIO(data)).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


def test_the_paper_says_what_the_figures_are(browser: Browser, area: Area) -> None:
    del browser
    paper = notice.write(area.world.orgs["province"], 2026, None, RankingChoice(minimum=1))

    assert (paper.title, paper.as_of) == (TITLE, "2026年10月14日 09:00")
    assert paper.opening[0] == (
        "截至 2026年10月14日 09:00，团安徽省委本地区 2026 届毕业学生团员 3 人，"
        "其中升学 0 人、流向社会 3 人（含未登记去向 2 人）。"
    )
    assert paper.opening[1] == "学社衔接率 33.33%（1/3）。"
    assert [(one.label, one.numerator, one.denominator, one.rate) for one in paper.five][:2] == [
        ("升学衔接率", "0", "0", "—"),
        ("学社衔接率", "1", "3", "33.33%"),
    ]
    assert [(line.rank, line.name, line.cells[0]) for line in paper.lines] == [
        ("1", "团芜湖市委", "100.00%（1/1）"),
        ("2", "团合肥市委", "33.33%（1/3）"),
    ]


def test_page_and_pdf_say_the_same(browser: Browser) -> None:
    page = browser.get("/provincial/rates/notice?minimum=1")
    sent = browser.get("/provincial/rates/notice.pdf?minimum=1")

    assert sent.response.mimetype == "application/pdf"
    printed = text_of(sent.response.get_data())
    for words in (
        TITLE,
        "数据截至 2026年10月14日 09:00",
        "团芜湖市委",
        "100.00%（1/1）",
        "学社衔接率 33.33%（1/3）。",
        "进度曲线",
    ):
        assert words in page.text, words
        assert "".join(words.split()) in printed, words
    assert "共青团安徽省委员会2026年10月14日" in printed


def test_a_past_day_is_the_papers_too(browser: Browser, clock_at: Any) -> None:
    clock_at("2026-10-16T09:00")

    printed = text_of(browser.get("/provincial/rates/notice.pdf?day=2026-10-14").response.get_data())

    assert "数据截至2026年10月14日24:00" in printed
    assert "学社衔接率33.33%（1/3）。" in printed


def test_who_is_below_target_is_named_with_how_many_close_it(
    browser: Browser, area: Area, monkeypatch: pytest.MonkeyPatch
) -> None:
    del browser
    wanted = {RateKind.SOCIETY: Target(Decimal(95))}
    monkeypatch.setattr(Targets, "of", lambda _self, _organisation: wanted)

    paper = notice.write(area.world.orgs["province"], 2026, None, RankingChoice(minimum=1))

    assert paper.below == "学社衔接率未达到目标 95%的：团合肥市委（差 2 人），共 1 个。"
    assert paper.opening[1] == "学社衔接率 33.33%（1/3），距目标 95% 还差 2 人。"


@pytest.mark.parametrize("words", ["season=2019", "season=2026&org={class2}"])
def test_where_there_is_nothing_to_say_it_says_so(browser: Browser, area: Area, words: str) -> None:
    address = words.format(class2=area.world.orgs["class2"].id)

    page, sent = (
        browser.get(f"/provincial/rates/notice?{address}"),
        browser.get(f"/provincial/rates/notice.pdf?{address}"),
    )

    assert (page.status, sent.status) == (200, 422)
    assert "没有可以通报的数据" in page.text


@pytest.mark.rule("L-10")
def test_a_character_that_cannot_be_printed_is_said_before(browser: Browser, area: Area) -> None:
    with unit_of_work():
        session.get_one(Organisation, area.world.orgs["p2"].id).short_name = "团𪚥湖市委"

    sent = browser.get("/provincial/rates/notice.pdf")

    assert sent.status == 422
    assert "通报中的“𪚥”（U+2A6A5）印刷字体里没有" in sent.text
