"""Every page that any test renders is looked at: valid HTML, a title, unique ids, labelled fields, nothing inline.

``watch`` puts itself between all test clients and what they get (see tests/conftest.py); a page that is not as it
should be fails the test that asked for it.
"""

from __future__ import annotations

import functools
import gzip
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree.ElementTree import Element

import brotli
import html5lib
from flask.testing import FlaskClient
from html5lib.constants import E as ERRORS
from werkzeug.test import TestResponse

ALWAYS_NEW = re.compile(r'(csrf_token" value="|X-CSRFToken": "|name="person" value="|请求编号 )[^"<]+')
FIRST_TAG = re.compile(r"\s*(?:<!--.*?-->\s*)*<([a-z][a-z0-9-]*)", re.DOTALL)
# The parser must know where a fragment that begins with one of these will stand.
PLACES = {"tr": "tbody", "td": "tr", "th": "tr", "tbody": "table", "option": "select", "optgroup": "select"}
SVG = "{http://www.w3.org/2000/svg}svg"
FIELDS = frozenset({"input", "select", "textarea"})
UNLABELLED = frozenset({"hidden", "submit", "reset", "button", "image"})
REFERENCES = ("for", "aria-describedby", "aria-labelledby", "aria-controls", "list")
# What a template shows that was given nothing to show.
# Rules are told in words; their names are for whoever builds the system.
RULE_CODE = re.compile(r"\b(?:[OUEGDTASXRMLFCHK]|PD)-\d\d\b(?!\d)")
SAID_BY_PEOPLE = frozenset({"blockquote"})
LEAKS = re.compile(r"\bNone\b|\bUndefined\b|\{\{|\}\}|\{%|<[a-z_.]+ object at ")


@contextmanager
def watch() -> Iterator[None]:
    """Look at every HTML answer that any test client gets inside the block."""
    original = FlaskClient.open

    @functools.wraps(original)
    def open_and_look(self: FlaskClient, *args: Any, **kwargs: Any) -> TestResponse:
        response = original(self, *args, **kwargs)
        # A redirect carries a sentence of the library, which no browser shows.
        if response.mimetype == "text/html" and not 300 <= response.status_code < 400:
            problems = look(_text(response))
            request = response.request
            assert not problems, f"{request.method} {request.path} ({response.status_code}): {'; '.join(problems)}"
        return response

    FlaskClient.open = open_and_look  # type: ignore[method-assign]
    try:
        yield
    finally:
        FlaskClient.open = original  # type: ignore[method-assign]


def _text(response: TestResponse) -> str:
    data = response.get_data()
    encoding = response.headers.get("Content-Encoding")
    if encoding == "br":
        data = brotli.decompress(data)
    elif encoding == "gzip":
        data = gzip.decompress(data)
    return data.decode()


def look(source: str) -> tuple[str, ...]:
    """What is wrong with a page, or with a fragment of one; nothing if all is well."""
    alike = ALWAYS_NEW.sub(r"\1", source)
    if alike not in _looked_at:
        _looked_at[alike] = _look(source)
    return _looked_at[alike]


_looked_at: dict[str, tuple[str, ...]] = {}


@functools.lru_cache(maxsize=16)
def parsed(source: str) -> tuple[Element, tuple[str, ...]]:
    """A whole page as a tree without namespaces, which nobody changes, and the parser's complaints."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    return parser.parse(source), _complaints(parser)


def _complaints(parser: Any) -> tuple[str, ...]:
    return tuple(f"line {place[0]}: {ERRORS[code] % detail}" for place, code, detail in parser.errors)


def _look(source: str) -> tuple[str, ...]:
    if not source.strip():
        return ()
    whole = source.lstrip().lower().startswith("<!doctype")
    if not whole and "<html" in source[:500]:
        return ("no doctype",)
    root: Any  # a comment's tag is a function, which its type does not know
    if whole:
        root, complaints = parsed(source)
    else:
        first, parser = FIRST_TAG.match(source), html5lib.HTMLParser(namespaceHTMLElements=False)
        root = parser.parseFragment(source, container=PLACES.get(first[1] if first else "", "div"))
        complaints = _complaints(parser)
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    problems = [*complaints, *_inline(elements), *_ids(elements), *_fields(root, elements), *_words(root, elements)]
    if whole:
        problems += _frame(root) + _references(elements)
    return tuple(problems)


def _inline(elements: list[Element]) -> list[str]:
    """Style and script stand in files of their own: the content security policy would refuse them here."""
    found = [f"<{element.tag} style>" for element in elements if "style" in element.attrib]
    found += ["<style>" for element in elements if element.tag == "style"]
    found += ["<script> with text" for element in elements if element.tag == "script" and not element.get("src")]
    return found + [
        f"<{element.tag} {name}>"
        for element in elements
        for name, value in element.attrib.items()
        if name.startswith("on") or (name in {"href", "action"} and value.strip().lower().startswith("javascript:"))
    ]


def _ids(elements: list[Element]) -> list[str]:
    counted = Counter(element.get("id", "") for element in elements if "id" in element.attrib)
    return [f"id {name!r} x {count}" for name, count in counted.items() if count > 1 or not name or " " in name]


def _fields(root: Element, elements: list[Element]) -> list[str]:
    """Every field has a label, every button and link says what it does, every picture what it shows."""
    inside = {id(field) for label in root.iter("label") for field in label.iter() if field.tag in FIELDS}
    named = {label.get("for") for label in root.iter("label")}
    problems = []
    for element in elements:
        labelled = element.get("aria-label") or element.get("aria-labelledby")
        shown = f"<{element.tag} {element.get('name') or element.get('href') or element.get('src') or ''}>"
        if element.tag in FIELDS and element.get("type") not in UNLABELLED:
            if not (labelled or id(element) in inside or (element.get("id") and element.get("id") in named)):
                problems.append(f"{shown} without a label")
        elif element.tag in {"button", "a", "summary"} and not (labelled or _says_something(element)):
            problems.append(f"{shown} says nothing")
        elif element.tag == "img" and "alt" not in element.attrib:
            problems.append(f"{shown} without alt")
        elif element.tag == "form" and element.get("method", "get").lower() == "post" and not _has_token(element):
            problems.append(f"<form {element.get('action')}> without its token")
    return problems


def _says_something(element: Element) -> bool:
    pictures = [part.get("alt") or part.get("aria-label") for part in element.iter() if part.tag in {"img", SVG}]
    return bool("".join(element.itertext()).strip() or any(pictures))


def _has_token(form: Element) -> bool:
    return any(field.get("name") == "csrf_token" for field in form.iter("input"))


def _words(root: Element, elements: list[Element]) -> list[str]:
    silent = {"script", "style", "template", "pre", "code", "textarea"}
    texts = [root.text or "", *(element.text or "" for element in elements if element.tag not in silent)]
    texts += [element.tail or "" for element in elements]
    found = LEAKS.search("\n".join(texts))
    codes = RULE_CODE.findall("\n".join(_of_ours(root)))
    return ([f"shows {found[0]!r}"] if found else []) + [f"shows the rule's name {code}" for code in codes]


def _of_ours(element: Element) -> Iterator[str]:
    """What a page says itself, without what people have written."""
    if element.tag in SAID_BY_PEOPLE or element.tag in {"script", "style", "template", "textarea"}:
        return
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str):
            yield from _of_ours(child)
        yield child.tail or ""


def _frame(root: Element) -> list[str]:
    problems = []
    if not root.get("lang"):
        problems.append("<html> without lang")
    titles = [title for title in root.findall("head/title") if (title.text or "").strip()]
    for what, count in (
        ("title", len(titles)),
        ("main", len(list(root.iter("main")))),
        ("h1", len(list(root.iter("h1")))),
    ):
        if count != 1:
            problems.append(f"{count} x <{what}>")
    return problems


def _references(elements: list[Element]) -> list[str]:
    """Whatever is referred to by id stands on the page."""
    known = {element.get("id") for element in elements}
    found = []
    for element in elements:
        wanted = [part for name in REFERENCES for part in element.get(name, "").split()]
        target, href = element.get("data-hx-target", ""), element.get("href", "")
        wanted += [part[1:] for part in (target, href) if re.fullmatch(r"#[\w-]+", part)]
        found += [f"<{element.tag}> refers to #{name}, which is not there" for name in wanted if name not in known]
    return found
