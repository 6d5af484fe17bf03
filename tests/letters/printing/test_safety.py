"""What data cannot do to a letter, and what a reader of the file gets."""

from __future__ import annotations

import http.server
import threading
from dataclasses import replace

import pytest

from tests.letters.printing.reading import pages, reader
from tests.letters.samples import ORDINARY, RARE, SITE
from zhtj.kernel.errors import DomainError
from zhtj.letters.printing import press
from zhtj.letters.printing.fonts import missing
from zhtj.letters.printing.issuing_checks import check
from zhtj.letters.printing.render import MOST_LETTERS, render_letter, render_letters

TRICKS = [
    "<b>李</b>明",
    "<img src='{url}'>",
    "<link rel=stylesheet href={url}>",
    "<style>@import url({url})</style>",
    "{{{{ 7*7 }}}}&lt;&amp;",
    '"><object data="file:///etc/passwd">',
]


@pytest.fixture
def listener():
    """A web server that only counts who comes."""
    visits: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            visits.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/x", visits
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("trick", TRICKS)
def test_markup_in_a_name_prints_as_text_and_fetches_nothing(trick, listener):
    # given a name that tries to be more than a name
    url, visits = listener
    name = trick.format(url=url)
    # when the letter is printed
    (page,) = pages(render_letter(replace(ORDINARY, name=name), site=SITE))
    # then it stands there letter by letter, and nobody was called
    assert "".join(name.split()) in page.slip(0)
    assert visits == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "file:///etc/passwd", "data:text/css,*{}", "zhtj:other"])
def test_the_press_hands_out_its_font_and_nothing_else(url):
    with pytest.raises(ValueError, match="fetch nothing"):
        press.LetterFetcher().fetch(url)
    assert press.LetterFetcher().fetch(press.FONT_ADDRESS).read(4) == b"OTTO"


@pytest.mark.rule("L-10")
def test_a_character_the_face_lacks_is_an_error_before_printing():
    # given a name with a character that no open Song face draws yet
    record = replace(ORDINARY, name="李𰻝")
    # then neither the check before issuing nor the press lets it through, and both name it
    for refuse in (lambda: check(record), lambda: render_letter(record, site=SITE)):
        with pytest.raises(DomainError, match="“𰻝”（U\\+30EDD）") as caught:
            refuse()
        assert caught.value.field == "name"
        assert "空白介绍信" in caught.value.fix


def test_rare_characters_are_drawn_from_our_own_face():
    # given rare characters as they occur in names
    assert missing("喆堃玥龑昇淼㛃䶮𬭊") == []
    # then one embedded face draws the whole page: nothing was borrowed from the machine
    resources = reader(render_letter(RARE, site=SITE)).pages[0]["/Resources"]
    embedded = {font.get_object()["/BaseFont"] for font in resources["/Font"].values()}
    assert {str(name).partition("+")[2] for name in embedded} == {"letter-song"}


def test_the_file_is_tagged_with_title_and_language():
    document = reader(render_letter(ORDINARY, site=SITE))
    root = document.trailer["/Root"]
    assert document.metadata is not None
    assert document.metadata.title == "中国共产主义青年团团员组织关系介绍信 2026年001号 李明"
    assert root["/Lang"] == "zh-CN"
    assert root["/MarkInfo"]["/Marked"]
    assert b"pdfuaid:part" in root["/Metadata"].get_data()


def test_pictures_have_words():
    structure = reader(render_letter(ORDINARY, site=SITE)).trailer["/Root"]["/StructTreeRoot"]
    assert sorted(_figures(structure)) == ["已选", f"核验二维码 {SITE}/v/ABCD-EFGH-JKMN"]


def _figures(element) -> list[str]:
    kids = element.get("/K", [])
    found = [str(element.get("/Alt", ""))] if element.get("/S") == "/Figure" else []
    for kid in kids if isinstance(kids, list) else [kids]:
        child = kid.get_object()
        if hasattr(child, "get"):
            found += _figures(child)
    return found


def test_a_file_holds_at_most_a_hundred_letters():
    with pytest.raises(ValueError, match="1 to 100"):
        render_letters([ORDINARY] * (MOST_LETTERS + 1), site=SITE)


@pytest.mark.slow("prints letters in many threads")
def test_letters_are_printed_in_many_threads():
    # given eight threads that each print a letter of their own
    records = [replace(ORDINARY, number=number) for number in range(1, 9)]
    results: dict[int, bytes] = {}

    def work(record):
        results[record.number] = render_letter(record, site=SITE)

    threads = [threading.Thread(target=work, args=(record,)) for record in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # then each has got its own
    for record in records:
        assert record.serial in pages(results[record.number])[0].slip(0)
