"""The one stylesheet under a hashed name, the htmx tag, and compressed answers.

``stylesheet_url()`` gives ``/static/zhtj.<hash>.css``, which may be cached for a year. The file is minified and
compressed once a process. HTML is compressed on the way out because the server in front of us does not do it.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import brotli
from flask import Flask, Response, current_app, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from zhtj.config import HTMX_URL
from zhtj.web.access import public

HTMX_INTEGRITY = "sha384-Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn"

STYLESHEET = "zhtj.css"
YEAR = "public, max-age=31536000, immutable"
MINUTE = "public, max-age=60"
COMPRESSIBLE = frozenset({"text/html", "text/css", "text/plain", "application/json", "image/svg+xml"})
SMALLEST = 500
"""Bytes below which compressing is not worth it."""
PAGE_QUALITY = 4
"""Brotli level of pages: most of the gain at a fraction of a millisecond."""


@dataclass(frozen=True, slots=True)
class Stylesheet:
    """The minified text of the stylesheet, once in each encoding."""

    modified: int
    digest: str
    plain: bytes
    encoded: dict[str, bytes]


def register(app: Flask) -> None:
    """Add the stylesheet's route, the template functions and the compressor.

    Raises:
        FileNotFoundError: the stylesheet is missing.
    """
    stylesheet(app)
    app.jinja_env.globals.update(stylesheet_url=stylesheet_url, htmx_tag=htmx_tag)
    app.add_url_rule("/static/zhtj.<digest>.css", "stylesheet", serve_stylesheet)
    app.after_request(compress)


def minify(css: str) -> str:
    """The same rules without comments and the white space nobody needs."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r"\s*([{};,>])\s*", r"\1", css)
    css = re.sub(r":\s+", ":", css)
    return css.replace(";}", "}").strip()


def stylesheet(app: Flask) -> Stylesheet:
    """The prepared stylesheet; read again only when the file changed."""
    path = Path(app.static_folder or "") / STYLESHEET
    modified = path.stat().st_mtime_ns
    known = app.extensions.get("zhtj_stylesheet")
    if isinstance(known, Stylesheet) and known.modified == modified:
        return known
    plain = minify(path.read_text(encoding="utf-8")).encode()
    encoded = {"br": brotli.compress(plain, mode=brotli.MODE_TEXT), "gzip": gzip.compress(plain, 9, mtime=0)}
    fresh = Stylesheet(modified, hashlib.sha256(plain).hexdigest()[:12], plain, encoded)
    app.extensions["zhtj_stylesheet"] = fresh
    return fresh


def stylesheet_url() -> str:
    """Address of the stylesheet, with the hash of its content."""
    return f"{request.script_root}/static/zhtj.{stylesheet(current_app).digest}.css"


@public
def serve_stylesheet(digest: str) -> Response:
    """The stylesheet; under an old name (a page from before an update) it is not kept for long."""
    sheet = stylesheet(current_app)
    encoding = _encoding()
    response = Response(sheet.encoded[encoding] if encoding else sheet.plain, mimetype="text/css")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.headers["Cache-Control"] = YEAR if digest == sheet.digest else MINUTE
    response.vary.add("Accept-Encoding")
    return response


def htmx_source() -> tuple[str, str]:
    """Address and integrity of htmx; ``ZHTJ_HTMX_URL`` may carry the integrity of another file as ``URL#sha384-…``."""
    url, _, integrity = current_app.config["ZHTJ"].htmx_url.partition("#")
    return url, HTMX_INTEGRITY if url == HTMX_URL else integrity


def htmx_tag() -> Markup:
    """The script element of every page."""
    url, integrity = htmx_source()
    check = Markup(' integrity="{}" crossorigin="anonymous"').format(integrity) if integrity else ""
    return Markup('<script src="{}"{} defer></script>').format(url, check)


def _encoding() -> str:
    accepted = request.accept_encodings
    return next((name for name in ("br", "gzip") if accepted[name] > 0), "")


def compress(response: AnyResponse) -> AnyResponse:
    """Encode a page as the browser accepts it (brotli before gzip)."""
    if response.mimetype not in COMPRESSIBLE or response.is_streamed or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    encoding = _encoding()
    if not encoding or response.direct_passthrough or response.status_code in {204, 304}:
        return response
    data = response.get_data()
    if len(data) < SMALLEST:
        return response
    packed = brotli.compress(data, quality=PAGE_QUALITY) if encoding == "br" else gzip.compress(data, 5, mtime=0)
    response.set_data(packed)
    response.headers["Content-Encoding"] = encoding
    return response
