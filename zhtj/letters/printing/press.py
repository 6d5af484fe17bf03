"""The press: WeasyPrint with our templates, our one font and nothing else within its reach."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from zhtj.letters.printing import fonts

TEMPLATES = Path(__file__).resolve().parents[3] / "templates" / "letters"
FONT_ADDRESS = "zhtj:letter-song"


class LetterFetcher(URLFetcher):  # type: ignore[misc]  # the library is untyped
    """Hands out the one font file, and the pictures of this print; no network, no other file, whatever the data says.

    Args:
        pictures: PNGs by the addresses that the template gives them.
    """

    def __init__(self, pictures: Mapping[str, bytes] | None = None) -> None:
        super().__init__()
        self.pictures = pictures or {}

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        """The font or a picture. Raises ValueError for any other address, which leaves that place empty."""
        del headers
        if url == FONT_ADDRESS:
            return URLFetcherResponse(url, fonts.face().read_bytes(), {"Content-Type": "font/otf"})
        if url in self.pictures:
            return URLFetcherResponse(url, self.pictures[url], {"Content-Type": "image/png"})
        raise ValueError(f"letters fetch nothing: {url}")


class Press:
    """One form: its template, its style, and the fonts all its sheets share; letters name theirs by version.

    Pango's font map belongs to one thread at a time, so printing takes turns; the work holds the interpreter anyway.
    """

    def __init__(self, name: str) -> None:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES.parent),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._template = environment.get_template(f"letters/{name}.html")
        self.fonts = FontConfiguration()
        style = f'@font-face {{ font-family: "{fonts.FAMILY}"; src: url("{FONT_ADDRESS}") }}\n'
        style += (TEMPLATES / f"{name}.css").read_text()
        self.style = CSS(string=style, font_config=self.fonts, url_fetcher=LetterFetcher())
        self._turn = threading.Lock()

    def print(self, title: str, pictures: Mapping[str, bytes] | None = None, **context: Any) -> bytes:
        """The pages as PDF/UA-1.

        Args:
            title: of the document.
            pictures: PNGs by address, such as seals.
            context: what the template draws.
        """
        html = self._template.render(title=title, **context)
        with self._turn, _collector_resting():
            document = HTML(string=html, url_fetcher=LetterFetcher(pictures))
            pdf: bytes = document.write_pdf(stylesheets=[self.style], font_config=self.fonts, pdf_variant="pdf/ua-1")
        return pdf


@contextmanager
def _collector_resting() -> Iterator[None]:
    """The cyclic collector would walk all boxes again and again: a quarter of the time, for no memory saved."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@cache
def press(name: str) -> Press:
    """The press for a form, or a letter's template version; loaded once a process."""
    return Press(name)
