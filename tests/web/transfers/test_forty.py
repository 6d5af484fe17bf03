"""Forty-five addresses and situations, put to the adviser and carried into the form as a new user would (PD-60).

Each was judged by hand against the destination table: who asks, what he says, the heading he reads, what the form says
to it (首选, 可以, 需说明; "" where nothing can be applied for yet), and why that is right.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.browsing import Browser, Page
from tests.transfers.applying import country
from tests.transfers.applying.country import AT_HOME, AT_WORK
from tests.world import World
from zhtj.transfers import queries

pytestmark = [
    pytest.mark.rule("PD-60", "PD-11"),
    pytest.mark.slow("asks the adviser and fills in the form, every time"),
]

SHOP, COMPANY, AGENCY = "某小店", "示例科技有限公司", "示例人力派遣公司"
WITHOUT, WITH = "employed_without_org", "employed_with_org"
ASK = "还要知道那里在哪个乡镇、街道"
KEEP = "不转出，办理“保留团组织关系”"
SANHE, YAMEN = "安徽省阜阳市颍州区三合镇", "甘肃省嘉峪关市雄关街道"
BEST, YES, WORD = "首选", "可以", "需说明"

# Number, situation, what is typed, heading, level in the form; the judgement.
CASES: list[tuple[int, str, dict[str, str], str, str]] = [
    # The unit has no organisation: the township of its address (T-02), however the address is written.
    (1, WITHOUT, {"unit": SHOP, "address": AT_WORK}, "转到团井岗镇委", BEST),
    (2, WITHOUT, {"unit": SHOP, "address": "合肥市蜀山区井岗镇"}, "转到团井岗镇委", BEST),
    (3, WITHOUT, {"unit": SHOP, "address": "蜀山区井岗镇天湖路1号"}, "转到团井岗镇委", BEST),
    (4, WITHOUT, {"unit": SHOP, "address": "安徽 合肥 蜀山 井岗镇"}, "转到团井岗镇委", BEST),
    (5, WITHOUT, {"unit": SHOP, "address": "上海市浦东新区张江路1号"}, ASK, ""),  # a road is no town; not the old home
    (6, WITHOUT, {"unit": SHOP, "address": "上海市市辖区浦东新区张江镇博云路2号"}, "转到团张江镇委", BEST),
    (7, WITHOUT, {"unit": SHOP, "address": YAMEN}, "转到团雄关街道委", BEST),  # a city without counties
    (8, WITHOUT, {"unit": SHOP, "address": "北京市海淀区中关村街道"}, "转到北京的团组织", "external"),
    (9, WITHOUT, {"unit": SHOP, "address": "北京路1号"}, ASK, ""),  # a street in no city at all
    (10, WITHOUT, {"unit": SHOP, "address": "合肥市蜀山区香樟软件园3栋"}, ASK, ""),  # county known, township not
    (
        11,
        WITHOUT,
        {"unit": SHOP, "address": "安徽省合肥市蜀山区井岗镇香樟软件园3栋"},
        "转到团井岗镇委",
        BEST,
    ),  # T-07 second
    (12, WITHOUT, {"unit": SHOP, "address": "河南省郑州市金水区花园口镇"}, "转到团花园口镇委", BEST),  # works at home
    (13, WITHOUT, {"unit": SHOP, "address": "安徽省合肥市包河区骆岗街道"}, "转到团骆岗街道委", BEST),
    (14, WITHOUT, {"unit": SHOP, "address": SANHE}, "转到团三合镇委", BEST),
    # The township has said no: the county (T-03); where that has no branch, it is named, and nothing else suggested.
    (15, WITHOUT, {"unit": SHOP, "address": AT_WORK, "unable": "1"}, "转到蜀山区流动团员团支部", YES),
    (16, WITHOUT, {"unit": SHOP, "address": YAMEN, "unable": "1"}, "转到嘉峪关市流动团员团支部", YES),
    (17, WITHOUT, {"unit": SHOP, "address": SANHE, "unable": "1"}, "转到工作单位所在地的县级流动团员团支部", ""),
    # The unit has one: the unit (T-01), a school too; a unit that is not found is asked for, not replaced.
    (18, WITH, {"unit": COMPANY}, "转到示例科技团委", BEST),
    (19, WITH, {"unit": "没有的公司"}, "转到工作单位团组织", ""),
    (20, WITH, {"unit": "中原示范大学"}, "转到团中原示范大学委", YES),
    (21, WITH, {"unit": "没有的公司", "address": AT_WORK}, "转到工作单位团组织", ""),
    (22, "employed_unsure", {"unit": COMPANY}, "转到示例科技团委", BEST),
    (23, "employed_unsure", {"unit": SHOP, "address": AT_WORK}, "转到团井岗镇委", BEST),
    (24, "labour_dispatch", {"unit": AGENCY}, f"转到团{AGENCY}委", BEST),
    (
        25,
        "labour_dispatch",
        {"unit": SHOP, "address": AT_WORK},
        "转到团井岗镇委",
        BEST,
    ),  # T-02, home with a word (K-09)
    (26, "probation", {"unit": COMPANY}, "转到示例科技团委", BEST),  # T-06
    (27, "probation", {"unit": SHOP, "address": AT_WORK}, "转到团井岗镇委", BEST),
    # Who stays first is told that alone (T-23, T-25).
    (28, "file_first", {}, KEEP, ""),
    (29, "teaching_year", {}, KEEP, ""),
    # Further study: once the school is ready (T-09), not before (T-11).
    (30, "further_study", {"unit": "中原示范大学"}, "转到中原示范大学2026级新生团支部", BEST),
    (31, "further_study", {"unit": "江南示范大学"}, "先等一等，暂时不要申请", ""),
    (32, "further_study", {"unit": "远方大学"}, "转到录取学校的新生团组织", ""),
    (33, "internal_upgrade", {}, "转到计算机学院团总支", BEST),  # T-22
    # Unplaced: usual residence first, household allowed, other places with a word (T-14, PD-62).
    (34, "unplaced", {}, "转到井岗镇流动团员团支部", BEST),
    (35, "unplaced", {"place": "household"}, "转到花园口镇流动团员团支部", YES),
    (36, "unplaced", {"place": "parents_residence", "address": SANHE}, "转到三合镇流动团员团支部", WORD),
    (37, "unplaced", {"place": "parents_residence", "address": "某村"}, ASK, ""),
    (38, "unplaced", {"place": "residence", "unable": "1"}, "转到蜀山区流动团员团支部", YES),
    (39, "unplaced", {"address": SANHE}, "转到三合镇流动团员团支部", BEST),  # where he is going to live
    (40, "overseas_private", {"place": "household"}, "转到团花园口镇委", BEST),  # T-18
    (41, "overseas_official", {"unit": COMPANY}, "转到示例科技团委", BEST),  # T-17
    (42, "enlisted", {}, "不选转入组织，由省级团委审批", "special"),  # S-02
    (43, "dropout", {"unit": SHOP, "address": AT_WORK}, "转到团井岗镇委", YES),  # T-26
    # Those who are no graduates: the new address is the residence (T-28); the unit's township (T-02).
    (44, "relocated", {"address": AT_HOME}, "转到团花园口镇委", BEST),
    (45, "relocated", {"address": "郑州市"}, ASK, ""),
    (46, WITHOUT, {"unit": SHOP, "address": AT_WORK, "who": "sophomore"}, "转到团井岗镇委", YES),
]


@pytest.fixture
def world(session: Session) -> World:
    del session
    return country.build()


def heading(page: Page) -> str:
    found = page.document.find(".//h1")
    return "".join(found.itertext()).strip() if found is not None else ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_what_a_new_user_is_told_and_what_comes_of_it(
    client: FlaskClient, world: World, case: tuple[int, str, dict[str, str], str, str]
) -> None:
    _, situation, typed, title, level = case
    who = typed.get("who") or ("sophomore" if situation == "relocated" else "graduate")
    browser = Browser(client).login(getattr(world, who).account)
    said = {"situation": situation, **{name: text for name, text in typed.items() if name != "who"}, "done": "1"}

    page = browser.get(f"/member/advice?{urlencode(said)}")

    assert heading(page) == title
    assert page.main.count("首选\n") <= 1
    first = re.search(r'class="card card--key".*?</section>', page.source, re.DOTALL)
    button = re.search(r"<button[^>]*btn--primary[^>]*>(.*?)</button>", first[0] if first else "", re.DOTALL)
    applies = (button is not None and "申请转入" in button[1]) or level in {"external", "special"}
    assert applies == bool(level)
    if not level:
        return
    form = page.form(button="申请转入") if level not in {"external", "special"} else page.form(button="就按这个去申请")
    page = form.submit().follow()
    if level in {"external", "special"}:
        assert page.url.endswith(f"/transfer/new/{level}")
        return
    assert page.url.endswith("/transfer/new/check")
    assert {BEST: "首选", YES: "可以", WORD: "这样转需要说明"}[level] in page.main
    confirmed = {"confirmed": True} if level == WORD else {}
    page = page.form("/check").submit(contact_mobile="13811112222", remark="情况属实", **confirmed).follow()
    assert page.url == "/member/"
    application = queries.latest(getattr(world, who).id)
    assert application is not None
    assert application.level.label == level
    assert title.endswith(application.to_org.short_name)
