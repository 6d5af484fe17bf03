"""htmx 4 on the server's side: what kind of answer is wanted, and how it is sent.

What htmx 4.0.1 does, read off its source:

* Attributes are found as ``hx-get`` and, by the default ``prefix``, as ``data-hx-get``; we write the latter.
* Nothing is inherited unless the parent says so: ``data-hx-headers:inherited='{"X-CSRFToken": "…"}'`` on ``<body>``.
  A plain ``data-hx-headers`` there would be ignored by every element inside, silently. ``data-hx-target:inherited``,
  ``data-hx-swap:inherited`` and the others likewise; ``:append`` adds to what is inherited.
* Request headers: ``HX-Request: true``; ``HX-Request-Type`` is ``full`` when the target is ``<body>`` or the element
  has ``hx-select``, else ``partial``; ``HX-Target`` and ``HX-Source`` are ``tag#id``; ``HX-Current-URL``. A history
  restore sends ``HX-History-Restore-Request`` and wants the full page.
* Every status is swapped like 200 but 204 and 304 (``config.noSwap``): a 422 form lands where the 200 would. An
  element can differ by status: ``data-hx-status:409="target:#messages swap:innerHTML"`` (also ``4xx``).
  ``HX-Retarget`` and ``HX-Reswap`` in the response win over that element's target and swap.
* ``HX-Redirect`` is followed with any status (a plain 3xx is followed inside ``fetch``, so that a whole page would land
  in the small target); so are ``HX-Refresh`` and ``HX-Location``.
* ``hx-swap`` defaults to ``innerHTML``; styles: innerHTML outerHTML beforebegin afterbegin beforeend afterend delete
  none textContent innerMorph outerMorph, with modifiers as ``swap:200ms show:top scroll:bottom transition:true``. A
  fragment may start with ``<tr>``. ``data-hx-swap-oob="true"`` replaces the element of the same id elsewhere;
  ``<hx-partial data-hx-target="#x" data-hx-swap="…">`` does so with any target. A ``<title>`` in a fragment renames
  the page.
* An element with ``autofocus`` inside new content gets the focus: that is how focus goes where the change happened.
* A form with ``novalidate`` is not held back by the browser's own checks; its submit button's name and value are sent.
* While a request runs the element has the class ``htmx-request``; ``data-hx-disable="find button"`` disables its
  button. Requests of one element queue (``data-hx-sync="this:replace"`` drops the older one, for a search box).
* ``<meta name="htmx-config">`` holds the settings, as JSON or as ``key:value`` pairs. We switch off
  ``includeIndicatorCSS`` (our stylesheet has those two rules) and let ``history`` reload the page. Nothing needs
  ``unsafe-inline`` or ``unsafe-eval`` as long as no ``hx-on``, ``js:`` value or ``[condition]`` in a trigger is
  written; ``tests/web`` keeps templates free of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, Response, make_response, redirect, request
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as AnyResponse

CONFIG = "includeIndicatorCSS:false history:reload defaultTimeout:30000"
"""Content of ``<meta name="htmx-config">``."""


def register(app: Flask) -> None:
    """Give templates ``{{ {...}|hx }}``, and every answer ``Vary: HX-Request`` where it may be page or fragment."""
    app.jinja_env.filters["hx"] = attributes
    app.jinja_env.globals["htmx_config"] = CONFIG
    app.after_request(_vary)


def is_htmx() -> bool:
    """Whether a fragment is wanted; a restored or whole page asked for by htmx is none."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Request-Type") != "full"
        and "HX-History-Restore-Request" not in headers
    )


def attributes(values: Mapping[str, object] | None) -> Markup:
    """``{"get": "/x", "swap_oob": "true"}`` as `` data-hx-get="/x" data-hx-swap-oob="true"``; None is left out."""
    parts = [
        f' data-hx-{name.replace("_", "-")}="{escape(value)}"'
        for name, value in (values or {}).items()
        if value is not None
    ]
    return Markup("".join(parts))  # noqa: S704 - the values are escaped


def hx_redirect(url: str, status: int = 200) -> Response:
    """Send the browser to ``url``: ``HX-Redirect`` with ``status`` for htmx, 303 otherwise."""
    if request.headers.get("HX-Request") != "true":
        return make_response(redirect(url, 303))
    response = make_response("", status)
    response.headers["HX-Redirect"] = url
    return response


def fragment_or_redirect(fragment: str, url: str, status: int = 200) -> Response:
    """After a write: the fragment for htmx, else post-redirect-get to ``url``."""
    return make_response(fragment, status) if is_htmx() else make_response(redirect(url, 303))


def to_messages(fragment: str, status: int) -> Response:
    """A notice that lands in the page's live region whatever the element's own target is."""
    response = make_response(fragment, status)
    response.headers["HX-Retarget"] = "#messages"
    response.headers["HX-Reswap"] = "innerHTML show:top"
    return response


def _vary(response: AnyResponse) -> AnyResponse:
    if response.mimetype == "text/html":
        response.vary.update(("HX-Request", "HX-Request-Type"))
    return response
