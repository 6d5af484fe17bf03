"""Issued codes as they are handed out: one with its text to pass on, or a sheet to print and cut (PD-03, U-06)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import segno
from flask import render_template, url_for
from markupsafe import Markup

from zhtj.kernel.errors import DomainError
from zhtj.people.codes import IssuedCode
from zhtj.people.models import CodeKind

_PAGES = {
    CodeKind.ACTIVATION: "auth.activate",
    CodeKind.RESET: "auth.reset_password",
    CodeKind.REGISTRATION: "auth.register_page",
}


@dataclass(frozen=True, slots=True)
class Slip:
    """One code, ready to be shown.

    Args:
        address: where it is entered by hand.
        picture: QR code of the address with the code filled in, as a ``data:`` URI.
        message: the full text to pass on.
    """

    issued: IssuedCode
    address: str
    picture: str
    message: str


def slip(issued: IssuedCode) -> Slip:
    """Prepare a code to be shown; only inside a request, for the address."""
    endpoint = _PAGES[issued.kind]
    address = url_for(endpoint, _external=True)
    if issued.kind is CodeKind.ACTIVATION:
        link = url_for("auth.activate_link", code=issued.plain, _external=True)
    elif issued.kind is CodeKind.RESET:
        link = url_for(endpoint, code=issued.plain, _external=True)
    else:
        link = url_for(endpoint, code=issued.plain, organisation=issued.organisation_code, _external=True)
    picture = segno.make(link, error="m", micro=False).svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
    return Slip(issued, address, picture, issued.message(address))


def code_card(issued: IssuedCode) -> Markup:
    """One code as a card: large, with deadline, QR code and the text to pass on; nothing of it can be shown again."""
    return Markup(render_template("auth/_issued.html", slip=slip(issued)))  # noqa: S704 - a template of ours


def sheet_page(
    issued: Sequence[IssuedCode], refusals: Sequence[tuple[str, DomainError]] = (), *, back: str | None = None
) -> str:
    """A page of slips to print and cut.

    Args:
        issued: the codes, in the order of the list they were chosen from.
        refusals: name and reason of those who got none; on the screen only.
        back: address of that list.
    """
    return render_template(
        "auth/sheet.html", slips=[slip(one) for one in issued], refusals=refusals, back=back, sign_in=False
    )
