"""Floating members: contact log, job or study, and by when each must be moved on (T-29, D-16, D-17)."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import Permission
from zhtj.people.models import Member
from zhtj.transfers import onward
from zhtj.transfers.onward import STATUSES, OnwardFilters, Situation
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, load_member, page_links


@requires(Permission.TRANSFER_OUT)
def list_floating() -> str:
    """The list: overdue first, then whoever is due next."""
    seat = current_seat()
    status = request.args.get("status", "")
    filters = OnwardFilters(status if status in STATUSES else "", request.args.get("q", "").strip())
    page = onward.listing(seat, filters, **cursors())
    counts = {key: onward.count(seat, OnwardFilters(key, filters.text)) for key in ("", *STATUSES)}
    return render_template(
        "desks/floating.html",
        rows=page.rows,
        contacts=onward.last_contacts(page.rows),
        filters=filters,
        statuses=[("", "全部"), *STATUSES.items()],
        figures=[(label, counts[key], key) for key, label in {"": "流动团员", **STATUSES}.items()],
        untracked=onward.count_untracked(seat),
        may_start=lambda row: onward.may_look_after(seat, row.member),
        links=page_links(page, ".floating", status=filters.status, q=filters.text),
    )


@requires(Permission.TRANSFER_OUT)
def track() -> AnyResponse:
    """Put members of floating branches on the list who came by no transfer."""
    with unit_of_work():
        opened = onward.track_all(current_seat())
    flash(f"已列入 {opened} 名流动团员。", "success")
    return redirect(url_for(".floating"), 303)


@requires(Permission.TRANSFER_OUT)
def one(number: int) -> str:
    """One floating member: deadlines, log, forms."""
    return _page(load_member(number, Permission.TRANSFER_OUT))


def _page(member: Member, error: DomainError | None = None, action: str = "") -> str:
    row = onward.of_member(member)
    return render_template(
        "desks/floating_member.html",
        row=row,
        member=member,
        log=onward.log_of(row),
        situations=[("", "没有说"), *((each.value, each.label) for each in Situation if each is not Situation.FOUND)],
        may_write=onward.may_look_after(current_seat(), member),
        today=clock.today().isoformat(),
        typed=request.form if error else {},
        error=error,
        action=action,
    )


@requires(Permission.TRANSFER_OUT)
def write(number: int, note: str) -> AnyResponse:
    """Log a contact, record a job or study place, or that it came to nothing."""
    if note not in WRITES:
        raise NotFound
    member = load_member(number, Permission.TRANSFER_OUT)
    try:
        with unit_of_work():
            session.refresh(member)
            message = WRITES[note](member)
    except DomainError as error:
        session.expire_all()
        return make_response(_page(load_member(number, Permission.TRANSFER_OUT), error, note), error.status)
    flash(message, "success")
    return redirect(url_for(".floating_member", number=number), 303)


def _contact(member: Member) -> str:
    said = request.form.get("situation", "")
    situation = Situation(said) if said in set(Situation) - {Situation.FOUND} else None
    onward.contacted(current_seat(), member, _day("on"), request.form.get("note", ""), situation)
    return "联系情况已记录。"


def _found(member: Member) -> str:
    row = onward.found(current_seat(), member, _day("found_on"), request.form.get("found_what", ""))
    due = row.due_on or clock.today()
    return f"已登记，请在 {due.month}月{due.day}日 前办理二次转接。"


def _lost(member: Member) -> str:
    onward.lost(current_seat(), member)
    return "已取消登记，期限停止计算。"


WRITES = {"contact": _contact, "found": _found, "lost": _lost}


def _day(field: str) -> date:
    try:
        return date.fromisoformat(request.form.get(field, "").strip())
    except ValueError as error:
        raise DomainError("日期请按 2026-10-14 的样子填写。", field=field, rule="T-29") from error


def register(blueprint: Blueprint) -> None:
    """Add the desk to a role."""
    blueprint.add_url_rule("/floating", "floating", list_floating)
    blueprint.add_url_rule("/floating/track", "floating_track", track, methods=["POST"])
    blueprint.add_url_rule("/members/<int:number>/onward", "floating_member", one)
    for note in WRITES:
        blueprint.add_url_rule(
            f"/members/<int:number>/onward/{note}",
            f"onward_{note}",
            write,
            methods=["POST"],
            defaults={"note": note},
        )
