"""The press: WeasyPrint with our template, our one font and nothing else within its reach."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from zhtj.letters import fonts
from zhtj.letters.pages import Sheet
from zhtj.letters.record import FORM_NAME, FileDisposition

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "letters"
FONT_ADDRESS = "zhtj:letter-song"


class LetterFetcher(URLFetcher):  # type: ignore[misc]  # the library is untyped
    """Hands out the one font file and nothing else: no network, no other file, whatever the data says."""

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        """The font. Raises ValueError for any other address, which leaves that place empty."""
        del headers
        if url != FONT_ADDRESS:
            raise ValueError(f"letters fetch nothing: {url}")
        return URLFetcherResponse(url, fonts.face().read_bytes(), {"Content-Type": "font/otf"})


class Press:
    """One template version (``LetterRecord.template_version``): template, style, and the fonts all its letters share.

    Pango's font map belongs to one thread at a time, so printing takes turns; the work holds the interpreter anyway.
    """

    def __init__(self, version: str) -> None:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._template = environment.get_template(f"{version}.html")
        self.fonts = FontConfiguration()
        self._fetcher = LetterFetcher()
        style = f'@font-face {{ font-family: "{fonts.FAMILY}"; src: url("{FONT_ADDRESS}") }}\n'
        style += (TEMPLATES / f"{version}.css").read_text()
        self.style = CSS(string=style, font_config=self.fonts, url_fetcher=self._fetcher)
        self._turn = threading.Lock()

    def print(self, sheets: Sequence[Sheet], title: str) -> bytes:
        """The pages as PDF/UA-1."""
        html = self._template.render(
            letters=sheets, title=title, form_name=FORM_NAME, dispositions=tuple(FileDisposition)
        )
        with self._turn, _collector_resting():
            document = HTML(string=html, url_fetcher=self._fetcher)
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
def press(version: str) -> Press:
    """The press for a template version, loaded once a process."""
    return Press(version)
