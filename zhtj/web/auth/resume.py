"""Nothing typed is lost when a session or a form has expired: the content stands in the same form after login.

What was posted too late is kept encrypted in the visitor's own session for half an hour, without passwords and tokens.
The next time he sees the page with that form, its controls are filled in as he had left them; sending it is again his
decision. Only what a page of ours has posted is kept, never what a foreign one makes a browser send.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Response, current_app, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock, crypto
from zhtj.web import routes
from zhtj.web.access import PUBLIC
from zhtj.web.auth.refill import refill
from zhtj.web.htmx import hx_redirect, is_htmx

KEPT = "kept_form"
KEEP = timedelta(minutes=30)
LONGEST = 2800
"""Signs of the encrypted content: with the rest of the session it has to fit into a cookie."""
NEVER = frozenset({"csrf_token", "password", "again", "current"})
MESSAGES = '<div id="messages" role="status" aria-live="polite">'


@dataclass(frozen=True, slots=True)
class KeptForm:
    """What somebody was about to send.

    Args:
        page: address of the page with the form.
        action: path the form posts to.
        fields: names and values, without passwords and the token.
        until: ISO time after which it is forgotten.
    """

    page: str
    action: str
    fields: list[tuple[str, str]]
    until: str

    def pack(self) -> str:
        """Compressed and encrypted."""
        text = json.dumps([self.page, self.action, self.fields, self.until], ensure_ascii=False)
        return crypto.encrypt(base64.b85encode(zlib.compress(text.encode(), 9)).decode())

    @classmethod
    def unpack(cls, token: str) -> KeptForm | None:
        """The content, unless it is too old or cannot be read."""
        try:
            page, action, fields, until = json.loads(zlib.decompress(base64.b85decode(crypto.decrypt(token))))
            kept = cls(page, action, [(name, value) for name, value in fields], until)
            return kept if clock.parse(kept.until) > clock.now() else None
        except (ValueError, zlib.error):
            return None


def sign_in_first() -> AnyResponse:
    """Send somebody to the login page, and afterwards back to where he wanted to go with what he had typed."""
    if request.method == "GET":
        return hx_redirect(url_for("auth.login", next=request.full_path.rstrip("?")), 401)
    keep()
    return hx_redirect(url_for("auth.login", next=_page()), 401)


def form_expired() -> AnyResponse | None:
    """A form whose token no longer holds: back to its page with its content, by way of the login page if need be.

    Returns:
        None if nothing could be kept: then an error page says so.
    """
    if not keep():
        return None
    if current_user.is_authenticated or _is_public():
        return hx_redirect(_page())
    return hx_redirect(url_for("auth.login", next=_page()), 401)


def keep() -> bool:
    """Keep what was just posted; says whether it was."""
    if request.method != "POST" or not _from_our_page():
        return False
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in NEVER]
    until = (clock.now() + KEEP).isoformat()
    token = KeptForm(_page(), request.path, fields, until).pack()
    if len(token) > LONGEST:
        current_app.logger.info("form on %s is too long to be kept", request.path)
        return False
    session[KEPT] = token
    return True


def _from_our_page() -> bool:
    """Whether the browser says that a page of ours has sent it."""
    source = request.headers.get("Origin") or request.referrer or ""
    return urlsplit(source).netloc == request.host


def _page() -> str:
    """Address of the page the form stands on; a page that was itself an answer to a POST may have none."""
    came = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    for path, query in ((came.path if came.netloc == request.host else "", came.query), (request.path, "")):
        if path and path != "/login" and _answers_get(path):
            return path + (f"?{query}" if query else "")
    return "/"


def _answers_get(path: str) -> bool:
    try:
        current_app.create_url_adapter(request).match(path, method="GET")  # type: ignore[union-attr]  # inside a request
    except HTTPException:
        return False
    return True


def _is_public() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "permission", None) == PUBLIC


@routes.auth.after_app_request
def put_back(response: Response) -> Response:
    """Fill the kept content into the form of the page that is going out."""
    token = session.get(KEPT)
    if token is None or request.method != "GET" or is_htmx():
        return response
    if response.status_code != HTTPStatus.OK or response.mimetype != "text/html" or response.is_streamed:
        return response
    kept = KeptForm.unpack(token)
    if kept is None:
        session.pop(KEPT)
        return response
    if kept.page != request.full_path.rstrip("?"):
        return response
    session.pop(KEPT)
    page, found = refill(response.get_data(as_text=True), kept.action, kept.fields)
    said = render_template("auth/_restored.html", found=found)
    response.set_data(page.replace(MESSAGES, MESSAGES + said, 1))
    return response
