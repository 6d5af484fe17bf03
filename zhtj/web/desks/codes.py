"""Codes for members: one with its text to pass on, or a printable sheet for a selection (PD-03, U-04)."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.people import codes
from zhtj.people import members as people
from zhtj.people.models import CodeKind, Member
from zhtj.web.access import current_seat, requires
from zhtj.web.auth import sheets
from zhtj.web.desks.loading import load_member
from zhtj.web.desks.members import member_filters

MOST = 200


@requires(Permission.CODE_ISSUE)
def code(number: int) -> str:
    """Issue an activation or a reset code; it is shown this once."""
    member = load_member(number, Permission.CODE_ISSUE)
    with unit_of_work():
        session.refresh(member)
        kind = CodeKind.RESET if member.account.activated_at else CodeKind.ACTIVATION
        issued = codes.issue(kind, current_seat(), account=member.account)
    return render_template(
        "desks/code.html",
        member=load_member(number, Permission.CODE_ISSUE),
        issued=issued,
        fragment=sheets.code_card(issued),
    )


@requires(Permission.CODE_ISSUE)
def code_sheet() -> AnyResponse | str:
    """Codes for everybody who was ticked, as a sheet to print and cut."""
    numbers = [int(text) for text in request.form.getlist("member") if text.isdecimal()][:MOST]
    if request.form.get("all"):
        everybody = people.picked(current_seat(), member_filters(request.form), limit=MOST + 1)
        if len(everybody) > MOST:
            raise DomainError(f"一次最多生成 {MOST} 人的。", fix="请先用筛选缩小范围，例如选一个团支部。")
        numbers = [number for number, _, _ in everybody]
    members = [load_member(number, Permission.CODE_ISSUE) for number in numbers]
    if not members:
        raise DomainError("请先在名单中勾选团员。", fix="返回名单，勾选后再生成。", field="member")
    issued, refusals = [], []
    with unit_of_work():
        for kind, accounts in _by_kind(members).items():
            batch = codes.issue_many(kind, accounts, current_seat())
            issued += batch.issued
            refusals += batch.refusals
    return sheets.sheet_page(issued, refusals, back=url_for(".members"))


def _by_kind(members: list[Member]) -> dict[CodeKind, list[int]]:
    """Accounts that need an activation code, and those that need a reset code."""
    return {
        kind: [member.account_id for member in members if (member.account.activated_at is not None) is opened]
        for kind, opened in ((CodeKind.ACTIVATION, False), (CodeKind.RESET, True))
    }


def register(blueprint: Blueprint) -> None:
    """Add the desk to a role."""
    blueprint.add_url_rule("/members/<int:number>/code", "code", code, methods=["POST"])
    blueprint.add_url_rule("/members/codes", "code_sheet", code_sheet, methods=["POST"])
