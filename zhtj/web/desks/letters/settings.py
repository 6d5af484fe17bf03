"""What letters are issued with: the committee's seal, and which colleges may issue (L-07, PD-30)."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import Permission, SeatKind
from zhtj.letters import authority, seals
from zhtj.orgs.models import Organisation
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import load_organisation, own_organisation
from zhtj.web.downloads import hand_over
from zhtj.web.forms.days import day_in


@routes.desk.get("/letters/settings")
@requires(Permission.LETTER_VIEW)
def letter_settings() -> str:
    """The seal and the authorisations."""
    return _page()


def _page(error: DomainError | None = None, college: int | None = None) -> str:
    seat = current_seat()
    grants = seat.kind is SeatKind.SCHOOL
    return render_template(
        "desks/letters/letter_settings.html",
        organisation=own_organisation(),
        may_issue=authority.may_issue(seat),
        grants=grants,
        seal=seals.present(seat.org_id),
        colleges=authority.colleges(seat) if grants else [],
        past=authority.past(seat) if grants else [],
        today=clock.today(),
        error=error,
        wrong=college,
        typed=request.form,
        largest=seals.LARGEST // 2**20,
        least=seals.LEAST_SIDE,
    )


@routes.desk.post("/letters/seal")
@requires(Permission.LETTER_ISSUE)
def letter_seal() -> AnyResponse:
    """Upload the seal of one's own committee."""
    chosen = request.files.get("seal")
    content = chosen.read(seals.LARGEST + 1) if chosen is not None else b""
    try:
        with unit_of_work():
            seals.upload(own_organisation(), current_seat(), content)
    except DomainError as error:
        return _wrong(error)
    flash("印模已保存，今后开具的介绍信都会印上。", "success")
    return redirect(url_for(".letter_settings"), 303)


def _wrong(error: DomainError, college: int | None = None) -> AnyResponse:
    session.expire_all()
    return make_response(_page(error, college), error.status)


@routes.desk.post("/letters/seal/withdraw")
@requires(Permission.LETTER_ISSUE)
def letter_seal_withdraw() -> AnyResponse:
    """Print letters without seal again."""
    try:
        with unit_of_work():
            seals.withdraw(own_organisation(), current_seat())
    except DomainError as error:
        return _wrong(error)
    flash("已停用印模，今后开具的介绍信留出盖章位置。", "success")
    return redirect(url_for(".letter_settings"), 303)


@routes.desk.get("/letters/seal.png")
@requires(Permission.LETTER_ISSUE)
def letter_seal_picture() -> Response:
    """The seal of one's own committee, to look at."""
    found = seals.present(current_seat().org_id)
    if found is None:
        raise NotFound
    return hand_over(seals.pictures({found.id})[found.id], "image/png", "seal.png")


@routes.desk.post("/organisations/<int:organisation_id>/letters")
@requires(Permission.LETTER_ISSUE)
def letter_authorise(organisation_id: int) -> AnyResponse:
    """Let a college issue letters from a day on (PD-30)."""
    college = load_organisation(organisation_id, Permission.LETTER_ISSUE)
    try:
        first, last = day_in("valid_from", rule="PD-30") or clock.today(), day_in("valid_until", rule="PD-30")
        with unit_of_work():
            authority.grant(session.get_one(Organisation, college.id), current_seat(), first, last)
    except DomainError as error:
        if error.status in {403, 404}:
            raise
        return _wrong(error, organisation_id)
    flash("已授权。", "success")
    return redirect(url_for(".letter_settings"), 303)


@routes.desk.post("/organisations/<int:organisation_id>/letters/end")
@requires(Permission.LETTER_ISSUE)
def letter_unauthorise(organisation_id: int) -> AnyResponse:
    """End a college's authorisation; what it has issued stays (PD-30)."""
    college = load_organisation(organisation_id, Permission.LETTER_ISSUE)
    with unit_of_work():
        authority.end(session.get_one(Organisation, college.id), current_seat())
    flash("授权已终止；此前开具的介绍信仍然有效。", "success")
    return redirect(url_for(".letter_settings"), 303)
