"""Codes for members: one with its text to pass on, or a printable sheet for a selection (PD-03, U-04)."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.people import codes
from zhtj.people.models import CodeKind, Member
from zhtj.web.access import current_seat, requires
from zhtj.web.auth import sheets
from zhtj.web.desks.loading import load_member

MOST = 200


def _kind(member: Member) -> CodeKind:
    return CodeKind.RESET if member.account.activated_at else CodeKind.ACTIVATION


@requires(Permission.CODE_ISSUE)
def code(number: int) -> str:
    """Issue an activation or a reset code; it is shown this once."""
    member = load_member(number, Permission.CODE_ISSUE)
    with unit_of_work():
        session.refresh(member)
        issued = codes.issue(_kind(member), account=member.account, seat=current_seat())
    return render_template("desks/code.html", member=load_member(number, Permission.CODE_ISSUE), issued=issued)


@requires(Permission.CODE_ISSUE)
def code_sheet() -> AnyResponse | str:
    """Codes for everybody who was ticked, as a sheet to print and cut."""
    numbers = [int(text) for text in request.form.getlist("member") if text.isdecimal()][:MOST]
    members = [load_member(number, Permission.CODE_ISSUE) for number in numbers]
    if not members:
        raise DomainError("请先在名单中勾选团员。", field="member")
    with unit_of_work():
        issued = [codes.issue(_kind(member), account=member.account, seat=current_seat()) for member in members]
    return sheets.sheet_page(issued)


def register(blueprint: Blueprint) -> None:
    """Add the desk to a role."""
    blueprint.add_url_rule("/members/<int:number>/code", "code", code, methods=["POST"])
    blueprint.add_url_rule("/members/codes", "code_sheet", code_sheet, methods=["POST"])
