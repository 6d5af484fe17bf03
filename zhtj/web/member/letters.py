"""My introduction letters: what to do with one and until when, and its slips two and three to print (L-05, L-07)."""

from __future__ import annotations

from flask import Response, render_template

from zhtj.kernel.errors import NotFound
from zhtj.kernel.permissions import Permission
from zhtj.letters import queries, receipts
from zhtj.letters.models import CardSide
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.desks.letters.issuing import pdf
from zhtj.web.desks.letters.letter_page import for_member
from zhtj.web.member.contacts import contact
from zhtj.web.member.loading import own


@routes.member.get("/letters")
@requires(Permission.OWN_MEMBERSHIP)
def letters() -> str:
    """Every letter about me, newest first."""
    seat, _ = own()
    return render_template(
        "member/letters/letters.html", letters=queries.of_member(seat.member_id or 0), validity_of=queries.validity_of
    )


@routes.member.get("/letters/<int:letter_id>")
@requires(Permission.OWN_MEMBERSHIP)
def letter_page(letter_id: int) -> str:
    """One of my letters: what to do with it, until when, whether the receipt is back."""
    seat, _ = own()
    found = queries.letter(seat, letter_id)
    receipt = receipts.receipt_of(found.id)
    return render_template(
        "member/letters/letter.html",
        letter=found,
        record=found.record,
        own=for_member(queries.validity_of(found), received=receipt is not None),
        receipt=receipt,
        card=receipts.card_of(found.id),
        CardSide=CardSide,
        issuer=contact(found.issuer),
        receiver=contact(found.receiver) if found.receiver else None,
    )


@routes.member.get("/letters/<int:letter_id>.pdf")
@requires(Permission.OWN_MEMBERSHIP)
def letter(letter_id: int) -> Response:
    """Slips two and three of my letter, to print and take along; a void one is no longer handed out (L-04, L-05)."""
    seat, _ = own()
    found = queries.letter(seat, letter_id)
    if found.is_void:
        raise NotFound("这份介绍信已经作废。", fix="请向开具的团委索取新的介绍信。")
    return pdf(found, with_stub=False)
