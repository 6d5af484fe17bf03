"""忘记了密码，也不知道找谁: from the name of a school to the telephones of its offices (PD-04)."""

from __future__ import annotations

from flask import render_template, request

from zhtj.kernel import limits
from zhtj.kernel.database import session
from zhtj.kernel.errors import NotFound
from zhtj.orgs.contacts import OfficeContact, contact
from zhtj.orgs.models import Organisation, Region, Tier
from zhtj.orgs.queries import second_level
from zhtj.orgs.searching import places
from zhtj.orgs.searching.search import search
from zhtj.web import routes
from zhtj.web.access import public

ANSWERS = 200
"""Of one address in ten minutes: each searches the tree, and a whole campus may share one address."""
SHOWN = 10
_WITH_MEMBERS = (Tier.BASIC, Tier.SECOND, Tier.BRANCH)


@routes.public.get("/help/offices")
@public
def offices() -> str:
    """Search by school or unit, then the offices of it and of its colleges; never anybody's own number."""
    text, code = request.args.get("q", "").strip()[:80], request.args.get("school", "").strip()[:64]
    if text or code:
        limits.hit("offices", request.remote_addr or "", ANSWERS, 600)
    school = _school(code) if code else None
    part = request.args.get("part", "").strip()[:40]
    below = second_level(school, part) if school is not None else []
    return render_template(
        "public/offices.html",
        q=text,
        part=part,
        found=_found(text) if text and school is None else None,
        school=school,
        office=contact(school) if school is not None else None,
        parts=[(one, _number(one, school)) for one in below] if school is not None else [],
    )


def _school(code: str) -> Organisation:
    """A basic committee of ours in use. Raises NotFound."""
    found = places.by_code(code)
    if found is None or found.tier is not Tier.BASIC or found.closed_at or found.system is not Region.NATIONAL:
        raise NotFound
    return found


def _found(text: str) -> list[Organisation]:
    """The basic committees that the words mean, or in which they mean a college or a class."""
    hits = [hit.organisation for hit in search(session, text, limit=2 * SHOWN).hits]
    lines = {path for one in hits if one.tier in _WITH_MEMBERS for path in one.line}
    open_ones = [one for one in places.basics_among(lines) if not one.closed_at and one.system is Region.NATIONAL]
    return open_ones[:SHOWN]


def _number(college: Organisation, school: Organisation) -> OfficeContact:
    """A college's own office, or the school's where it has no number."""
    return OfficeContact(college.short_name, college.phone) if college.phone else contact(school)
