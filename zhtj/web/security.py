"""Headers of every answer: no foreign script, no framing, no page kept where others could read it."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request


def register(app: Flask) -> None:
    """Add the headers after each request."""
    parts = urlsplit(app.config["ZHTJ"].htmx_url)
    script = f"{parts.scheme}://{parts.netloc}" if parts.netloc else "'self'"
    policy = (
        f"default-src 'none'; script-src {script}; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
