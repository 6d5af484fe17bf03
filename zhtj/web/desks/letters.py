"""Introduction letters: issue one for an application, the register of stubs, the PDF (family L)."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.letters import operations, queries
from zhtj.letters.models import Letter
from zhtj.letters.operations import Details
from zhtj.letters.record import FileDisposition
from zhtj.letters.render import render_letter
from zhtj.transfers import queries as transfers
from zhtj.transfers.models import Application
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, page_links

FIELDS = ("dues_until", "file_disposition", "file_note", "handler", "handler_mobile", "landline", "reason_text")


@requires(Permission.LETTER_VIEW)
def letters() -> str:
    """The register of letters, newest first."""
    page = queries.letters(current_seat(), **cursors())
    return render_template(
        "desks/letters.html", rows=page.rows, links=page_links(page, ".letters"), standing=queries.standing
    )


@requires(Permission.LETTER_ISSUE)
def letter_new(number: int) -> AnyResponse | str:
    """The form of a letter; what the record already knows is not asked."""
    application = transfers.application(current_seat(), number)
    if request.method == "GET":
        dues = application.member.dues_until
        typed = {
            "file_disposition": FileDisposition.WITH_PERSONAL_FILE.value,
            "dues_until": f"{dues:%Y-%m}" if dues else "",
        }
        return _form(application, typed)
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    try:
        with unit_of_work():
            session.refresh(application)
            issued = operations.issue(application, current_seat(), _details(typed))
            serial = issued.serial
    except DomainError as error:
        session.expire_all()
        return make_response(_form(transfers.application(current_seat(), number), typed, error), error.status)
    flash(f"已开具{serial}介绍信。", "success")
    return redirect(url_for(".application", number=number), 303)


def _form(application: Application, typed: dict[str, str], error: DomainError | None = None) -> str:
    return render_template(
        "desks/letter_new.html",
        application=application,
        typed=typed,
        error=error,
        existing=queries.of_application(application.id),
        dispositions=list(FileDisposition),
    )


def _details(typed: dict[str, str]) -> Details:
    if typed["file_disposition"] not in set(FileDisposition):
        raise DomainError("请选择团员档案的去向。", field="file_disposition", rule="L-13")
    try:
        dues = date.fromisoformat(f"{typed['dues_until']}-01")
    except ValueError as error:
        raise DomainError("请填写团费交至的年份和月份，如 2026-06。", field="dues_until", rule="L-22") from error
    return Details(
        dues_until=dues,
        file_disposition=FileDisposition(typed["file_disposition"]),
        file_note=typed["file_note"],
        handler=typed["handler"],
        handler_mobile=typed["handler_mobile"],
        landline=typed["landline"],
        reason_text=typed["reason_text"],
    )


@requires(Permission.LETTER_VIEW)
def letter_pdf(number: int) -> Response:
    """The printed letter, three slips on one page."""
    return pdf(queries.letter(current_seat(), number))


def pdf(letter: Letter) -> Response:
    """A letter as the browser's PDF."""
    response = make_response(render_letter(letter.record, site=request.url_root))
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="letter-{letter.year}-{letter.number}.pdf"'
    return response


@requires(Permission.LETTER_ISSUE)
def letter_void(number: int) -> AnyResponse:
    """Void a letter; its number stays used, a correction gets a new one (L-04, PD-27)."""
    found = queries.letter(current_seat(), number)
    with unit_of_work():
        session.refresh(found)
        operations.void(found, current_seat(), request.form.get("reason", "").strip())
    flash("介绍信已作废。", "success")
    return redirect(url_for(".letters"), 303)


def register(blueprint: Blueprint) -> None:
    """Add the desk to a role."""
    methods = ["GET", "POST"]
    blueprint.add_url_rule("/letters", "letters", letters)
    blueprint.add_url_rule("/applications/<int:number>/letter", "letter_new", letter_new, methods=methods)
    blueprint.add_url_rule("/letters/<int:number>.pdf", "letter_pdf", letter_pdf)
    blueprint.add_url_rule("/letters/<int:number>/void", "letter_void", letter_void, methods=["POST"])
