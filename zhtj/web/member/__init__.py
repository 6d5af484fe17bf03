"""The member's workbench, on a phone: where is my relationship, who must act, what can I do next."""

from __future__ import annotations

from flask import Blueprint

from zhtj.web.member import applications, cases, destination, home, letters, messages, papers, staying
from zhtj.web.member.applying import advice, changes, guides
from zhtj.web.member.applying import questions as applying

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
