"""The member's workbench, on a phone: where is my relationship, who must act, what can I do next."""

from __future__ import annotations

from flask import Blueprint

from zhtj.web.member import (
    advice,
    applications,
    applying,
    cases,
    changes,
    destination,
    guides,
    home,
    letters,
    messages,
    papers,
    staying,
)

blueprint = Blueprint("member", __name__, url_prefix="/member")
for part in (
    home,
    applications,
    applying,
    changes,
    destination,
    guides,
    advice,
    cases,
    letters,
    staying,
    messages,
    papers,
):
    part.register(blueprint)
