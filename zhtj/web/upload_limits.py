"""Routes that take more than the usual: how much each may be sent, decided before anything is read.

Whatever is larger is answered with 413 unread, so that memory does not grow with what strangers send; what fits is
spooled to a temporary file by the server's form reader.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request

View = TypeVar("View", bound=Callable[..., Any])
FORM_AROUND = 64 * 1024
"""What a form adds to its file."""


def takes(most: int) -> Callable[[View], View]:
    """The route takes files of ``most`` bytes in all; to be written above ``@requires``."""

    def decorate(view: View) -> View:
        view.upload_limit = most + FORM_AROUND  # type: ignore[attr-defined]
        return view

    return decorate


def register(app: Flask) -> None:
    """Set each request's limit before its form is read."""

    @app.before_request
    def set_limit() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        limit = getattr(view, "upload_limit", None)
        if limit is not None:
            request.max_content_length = limit
