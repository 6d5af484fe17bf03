"""团员信息登记表: filled in on the page, printed, signed and stamped on paper (F-16)."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.identity import registration_sheets
from zhtj.kernel import audit
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, NotFound
from zhtj.kernel.permissions import Permission
from zhtj.people.models import Member
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import load_member, number_in


def fill_in(member: Member, *, own: bool) -> AnyResponse:
    """The form, for the member himself and for whoever looks after him; nothing typed is lost."""
    sheet = registration_sheets.of_member(member.id)
    errors: dict[str, str] = {}
    said, version, status = registration_sheets.answers(sheet), sheet.version if sheet else 0, 200
    if request.method == "POST":
        said, errors = registration_sheets.read(request.form)
        try:
            with unit_of_work():
                session.refresh(member)
                registration_sheets.write(member, current_seat(), said, number_in(request.form.get("version", "")) or 0)
        except DomainError as error:
            session.expire_all()
            status = error.status
            if isinstance(error, Conflict):
                errors, sheet = {"": str(error)}, registration_sheets.of_member(member.id)
                version = sheet.version if sheet else 0
        else:
            flash("登记表已保存。", "success")
            return redirect(url_for(".file", member_id=None if own else member.id), 303)
    page = render_template(
        "identity/sheet.html",
        member=member,
        own=own,
        fields=registration_sheets.FIELDS,
        said=said,
        errors=errors,
        version=version,
    )
    return make_response(page, status)


def on_paper(member: Member) -> str:
    """The sheet as it is printed; the look is noted, for it holds the full number. Raises NotFound without one."""
    sheet = registration_sheets.of_member(member.id)
    if sheet is None:
        raise NotFound("还没有填写登记表。", fix="请先填写。")
    return render_template(
        "identity/sheet_print.html",
        member=member,
        sheet=sheet,
        fields=registration_sheets.FIELDS,
        said=registration_sheets.answers(sheet),
    )


@routes.desk.route("/members/<int:member_id>/sheet", methods=["GET", "POST"])
@requires(Permission.MEMBER_NUMBER)
def sheet(member_id: int) -> AnyResponse:
    """Fill in the sheet of a member we look after."""
    return fill_in(load_member(member_id, Permission.MEMBER_NUMBER), own=False)


@routes.desk.post("/members/<int:member_id>/sheet/print")
@requires(Permission.MEMBER_NUMBER)
def sheet_print(member_id: int) -> str:
    """His sheet for the printer, with the number in full; the look is noted (PD-37)."""
    member = load_member(member_id, Permission.MEMBER_NUMBER)
    if registration_sheets.of_member(member.id) is None:
        raise NotFound("还没有填写登记表。", fix="请先填写。")
    with unit_of_work():
        audit.record("member.number_seen", "member", member_id, on="sheet")
    return on_paper(load_member(member_id, Permission.MEMBER_NUMBER))
