"""Headers of every answer: no foreign script, no framing, no page kept where others could read it.

And of every question: no control characters. No form of ours sends them, no page could show and no database keep them.
"""

from __future__ import annotations

import re
from itertools import chain
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def register(app: Flask) -> None:
    """Look at each request before, add the headers after it."""
    parts = urlsplit(app.config["ZHTJ"].htmx_url)
    script = f"{parts.scheme}://{parts.netloc}" if parts.netloc else "'self'"
    policy = (
        f"default-src 'none'; script-src {script}; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )

    @app.before_request
    def refuse_control_characters() -> None:
        sent = (chain.from_iterable(values.items(multi=True)) for values in (request.args, request.form))
        if any(map(CONTROL.search, chain([request.path], *sent))):
            abort(400)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
