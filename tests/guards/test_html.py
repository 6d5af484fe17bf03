"""The watchman over every rendered page is himself awake."""

from __future__ import annotations

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from tests.guards.html import look
from zhtj.web import assets

PAGE = (
    '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>页</title></head>'
    "<body><main><h1>页</h1>{}</main></body></html>"
)


def page(inside: str) -> str:
    return PAGE.format(inside)


GOOD = {
    "a page": page('<p id="a">文</p><label>名<input name="n"></label><a href="#a">去</a>'),
    "a fragment": "<p>文</p>",
    "a row": '<tr id="r"><td>文</td></tr>',
    "nothing": "",
    "what people write": page("<blockquote>请看 A-15</blockquote><p>电话 PD-240，编号 AB-12</p>"),
    "a label beside": page('<label for="n">名</label><input id="n" name="n">'),
    "a picture as a link": page('<a href="/"><svg aria-label="首页"></svg></a>'),
    "a form": page('<form method="post"><input type="hidden" name="csrf_token" value="x"><button>好</button></form>'),
}
BAD = {
    "an unclosed tag": (page("<div>"), "End tag (main)"),
    "a paragraph in a paragraph": (page("<p><p></p></p>"), "p"),
    "an id twice": (page('<p id="a"></p><p id="a"></p>'), "id 'a' x 2"),
    "an empty id": (page('<p id=""></p>'), "id ''"),
    "no label": (page('<input name="n">'), "without a label"),
    "a label for another": (page('<label for="m">名</label><input id="n" name="n"><b id="m"></b>'), "without a label"),
    "an empty button": (page("<button></button>"), "says nothing"),
    "a picture without words": (page('<img src="x">'), "without alt"),
    "the name of a rule": (page("<p>见规则（M-02、PD-24）</p>"), "shows the rule's name M-02"),
    "inline style": (page('<p style="color:red">文</p>'), "style"),
    "a style element": ("<style>p{}</style>", "style"),
    "inline script": (page("<script>1</script>"), "script"),
    "a handler": (page('<p onclick="x()">文</p>'), "onclick"),
    "a script as a link": (page('<a href="javascript:x()">文</a>'), "href"),
    "no language": (page("").replace(' lang="zh-CN"', ""), "lang"),
    "no title": (page("").replace("<title>页</title>", "<title> </title>"), "0 x <title>"),
    "two mains": (page("</main><main>"), "2 x <main>"),
    "no heading": (page("").replace("h1", "h2"), "0 x <h1>"),
    "no doctype": (page("").replace("<!doctype html>", ""), "doctype"),
    "a form without its token": (page('<form method="post"><button>好</button></form>'), "token"),
    "a link to nowhere": (page('<a href="#nowhere">去</a>'), "#nowhere"),
    "a description that is not there": (page('<p aria-describedby="d">文</p>'), "#d"),
    "a value that was not given": (page("<p>None</p>"), "None"),
    "a placeholder": (page("<p>{{ name }}</p>"), "{{"),
    "a row in a paragraph": ("<p><tr><td>文</td></tr></p>", "tr"),
}


@pytest.mark.parametrize("source", GOOD.values(), ids=GOOD.keys())
def test_what_is_well_passes(source: str) -> None:
    assert look(source) == ()


@pytest.mark.parametrize(("source", "problem"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_said(source: str, problem: str) -> None:
    assert problem in "; ".join(look(source))


@pytest.mark.parametrize("headers", [{}, {"Accept-Encoding": "br"}, {"Accept-Encoding": "gzip"}])
def test_every_client_of_every_test_is_watched(headers: dict[str, str]) -> None:
    app = Flask(__name__)
    app.add_url_rule("/bad", view_func=lambda: page("<div>" + "文" * 600), endpoint="bad")
    app.add_url_rule("/other", view_func=lambda: Response("<div>", mimetype="text/plain"), endpoint="other")
    app.after_request(assets.compress)
    client: FlaskClient = app.test_client()
    assert client.get("/other").status_code == 200
    with pytest.raises(AssertionError, match=r"GET /bad \(200\)"):
        client.get("/bad", headers=headers)
