"""A browser without JavaScript for tests: it keeps cookies, reads pages, fills in their forms and follows redirects.

    page = Browser(client).login(account).get("/member/")
    page = page.form("/member/transfer/new").submit(reason="unplaced")   # token and hidden fields as on the page
    assert page.status == 200 and "下一步" in page.text

Every request runs in a context of its own, as on a real server; what the test wrote before is committed first.
"""

from __future__ import annotations

import contextvars
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit
from xml.etree.ElementTree import Element

from flask import has_app_context
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.guards import html
from zhtj.kernel.database import db
from zhtj.people.models import Account

SILENT = frozenset({"script", "style", "template"})
BLOCKS = frozenset(
    {"p", "div", "li", "dd", "dt", "tr", "h1", "h2", "h3", "section", "summary", "label", "option", "br"}
)
Values = str | list[str] | None


class Browser:
    """One visitor with his cookies.

    Args:
        client: fixture ``client`` (or ``app.test_client()`` for a second visitor).
    """

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = ""

    def login(self, account: Account, seat: str = "") -> Browser:
        """Sign in at once, without a password; ``seat`` is a seat's id or ``member``, by default the first."""
        user = f"{account.id}.{account.session_version}"
        self._settle()

        def write() -> None:
            with self.client.session_transaction() as kept:
                kept.update({"_user_id": user, "_fresh": True, **({"seat": seat} if seat else {})})

        contextvars.Context().run(write)
        return self

    def returning(self) -> Callable[[], None]:
        """What makes this visitor again the one he is now: signed in as he is, with the token of his session."""
        kept, token = self.client.get_cookie("session"), self.token

        def comes_back() -> None:
            self.token = token
            if kept is not None:
                self.client.set_cookie("session", kept.value)

        return comes_back

    def sign_in(self, username: str, password: str) -> Page:
        """Go through the real ``/login``."""
        return self.get("/login").form("/login").submit(username=username, password=password)

    def get(self, path: str, *, htmx: bool = False, headers: Mapping[str, str] | None = None) -> Page:
        """Ask for a page; redirects are not followed (see ``Page.follow``)."""
        return self._request("GET", path, htmx=htmx, headers=headers)

    def post(
        self,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        htmx: bool = False,
        token: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Page:
        """Post any values; ``token`` adds the CSRF token of the page seen last (one is fetched if there was none)."""
        values = dict(data or {})
        if token:
            if not self.token:
                self.get("/").follow()
            values.setdefault("csrf_token", self.token)
        return self._request("POST", path, values, htmx=htmx, headers=headers)

    def _settle(self) -> None:
        if has_app_context():
            db.session.commit()

    def _request(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        htmx: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Page:
        self._settle()
        wanted = {**({"HX-Request": "true", "HX-Request-Type": "partial"} if htmx else {}), **(headers or {})}
        response = contextvars.Context().run(
            lambda: self.client.open(path, method=method, data=data, headers=wanted, buffered=True)
        )
        page = Page(self, path, response)
        if found := re.search(r'name="csrf_token" value="([^"]+)"|X-CSRFToken": "([^"]+)"', page.source):
            self.token = found[1] or found[2]
        return page


class Page:
    """An answer: ``status``, ``source`` (the HTML), ``text`` (what one reads), ``location``."""

    def __init__(self, browser: Browser, url: str, response: TestResponse) -> None:
        self.browser = browser
        self.url = url
        self.response = response
        self.status = response.status_code
        self.location = response.headers.get("Location", "")
        encoded = "Content-Encoding" in response.headers
        readable = response.mimetype.startswith("text/") or response.mimetype == "application/json"
        self.source = response.get_data(as_text=True) if readable and not encoded else ""

    @cached_property
    def document(self) -> Element:
        """The parsed page, without namespaces."""
        return html.parsed(self.source)[0]

    @cached_property
    def text(self) -> str:
        """The visible text; blanks are squeezed, every block on a line of its own."""
        return _squeeze(_words(self.document))

    @property
    def main(self) -> str:
        """The text inside ``<main>``."""
        found = self.document.find(".//main")
        return self.text if found is None else _squeeze(_words(found))

    @property
    def content(self) -> str:
        """The text inside ``<main>``, below its tabs."""
        tabs = self.document.find(".//main//nav[@class='tabs no-print']")
        return self.main if tabs is None else self.main.removeprefix(_squeeze(_words(tabs))).lstrip()

    @property
    def title(self) -> str:
        """The page's title."""
        return (self.document.findtext(".//title") or "").strip()

    def follow(self) -> Page:
        """Follow redirects to the end."""
        page = self
        for _ in range(5):
            if not page.location:
                return page
            page = self.browser.get(_path(urljoin(page.url, page.location)))
        raise AssertionError(f"redirects in a circle at {page.url}")

    def links(self) -> dict[str, str]:
        """Text and address of all links."""
        found = {_squeeze(_words(link)): link.get("href", "") for link in self.document.iter("a")}
        return {text.replace("\n", " "): href for text, href in found.items()}

    def click(self, text: str) -> Page:
        """Follow the first link whose text contains ``text``."""
        for words, href in self.links().items():
            if text in words:
                return self.browser.get(_path(urljoin(self.url, href)))
        raise AssertionError(f"no link {text!r} among {sorted(self.links())}")

    def form(self, action: str = "", *, button: str = "") -> Form:
        """The form that posts to ``action`` (its path ends with it) or has a button with this text."""
        for element in self.document.iter("form"):
            target = element.get("action", "")
            words = [_words(one) for one in element.iter("button")]
            fits_action = not action or urlsplit(target).path.rstrip("/").endswith(action.rstrip("/"))
            if fits_action and (not button or any(button in text for text in words)):
                return Form(self, element)
        raise AssertionError(f"no form {action or button!r} on {self.url}")

    def has_form(self, action: str) -> bool:
        """Whether a form posts there."""
        targets = [urlsplit(form.get("action", "")).path for form in self.document.iter("form")]
        return any(target.rstrip("/").endswith(action.rstrip("/")) for target in targets)


class Form:
    """A form as the page shows it, with the values it would send."""

    def __init__(self, page: Page, element: Element) -> None:
        self.page = page
        self.action = _path(urljoin(page.url, element.get("action") or page.url))
        self.method = element.get("method", "get").upper()
        self.values: dict[str, Values] = {}
        self.names: set[str] = set()
        for field in element.iter():
            name = field.get("name", "")
            if name and field.tag in {"input", "select", "textarea", "button"} and field.get("disabled") is None:
                self.names.add(name)
                self._read(field, name)

    def _read(self, field: Element, name: str) -> None:
        kind = field.get("type", "text")
        if field.tag == "textarea":
            self._add(name, field.text or "")
        elif field.tag == "select":
            options = list(field.iter("option"))
            chosen = [one for one in options if one.get("selected") is not None] or options[:1]
            for one in chosen:
                self._add(name, one.get("value", one.text or ""))
        elif kind in {"checkbox", "radio"}:
            if field.get("checked") is not None:
                self._add(name, field.get("value", "on"))
        elif field.tag == "input" and kind not in {"submit", "button", "file"}:
            self._add(name, field.get("value", ""))

    def _add(self, name: str, value: str) -> None:
        known = self.values.get(name)
        if known is None:
            self.values[name] = value
        else:
            self.values[name] = [*(known if isinstance(known, list) else [known]), value]

    def submit(self, *, htmx: bool = False, **values: Any) -> Page:
        """Send it with ``values`` filled in (None leaves a field out); unknown names are a mistake of the test."""
        unknown = values.keys() - self.names
        assert not unknown, f"the form has no {sorted(unknown)}, only {sorted(self.names)}"
        filled = {name: value for name, value in {**self.values, **values}.items() if value is not None}
        if self.method == "GET":
            query = dict(parse_qsl(urlsplit(self.action).query)) | filled
            return self.page.browser.get(f"{urlsplit(self.action).path}?{urlencode(query, doseq=True)}", htmx=htmx)
        return self.page.browser.post(self.action, filled, htmx=htmx, token=False)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _words(element: Element) -> str:
    if str(element.tag) in SILENT or callable(element.tag):  # a comment's tag is a function
        return ""
    inner = (element.text or "") + "".join(_words(child) + (child.tail or "") for child in element)
    return f"\n{inner}\n" if element.tag in BLOCKS else inner


def _squeeze(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)
