"""A real server on a real database and headless Chromium in front of it.

The CDN's address is answered from the npm package, so that the integrity attribute is checked by the browser itself;
every other address outside this machine is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, Route
from werkzeug.serving import make_server

from zhtj.config import HTMX_URL

HERE = Path(__file__).parent
HTMX = HERE / "node_modules" / "htmx.org" / "dist" / "htmx.min.js"
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NARROWEST = {"width": 320, "height": 640}
PHONE = {"width": 360, "height": 640}
DESK = {"width": 1280, "height": 900}
SIZES = (NARROWEST, PHONE, DESK)
# axe injects itself and its styles; a page under our policy refuses them, so it is checked with the policy set aside.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


# What is in order is not sent across: with it the answer takes three times as long.
AUDIT = """rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']}).then(
    result => result.violations.map(
        found => `${found.id}: ${found.help} ${JSON.stringify(found.nodes.slice(0, 3).map(node => node.target))}`
    )
)"""


QUIET = "!document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling, .htmx-added')"
"""Nothing is being fetched or put in place."""


@contextmanager
def serve(app: Flask) -> Iterator[str]:
    """Serve ``app`` on a free loopback port; yields its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium, headless."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))


@dataclass
class Visitor:
    """One person's browser: what went wrong in it, and what it asked for.

    Args:
        size: of the window that this person uses.
        problems: errors of the console and of scripts; a test expects none.
        requests: addresses asked for, in order.
    """

    page: Page
    home: str
    size: dict[str, int]
    javascript: bool = True
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open an address of the application."""
        self.page.goto(self.home + path)
        return self.page

    def follow(self, target: Locator) -> None:
        """Click what leads to another page, and be there."""
        # A new document: a changed address alone would count as navigation too.
        with self.page.expect_event("domcontentloaded"):
            target.click()
        self.page.wait_for_load_state()

    def sign_in(self, username: str, password: str) -> Page:
        """Through the login page, as everybody does."""
        self.go("/login")
        self.page.get_by_label("身份证号码或手机号码").fill(username)
        self.page.get_by_label("密码", exact=True).fill(password)
        self.follow(self.page.get_by_role("button", name="登录", exact=True).first)
        return self.page

    def check(self) -> None:
        """No violation on the page as it stands, and nothing to scroll sideways."""
        self.page.wait_for_load_state()
        if self.javascript:
            self._settle()
            self._audit()
            self._fits()

    def check_sizes(self, *, brief: bool) -> None:
        """The same of a page just opened, on every size of window; loaded once, for loading is what takes long.

        Args:
            brief: axe looks at it on the size this person uses alone.
        """
        self._settle()
        for size in SIZES:
            self.page.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dict does
            self._fits()
            # The style sheet makes no difference between the two phones.
            if size == self.size if brief else size is not PHONE:
                self._audit()

    def _settle(self) -> None:
        while not self.page.evaluate(QUIET):
            self.page.wait_for_timeout(20)

    def _fits(self) -> None:
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{self.page.url}: {wide} px too wide at {self.page.viewport_size}"

    def _audit(self) -> None:
        violations = audit(self.page)
        assert not violations, f"{self.page.url}: {violations}"


def audit(page: Page) -> list[str]:
    """Violations axe finds, one line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(AUDIT, RULES)
    return found


@contextmanager
def visit(
    browser: Browser, home: str, size: dict[str, int], *, javascript: bool = True, **options: Any
) -> Iterator[Visitor]:
    """A fresh visitor with a window of ``size``."""
    context: BrowserContext = browser.new_context(
        viewport=size,  # type: ignore[arg-type]  # a plain dict does
        java_script_enabled=javascript,
        reduced_motion="reduce",
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        **options,
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    visitor = Visitor(page, home, size, javascript)

    def answer(route: Route) -> None:
        address = route.request.url
        visitor.requests.append(address)
        if address == HTMX_URL:
            route.fulfill(path=HTMX, content_type="text/javascript", headers={"Access-Control-Allow-Origin": "*"})
        elif address.startswith((home, "data:")):
            route.continue_()
        else:
            visitor.problems.append(f"asked for {address}")
            route.abort()

    context.route("**/*", answer)
    page.on("pageerror", lambda error: visitor.problems.append(str(error)))
    page.on("console", lambda line: visitor.problems.append(line.text) if line.type == "error" else None)
    try:
        yield visitor
    finally:
        context.close()
