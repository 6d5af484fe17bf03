"""The exceptions register 《学社衔接转出特殊情况记录》: its lines, what to do about each, its export (A-28, F-02)."""

from __future__ import annotations

from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.orgs.policies import national_policy
from zhtj.people.models import Member
from zhtj.transfers import queries
from zhtj.transfers.models import Application
from zhtj.transfers.watching import exception_records, exceptions_register
from zhtj.transfers.watching.exception_records import TITLE
from zhtj.transfers.watching.exceptions_register import KINDS, ByHand, ExceptionFilters
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.graduation.graduates import chosen_organisation, parts_below
from zhtj.web.desks.loading import cursors, load_member, own_organisation, page_links

STATUSES = {"open": "未解决", "closed": "已解决"}
FIELDS = ("reason", "transfer_type", "province", "city", "destination", "remark")


def read_filters(values: Any) -> ExceptionFilters:
    """Filters of the address or of a form; unknown values count as none."""
    status, kind = values.get("status", ""), values.get("kind", "")
    chosen = chosen_organisation(values.get("org", ""))
    return ExceptionFilters(
        status=status if status in STATUSES else "",
        kind=kind if kind in KINDS else "",
        path=chosen.path if chosen else "",
        text=values.get("q", "").strip(),
    )


def _reasons() -> dict[str, str]:
    return {key.value: spec.label for key, spec in national_policy().reasons.items()}


@routes.desk.get("/exceptions", endpoint="exceptions")
@requires(Permission.EXCEPTIONS)
def list_exceptions() -> str:
    """The register, open lines first."""
    seat, season = current_seat(), clock.today().year
    chosen, filters = chosen_organisation(request.args.get("org", "")), read_filters(request.args)
    page = exceptions_register.listing(seat, season, filters).page(**cursors())
    kept = {"status": filters.status, "kind": filters.kind, "q": filters.text, "org": str(chosen.id) if chosen else ""}
    return render_template(
        "desks/watching/exceptions.html",
        rows=list(zip(page.rows, exception_records.records(page.rows, _reasons()), strict=True)),
        under_way=exceptions_register.under_way([line.row.member_id for line in page.rows]),
        filters=filters,
        kept=kept,
        statuses=[("", "全部"), *STATUSES.items()],
        kinds=[("", "全部"), *KINDS.items()],
        parts=parts_below(chosen),
        title=TITLE,
        links=page_links(page, ".exceptions", **kept),
    )


@routes.desk.route("/applications/<int:application_id>/exception", methods=["GET", "POST"])
@requires(Permission.EXCEPTIONS)
def exception(application_id: int) -> AnyResponse | str:
    """One line: why it failed, whom to ask next, its remark (A-23, T-32)."""
    seat = current_seat()
    application = queries.application(seat, application_id)
    if request.method == "GET":
        return _page(application)
    remark = request.form.get("remark", "")
    try:
        with unit_of_work():
            session.refresh(application)
            exceptions_register.annotate(seat, application, remark)
    except DomainError as error:
        session.expire_all()
        return make_response(_page(queries.application(seat, application_id), error, remark), error.status)
    flash("备注已保存。", "success")
    return redirect(url_for(".exceptions"), 303)


def _page(application: Application, error: DomainError | None = None, typed: str | None = None) -> str:
    seat = current_seat()
    line = exceptions_register.of_application(seat, application)
    return render_template(
        "desks/watching/exception.html",
        line=line,
        record=exception_records.records([line], _reasons())[0],
        application=application,
        step=exception_records.next_step(application, own_organisation()),
        under_way=bool(exceptions_register.under_way([application.member_id])),
        may_start=seat.may(Permission.TRANSFER_OUT, application.member.org.path),
        typed=(line.note.remark if line.note else "") if typed is None else typed,
        error=error,
    )


@routes.desk.route("/members/<int:member_id>/exception", methods=["GET", "POST"], endpoint="exception_by_hand")
@requires(Permission.EXCEPTIONS)
def by_hand(member_id: int) -> AnyResponse | str:
    """Enter or correct the line of a graduate who never applied."""
    seat, member = current_seat(), load_member(member_id, Permission.EXCEPTIONS)
    row = exceptions_register.graduate(seat, member, clock.today().year)
    note = exceptions_register.of_graduate(row)
    if request.method == "GET":
        return _form(member, {name: getattr(note, name, None) or "" for name in FIELDS})
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    try:
        with unit_of_work():
            exceptions_register.enter(
                seat, exceptions_register.graduate(seat, member, clock.today().year), ByHand(**typed)
            )
    except DomainError as error:
        session.expire_all()
        return make_response(_form(load_member(member_id, Permission.EXCEPTIONS), typed, error), error.status)
    flash("已列入特殊情况记录。", "success")
    return redirect(url_for(".exceptions"), 303)


def _form(member: Member, typed: dict[str, str], error: DomainError | None = None) -> str:
    return render_template("desks/watching/exception_form.html", member=member, typed=typed, error=error)
