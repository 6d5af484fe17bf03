"""去向顾问 for everybody: nobody need sign in to learn where his relationship should go (PD-11, H-01)."""

from __future__ import annotations

from flask import render_template, request, url_for

from zhtj.kernel import limits
from zhtj.web import routes
from zhtj.web.access import public
from zhtj.web.forms.advice import Adviser, AdviserQuestion

ANSWERS = 200
"""Of one address in ten minutes: each searches the tree, and a whole campus may share one address."""


@routes.public.get("/help/advice")
@public
def advice() -> str:
    """One question a page, then the answer; everything said stands in the address alone."""
    adviser = Adviser(request.args, lambda **query: url_for("public.advice", **query))
    if adviser.stage is AdviserQuestion.ANSWER:
        limits.hit("advice", request.remote_addr or "", ANSWERS, 600)
    return render_template("advice/page.html", adviser=adviser, crumbs=[("帮助", "/help/"), ("去向顾问", None)])
