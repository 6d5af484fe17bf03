"""Introduction letters: issue one, look at one, its PDF, its receipt, the member's card (family L)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.letters import authority, operations, queries, receipts
from zhtj.letters.many import letter_batches
from zhtj.letters.models import CardSide, Letter
from zhtj.letters.operations import Details
from zhtj.letters.printing import papers
from zhtj.letters.printing.render import render_letter
from zhtj.letters.queries import LetterFilters
from zhtj.letters.receipts import LARGEST, ReceiptSlip
from zhtj.letters.record import FileDisposition, LetterReason, LetterRecord
from zhtj.people.models import Member
from zhtj.transfers import queries as transfers
from zhtj.transfers.models import Application
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.letters.letter_page import for_issuer
from zhtj.web.desks.loading import cursors, load_member, page_links
from zhtj.web.downloads import hand_over
from zhtj.web.forms.days import needed_day_in

FIELDS = ("dues_until", "file_disposition", "file_note", "handler", "handler_mobile", "landline", "reason_text")
OFFLINE = (*FIELDS, "receiver", "reason")


def read_filters(said: Mapping[str, str]) -> LetterFilters:
    """Filters of an address; unknown values count as none."""
    state = said.get("state", "")
    return LetterFilters(state if state in queries.STATES else "", said.get("q", "").strip())


@routes.desk.get("/letters")
@requires(Permission.LETTER_VIEW)
def letters() -> str:
    """The register of letters, newest first."""
    seat = current_seat()
    filters = read_filters(request.args)
    page = queries.letters(seat, filters).page(**cursors())
    return render_template(
        "desks/letters/letters.html",
        rows=page.rows,
        filters=filters,
        states=list(queries.STATES.items()),
        received=queries.with_receipt([letter.id for letter in page.rows]),
        may_issue=authority.may_issue(seat),
        links=page_links(page, ".letters", state=filters.state, q=filters.text),
        validity_of=queries.validity_of,
    )


def details_of(typed: Mapping[str, str]) -> Details:
    """What was filled in. Raises DomainError."""
    dues = letter_batches.month_of(typed["dues_until"])
    if typed["file_disposition"] not in set(FileDisposition):
        raise DomainError("请选择团员档案的去向。", field="file_disposition", rule="L-13")
    return Details(
        dues_until=dues,
        file_disposition=FileDisposition(typed["file_disposition"]),
        file_note=typed["file_note"],
        handler=typed["handler"],
        handler_mobile=typed["handler_mobile"],
        landline=typed["landline"],
        reason_text=typed["reason_text"],
    )


def _first(member: Member) -> dict[str, str]:
    """What the form shows at first: the record's month of dues, and where files usually go."""
    dues = member.dues_until
    return {
        "file_disposition": FileDisposition.WITH_PERSONAL_FILE.value,
        "dues_until": f"{dues:%Y-%m}" if dues else "",
    }


def _typed(names: tuple[str, ...]) -> dict[str, str]:
    return {name: request.form.get(name, "").strip() for name in names}


# -- from an application


@routes.desk.route("/applications/<int:application_id>/letter", methods=["GET", "POST"])
@requires(Permission.LETTER_ISSUE)
def letter_new(application_id: int) -> AnyResponse | str:
    """The form of a letter; what the record already knows is not asked."""
    seat = current_seat()
    application = transfers.application(seat, application_id)
    authority.check_issuer(seat)
    if request.method == "GET":
        return _form(application, _first(application.member))
    typed = _typed(FIELDS)
    try:
        with unit_of_work():
            session.refresh(application)
            issued = operations.issue(application, seat, details_of(typed)).id
    except DomainError as error:
        session.expire_all()
        return make_response(_form(transfers.application(seat, application_id), typed, error), error.status)
    return _issued(issued)


def _issued(number: int) -> AnyResponse:
    found = session.get_one(Letter, number)
    flash(f"已开具{found.serial}介绍信。", "success")
    return redirect(url_for(".letter_page", letter_id=number), 303)


@routes.desk.post("/applications/<int:application_id>/letter/sample")
@requires(Permission.LETTER_ISSUE)
def letter_sample(application_id: int) -> AnyResponse:
    """How the letter would look, marked as good for nothing."""
    seat = current_seat()
    application = transfers.application(seat, application_id)
    typed = _typed(FIELDS)
    try:
        record = operations.rehearse(application, seat, details_of(typed))
        return _pdf(render_letter(record, site=request.url_root, sample=True), "sample")
    except DomainError as error:
        return make_response(_form(application, typed, error), error.status)


def _form(application: Application, typed: dict[str, str], error: DomainError | None = None) -> str:
    return render_template(
        "desks/letters/letter_new.html",
        application=application,
        typed=typed,
        error=error,
        existing=queries.of_application(application.id),
        dispositions=list(FileDisposition),
    )


# -- without one


@routes.desk.route("/members/<int:member_id>/letter", methods=["GET", "POST"])
@requires(Permission.LETTER_ISSUE)
def letter_offline(member_id: int) -> AnyResponse | str:
    """A letter without application, where the transfer cannot go online (X-09, T-31)."""
    seat = current_seat()
    member = load_member(member_id, Permission.LETTER_ISSUE)
    authority.check_issuer(seat)
    if request.method == "GET":
        return _offline_form(member, _first(member))
    typed = _typed(OFFLINE)
    try:
        with unit_of_work():
            session.refresh(member)
            issued = operations.issue_offline(member, typed["receiver"], _reason(typed), seat, details_of(typed)).id
    except DomainError as error:
        session.expire_all()
        page = _offline_form(load_member(member_id, Permission.LETTER_ISSUE), typed, error)
        return make_response(page, error.status)
    return _issued(issued)


def _reason(typed: Mapping[str, str]) -> tuple[LetterReason, str]:
    if typed["reason"] not in set(LetterReason):
        raise DomainError("请选择转接原因。", field="reason", rule="L-11")
    return LetterReason(typed["reason"]), typed["reason_text"]


@routes.desk.post("/members/<int:member_id>/letter/sample")
@requires(Permission.LETTER_ISSUE)
def letter_offline_sample(member_id: int) -> AnyResponse:
    """How that letter would look."""
    seat = current_seat()
    member = load_member(member_id, Permission.LETTER_ISSUE)
    typed = _typed(OFFLINE)
    try:
        record: LetterRecord = operations.rehearse_offline(
            member, typed["receiver"], _reason(typed), seat, details_of(typed)
        )
        return _pdf(render_letter(record, site=request.url_root, sample=True), "sample")
    except DomainError as error:
        return make_response(_offline_form(member, typed, error), error.status)


def _offline_form(member: Member, typed: dict[str, str], error: DomainError | None = None) -> str:
    return render_template(
        "desks/letters/letter_offline.html",
        member=member,
        typed=typed,
        error=error,
        before=queries.of_member(member.id),
        reasons=list(LetterReason),
        dispositions=list(FileDisposition),
    )


# -- one letter


@routes.desk.get("/letters/<int:letter_id>")
@requires(Permission.LETTER_VIEW)
def letter_page(letter_id: int) -> str:
    """One letter: what it says, its state, its receipt, the member's card."""
    return _page(queries.letter(current_seat(), letter_id))


def _page(found: Letter, error: DomainError | None = None) -> str:
    seat = current_seat()
    may_issue = authority.may_issue(seat) and seat.may(Permission.LETTER_ISSUE, found.issuer.path)
    receipt, card = receipts.receipt_of(found.id), receipts.card_of(found.id)
    return render_template(
        "desks/letters/letter.html",
        letter=found,
        record=found.record,
        validity=queries.validity_of(found),
        receipt=receipt,
        card=card,
        CardSide=CardSide,
        page=for_issuer(found, card, received=receipt is not None, may_issue=may_issue),
        today=clock.today(),
        typed=request.form,
        error=error,
    )


def _pdf(content: bytes, name: str) -> Response:
    response = make_response(content)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="letter-{name}.pdf"'
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.desk.get("/letters/<int:letter_id>.pdf")
@requires(Permission.LETTER_VIEW)
def letter_pdf(letter_id: int) -> Response:
    """The printed letter, three slips on one page."""
    return pdf(queries.letter(current_seat(), letter_id))


def pdf(letter: Letter, *, with_stub: bool = True) -> Response:
    """A letter as the browser's PDF; ``with_stub`` False is the member's copy (L-05)."""
    content = papers.pdf(letter, site=request.url_root, with_stub=with_stub)
    return _pdf(content, f"{letter.year}-{letter.number}")


@routes.desk.post("/letters/<int:letter_id>/void")
@requires(Permission.LETTER_ISSUE)
def letter_void(letter_id: int) -> AnyResponse:
    """Void a letter; its number stays used, a correction gets a new one (L-04, PD-27)."""
    seat = current_seat()
    found = queries.letter(seat, letter_id)
    try:
        with unit_of_work():
            session.refresh(found)
            operations.void(found, seat, request.form.get("reason", "").strip())
    except DomainError as error:
        return _again(letter_id, error)
    flash("介绍信已作废。", "success")
    return redirect(url_for(".letter_page", letter_id=letter_id), 303)


def _again(number: int, error: DomainError) -> AnyResponse:
    session.expire_all()
    return make_response(_page(queries.letter(current_seat(), number), error), error.status)


def slip_of_form() -> ReceiptSlip:
    """Slip three as it was filled in. Raises DomainError."""
    chosen = request.files.get("file")
    content = chosen.read(LARGEST + 1) if chosen is not None and chosen.filename else b""
    return ReceiptSlip(
        handler=request.form.get("handler", "").strip(),
        phone=request.form.get("phone", "").strip(),
        received_on=needed_day_in("received_on", rule="L-31"),
        content=content,
        card_entered=bool(request.form.get("card")),
    )


@routes.desk.post("/letters/<int:letter_id>/receipt")
@requires(Permission.LETTER_ISSUE)
def letter_receipt(letter_id: int) -> AnyResponse:
    """Record a receipt that came back on paper (L-31, PD-29)."""
    seat = current_seat()
    found = queries.letter(seat, letter_id)
    authority.check_issuer(seat)
    try:
        slip = slip_of_form()
        with unit_of_work():
            session.refresh(found)
            receipts.record_paper(found, seat, slip)
    except DomainError as error:
        return _again(letter_id, error)
    flash("回执已登记。", "success")
    return redirect(url_for(".letter_page", letter_id=letter_id), 303)


@routes.desk.post("/letters/<int:letter_id>/receipt/file")
@requires(Permission.LETTER_VIEW)
def letter_receipt_file(letter_id: int) -> Response:
    """The picture of slip three; the look is audited."""
    found = queries.letter(current_seat(), letter_id)
    with unit_of_work():
        receipt = receipts.required(found.id)
        content, media_type = receipts.picture(receipt), receipt.media_type or ""
    return hand_over(content, media_type, f"receipt-{found.year}-{found.number}")


@routes.desk.post("/letters/<int:letter_id>/card")
@requires(Permission.LETTER_ISSUE)
def letter_card(letter_id: int) -> AnyResponse:
    """Tick that the member's card has its entry under 转出 (L-30)."""
    seat = current_seat()
    found = queries.letter(seat, letter_id)
    authority.check_issuer(seat)
    try:
        day = needed_day_in("entered_on", rule="L-30")
        with unit_of_work():
            session.refresh(found)
            receipts.enter_card(found, seat, CardSide.OUT, day)
    except DomainError as error:
        return _again(letter_id, error)
    flash("团员证转出栏已登记。", "success")
    return redirect(url_for(".letter_page", letter_id=letter_id), 303)
