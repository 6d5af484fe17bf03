"""Issued codes as they are handed out: one with its text to pass on, or a sheet to print and cut (PD-03, U-06)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import segno
from flask import Response, current_app, render_template, request, url_for
from flask_login import current_user
from itsdangerous import BadData, URLSafeTimedSerializer
from markupsafe import Markup

from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.letters.printing import forms
from zhtj.letters.printing.forms import CodeSlip
from zhtj.people.models import CodeKind
from zhtj.people.signing.codes import IssuedCode
from zhtj.web import routes
from zhtj.web.access import requires

# How long a sheet that is on the screen can be had as a PDF; nothing of it is kept here.
PRINTED_WITHIN = 3600
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
        link: the same with the code filled in.
        picture: QR code of the link, as a ``data:`` URI.
        message: the full text to pass on.
    """

    issued: IssuedCode
    address: str
    link: str
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
    return Slip(issued, address, link, picture, issued.message(address))


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
    slips = [slip(one) for one in issued]
    written = [
        [one.issued.name, one.issued.kind.label, one.issued.plain, one.link, one.issued.deadline] for one in slips
    ]
    return render_template(
        "auth/sheet.html", slips=slips, packed=_signer().dumps(written), refusals=refusals, back=back, sign_in=False
    )


def _signer() -> URLSafeTimedSerializer:
    """For what this person has on his screen, and nobody else can hand in."""
    return URLSafeTimedSerializer(current_app.secret_key or "", salt=f"code-sheet-{current_user.get_id()}")


@routes.auth.post("/codes/sheet.pdf")
@requires(Permission.OWN_ACCOUNT)
def sheet_pdf() -> Response:
    """The sheet on the screen as a PDF: it brings its codes along, for they are kept nowhere in plain."""
    try:
        written = _signer().loads(request.form.get("slips", ""), max_age=PRINTED_WITHIN)
    except BadData as error:
        raise DomainError("这一页已经过期，不能再生成 PDF。", fix="请重新生成代码；以前的同类代码作废。") from error
    slips = [CodeSlip(name, "", kind, plain, link, deadline) for name, kind, plain, link, deadline in written]
    response = Response(forms.code_sheet("分发的代码", slips), mimetype="application/pdf")
    response.headers["Content-Disposition"] = "inline; filename=codes.pdf"
    response.headers["Cache-Control"] = "no-store"
    return response
