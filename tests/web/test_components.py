"""The face: every component is valid and reachable, every colour readable, every figure written as agreed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import brotli
import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf.csrf import CSRFProtect

from zhtj.config import HTMX_URL, ROOT
from zhtj.kernel import clock
from zhtj.web import assets, error_pages, htmx
from zhtj.web.rendering import formatters, gallery

NOW = datetime(2026, 10, 14, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
PAGES = ("/_components/", "/_components/?errors", "/_components/errors/404", "/_components/errors/500")
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def face() -> Iterator[Flask]:
    """An application of nothing but the frame and the gallery, at a known moment."""
    app = Flask("face", root_path=str(ROOT))
    app.config.update(SECRET_KEY="face", ZHTJ=SimpleNamespace(htmx_url=HTMX_URL))
    CSRFProtect(app)
    for part in (assets, htmx, formatters):
        part.register(app)
    app.register_blueprint(gallery.blueprint)
    with clock.at(NOW):
        yield app


@pytest.fixture
def browser(face: Flask) -> FlaskClient:
    """Someone who looks at it."""
    return face.test_client()


def _ids(text: str) -> list[str]:
    return re.findall(r'\sid="([^"]+)"', text)


# ---- the gallery ----


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_the_face_is_valid_html_with_one_heading_and_unique_ids(browser: FlaskClient, page: str) -> None:
    text = browser.get(page).text
    html5lib.HTMLParser(strict=True).parse(text)
    ids = _ids(text)
    assert len(ids) == len(set(ids))
    assert text.count("<h1") == 1
    assert re.search(r"<title>.+ · 团员组织关系转接</title>", text)


@pytest.mark.parametrize("page", PAGES)
def test_whatever_is_referred_to_by_id_exists(browser: FlaskClient, page: str) -> None:
    text = browser.get(page).text
    named = set(_ids(text))
    for attribute in ('for="', 'aria-describedby="', 'href="#', 'data-hx-target="#'):
        for value in re.findall(attribute + r'([^"]+)"', text):
            assert set(value.split()) <= named, f"{attribute}{value}"


def test_the_page_needs_neither_inline_style_nor_inline_script(browser: FlaskClient) -> None:
    text = browser.get("/_components/").text
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)
    assert re.findall(r"<script[^>]*>([^<]*)</script>", text) == [""]


def test_no_template_asks_htmx_to_evaluate_text_or_writes_attributes_the_checker_refuses() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"hx-on|hx-(vals|headers)[^=]*=\W?js:|hx-trigger=\"[^\"]*\[", source), path
        assert not re.search(r"(?<!data-)\bhx-[a-z]+=", source), path


def test_every_state_of_an_application_has_its_own_words_and_a_shape(face: Flask) -> None:
    with face.test_request_context():
        macros = face.jinja_env.get_template("components/ui.html").module
        badges = [str(macros.badge(state)) for state in gallery.STATES]  # type: ignore[attr-defined]
    words = [re.sub(r"<[^>]+>", "", badge) for badge in badges]
    assert len(set(words)) == len(gallery.STATES)
    assert all("<path" in badge for badge in badges)
    assert not any(re.search("[a-z]", word) for word in words)


def test_a_refused_form_names_its_errors_on_top_and_at_the_field_and_keeps_what_was_typed(browser: FlaskClient) -> None:
    page = browser.get("/_components/?errors").text
    summary = page[page.index('class="summary"') : page.index("</ul>", page.index('class="summary"'))]
    assert 'href="#mobile"' in summary
    assert "autofocus" in summary
    field = page[page.index('<label for="mobile"') :]
    assert re.search(r'<input[^>]*aria-describedby="mobile-error"[^>]*aria-invalid="true"', field)
    assert 'id="mobile-error"' in field


def test_a_decision_is_asked_once_more_without_javascript(face: Flask) -> None:
    with face.test_request_context():
        macros = face.jinja_env.get_template("components/ui.html").module
        text = str(macros.confirm("同意", "/do", hx={"target": "closest .item"}))  # type: ignore[attr-defined]
    assert text.startswith("<details")
    assert 'method="post" action="/do"' in text
    assert 'name="csrf_token"' in text
    assert 'data-hx-post="/do"' in text
    assert "确认同意" in text


def test_progress_asks_for_itself_only_while_it_runs(browser: FlaskClient) -> None:
    running = browser.get("/_components/progress?done=0", headers=HTMX).text
    finished = browser.get("/_components/progress?done=800", headers=HTMX).text
    assert "data-hx-get" in running
    assert "data-hx-get" not in finished


# ---- colours and weight ----


def _palette(*, dark: bool) -> dict[str, str]:
    css = (ROOT / "static" / assets.STYLESHEET).read_text(encoding="utf-8")
    light, night = css[: css.index("@media")], css[css.index("@media") : css.index("/* ---- page")]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", light))
    return colours | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", night)) if dark else colours


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_and_edges_stand_out_from_every_ground_they_are_used_on(*, dark: bool) -> None:
    colours = _palette(dark=dark)
    grounds = ("bg", "surface", "sunken", "soft", "good-soft", "warn-soft", "info-soft")
    pairs = [(text, ground) for text in ("ink", "muted") for ground in grounds]
    pairs += [("accent", g) for g in ("bg", "surface", "sunken", "soft")]
    pairs += [(tone, g) for tone in ("good", "warn", "info") for g in ("surface", "sunken", f"{tone}-soft")]
    weak = {pair: _contrast(colours[pair[0]], colours[pair[1]]) for pair in pairs}
    assert {pair: value for pair, value in weak.items() if value < 4.5} == {}
    assert min(_contrast("#ffffff", colours[fill]) for fill in ("fill", "fill-hot")) >= 4.5
    assert min(_contrast(colours["edge"], colours[ground]) for ground in ("bg", "surface")) >= 3


def test_stylesheet_and_a_full_page_fit_into_fourteen_kilobytes(browser: FlaskClient, face: Flask) -> None:
    sheet = assets.stylesheet(face)
    page = browser.get("/_components/", headers={"Accept-Encoding": "br"}).data
    assert len(sheet.encoded["br"]) <= 7 * 1024
    assert len(sheet.encoded["br"]) + len(page) <= 14 * 1024


# ---- delivery ----


def _address(browser: FlaskClient) -> str:
    found = re.search(r'href="(/static/zhtj\.[0-9a-f]+\.css)"', browser.get("/_components/").text)
    assert found
    return found[1]


def test_the_stylesheet_is_kept_for_a_year_under_the_name_of_its_content(browser: FlaskClient) -> None:
    answer = browser.get(_address(browser), headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Cache-Control"] == assets.YEAR
    assert answer.headers["Content-Encoding"] == "br"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert brotli.decompress(answer.data) == browser.get(_address(browser)).data
    old = browser.get("/static/zhtj.000000000000.css")
    assert (old.status_code, old.headers["Cache-Control"]) == (200, assets.MINUTE)


def test_a_changed_stylesheet_gets_another_name(face: Flask, tmp_path: Path) -> None:
    face.static_folder = str(tmp_path)
    (tmp_path / assets.STYLESHEET).write_text("a { color: red; }")
    before = assets.stylesheet(face)
    (tmp_path / assets.STYLESHEET).write_text("/* new */ a { color: blue; }\n\nb,  c > d { margin: 0 1px; }")
    after = assets.stylesheet(face)
    assert before.digest != after.digest
    assert after.plain == b"a{color:blue}b,c>d{margin:0 1px}"


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_pages_are_compressed_as_the_browser_accepts_it(browser: FlaskClient, encoding: str) -> None:
    plain = browser.get("/_components/")
    packed = browser.get("/_components/", headers={"Accept-Encoding": encoding})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == encoding
    assert len(packed.data) < len(plain.data) / 2
    assert {"Accept-Encoding", "HX-Request"} <= set(plain.headers["Vary"].split(", "))


@pytest.mark.parametrize(
    ("setting", "source", "integrity"),
    [
        (HTMX_URL, HTMX_URL, assets.HTMX_INTEGRITY),
        ("https://files.example/htmx.js", "https://files.example/htmx.js", ""),
        ("https://files.example/htmx.js#sha384-abc", "https://files.example/htmx.js", "sha384-abc"),
    ],
)
def test_htmx_comes_from_where_the_installation_says(face: Flask, setting: str, source: str, integrity: str) -> None:
    face.config["ZHTJ"] = SimpleNamespace(htmx_url=setting)
    with face.test_request_context():
        tag = assets.htmx_tag()
    assert f'src="{source}"' in tag
    assert (f'integrity="{integrity}"' in tag) is bool(integrity)


# ---- page or fragment ----


@pytest.mark.parametrize(
    ("headers", "fragment"),
    [
        ({}, False),
        (HTMX, True),
        ({"HX-Request": "true"}, True),
        ({"HX-Request": "true", "HX-Request-Type": "full"}, False),
        (HTMX | {"HX-History-Restore-Request": "true"}, False),
    ],
)
def test_a_fragment_is_sent_only_where_one_is_wanted(face: Flask, headers: dict[str, str], *, fragment: bool) -> None:
    with face.test_request_context(headers=headers):
        assert htmx.is_htmx() is fragment
        answer = htmx.fragment_or_redirect("<p>", "/there")
    assert (answer.status_code, "Location" in answer.headers) == ((200, False) if fragment else (303, True))


def test_a_redirect_is_a_header_for_htmx_and_303_otherwise(face: Flask) -> None:
    with face.test_request_context(headers=HTMX):
        answer = htmx.hx_redirect("/login", 401)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")
    with face.test_request_context():
        answer = htmx.hx_redirect("/login", 401)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")


def test_htmx_attributes_are_written_with_their_prefix_and_escaped() -> None:
    text = htmx.attributes({"get": '/x?a="b"&c', "swap_oob": "true", "target": None})
    assert text == ' data-hx-get="/x?a=&#34;b&#34;&amp;c" data-hx-swap-oob="true"'
    assert htmx.attributes(None) == ""


@pytest.mark.parametrize("status", sorted(error_pages.TEXTS))
def test_an_error_says_what_is_wrong_and_the_way_out_as_page_and_as_notice(browser: FlaskClient, status: int) -> None:
    text = error_pages.TEXTS[status]
    page = browser.get(f"/_components/errors/{status}")
    notice = browser.get(f"/_components/errors/{status}", headers=HTMX)
    for answer in (page, notice):
        assert answer.status_code == status
        assert text.message in answer.text
        assert text.fix in answer.text
    assert 'href="/"' in page.text
    assert notice.headers["HX-Retarget"] == "#messages"
    assert "<html" not in notice.text


def test_an_error_leads_back_to_the_page_one_came_from_but_never_to_another_site(browser: FlaskClient) -> None:
    def back(referrer: str) -> bool:
        return "返回上一页" in browser.get("/_components/errors/422", headers={"Referer": referrer}).text

    assert back("http://localhost/_components/?errors")
    assert not back("https://elsewhere.example/x")
    assert not back("")


# ---- figures and days ----


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        ((0, 0), "—"),
        ((0, 7), "0.00%"),
        ((2, 3), "66.67%"),
        ((7, 7), "100.00%"),
        ((1, 800), "0.13%"),
        (Fraction(5, 100000), "0.01%"),
        (Fraction(49999, 10**9), "0.00%"),
        (Decimal("0.87925"), "87.93%"),
        (Fraction(-1, 3), "-33.33%"),
    ],
)
def test_a_rate_has_two_decimals_half_up_and_nothing_by_nothing_is_a_dash(
    value: Fraction | Decimal | tuple[int, int] | None, text: str
) -> None:
    assert formatters.percent(value) == text


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=20), "刚刚"),
        (timedelta(minutes=5), "5 分钟前"),
        (timedelta(hours=3), "3 小时前"),
        (timedelta(hours=10), "昨天"),
        (timedelta(days=3), "3 天前"),
        (timedelta(minutes=-5), "5 分钟后"),
        (timedelta(days=-1), "明天"),
    ],
)
def test_a_relative_time_counts_calendar_days_in_shanghai(before: timedelta, text: str) -> None:
    with clock.at(NOW):
        element = formatters.ago(NOW - before)
    assert element.endswith(f">{text}</time>")
    assert 'datetime="2026-10-1' in element
    assert "title=" in element


@pytest.mark.parametrize(
    ("due", "text", "days"),
    [
        (datetime(2026, 10, 19, 16, 0, tzinfo=UTC), "10月19日（周一）24:00 前，<b>还剩 5 天</b>", 5),
        (datetime(2026, 10, 14, 16, 0, tzinfo=UTC), "10月14日（周三）24:00 前，<b>今天截止</b>", 0),
        (datetime(2026, 10, 12, 16, 0, tzinfo=UTC), "10月12日（周一）24:00 前，<b>已过 2 天</b>", -2),
        (datetime(2026, 10, 14, 9, 30, tzinfo=UTC), "10月14日（周三）17:30 前，<b>今天截止</b>", 0),
        (datetime(2026, 10, 14, 0, 30, tzinfo=UTC), "10月14日（周三）08:30 前，<b>已到期</b>", 0),
        (date(2027, 1, 3), "2027年1月3日（周日）24:00 前，<b>还剩 81 天</b>", 81),
    ],
)
def test_a_deadline_says_its_last_day_and_the_days_that_remain(due: datetime | date, text: str, days: int) -> None:
    with clock.at(NOW):
        assert text in formatters.deadline(due)
        assert formatters.days_left(due) == days
        assert "前" not in formatters.deadline(due, short=True)


def test_days_are_those_of_shanghai_and_carry_the_year_only_if_it_is_another() -> None:
    with clock.at(NOW):
        late = datetime(2026, 10, 5, 16, 30, tzinfo=UTC)
        assert formatters.day(late) == '<time datetime="2026-10-06">10月6日</time>'
        assert formatters.moment(late) == '<time datetime="2026-10-06T00:30+08:00">10月6日 00:30</time>'
        assert formatters.day(date(2025, 6, 1)) == '<time datetime="2025-06-01">2025年6月1日</time>'
        assert formatters.month(date(2026, 6, 1)) == '<time datetime="2026-06">2026年6月</time>'


def test_personal_numbers_are_masked_and_never_longer_readable_than_agreed() -> None:
    assert formatters.masked_id("110101200401011234") == "110***********1234"
    assert formatters.masked_mobile("13800001234") == "138****1234"
    assert formatters.masked_name("李雨桐") == "李**"
    assert formatters.masked_id("1101") == "****"
    assert {formatters.masked_id(None), formatters.masked_mobile(""), formatters.number(None)} == {"—"}
    assert formatters.number(3204) == "3,204"
