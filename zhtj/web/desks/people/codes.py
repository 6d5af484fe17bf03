"""Codes for members and organisations: one with its text to pass on, or a sheet to print (PD-03, U-04, U-07)."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import Permission
from zhtj.orgs import queries as orgs
from zhtj.people.finding import members as people
from zhtj.people.models import CodeKind
from zhtj.people.signing import codes
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.auth import code_sheets
from zhtj.web.desks.loading import load_member, load_organisation, number_in
from zhtj.web.desks.people.members import member_filters
from zhtj.web.desks.people.posts import code_page

MOST = 200


@routes.desk.post("/members/<int:member_id>/code")
@requires(Permission.CODE_ISSUE)
def code(member_id: int) -> str:
    """Issue an activation or a reset code; it is shown this once."""
    member = load_member(member_id, Permission.CODE_ISSUE)
    with unit_of_work():
        session.refresh(member)
        kind = CodeKind.RESET if member.account.activated_at else CodeKind.ACTIVATION
        issued = codes.issue(kind, current_seat(), account=member.account)
    return render_template(
        "desks/people/code.html",
        member=load_member(member_id, Permission.CODE_ISSUE),
        issued=issued,
        fragment=code_sheets.code_card(issued),
    )


@routes.desk.post("/members/codes")
@requires(Permission.CODE_ISSUE)
def code_sheet() -> AnyResponse | str:
    """Codes for everybody who was ticked or is on the list - a class - as a sheet to print and cut."""
    seat, filters = current_seat(), member_filters(request.form)
    ticked = None if request.form.get("all") else _numbers("member")
    picked = people.picked(seat, filters, ids=ticked, most=MOST + 1) if ticked is None else _members(ticked)
    if len(picked) > MOST:
        raise DomainError(f"一次最多生成 {MOST} 人的。", fix="请先用筛选缩小范围，例如选一个团支部。")
    if not picked:
        raise DomainError("没有可以生成的团员。", fix="请返回名单，勾选后再生成。", field="member")
    issued, refusals = [], []
    with unit_of_work():
        for kind, accounts in codes.kinds_needed([number for number, *_ in picked]).items():
            batch = codes.issue_many(kind, accounts, seat)
            issued += batch.issued
            refusals += batch.refusals
    return code_sheets.sheet_page(issued, refusals, back=url_for(".members"))


def _members(numbers: Sequence[int]) -> list[tuple[int, str, str]]:
    """The ticked members, whatever the list was filtered by. Raises NotFound for one out of sight."""
    found = people.picked(current_seat(), people.MemberFilters(), ids=numbers, most=MOST + 1)
    if len(found) < min(len(set(numbers)), MOST + 1):
        raise NotFound
    return found


def _numbers(name: str) -> list[int]:
    found = (number_in(text) for text in request.form.getlist(name))
    return [number for number in found if number is not None]


@routes.desk.post("/organisations/<int:organisation_id>/code")
@requires(Permission.CODE_ISSUE)
def organisation_code(organisation_id: int) -> str:
    """A registration code for an organisation below, for its new administrator; shown this once (U-07)."""
    shown = load_organisation(organisation_id, Permission.CODE_ISSUE)
    crumbs = [(shown.short_name, url_for(".organisation", organisation_id=organisation_id))]
    with unit_of_work():
        issued = codes.issue(CodeKind.REGISTRATION, current_seat(), organisation=shown)
    return code_page(issued, crumbs, ".organisation", organisation_id)


@routes.desk.post("/organisations/codes")
@requires(Permission.CODE_ISSUE)
def organisation_codes() -> str:
    """Registration codes for the ticked organisations, or for every township of a county, as a sheet (PD-03)."""
    county = number_in(request.form.get("townships", ""))
    back = url_for(".organisations")
    if county is not None:
        host = load_organisation(county, Permission.CODE_ISSUE)
        numbers, back = (
            [one.id for one in orgs.townships(host, MOST + 1)],
            url_for(".organisation", organisation_id=county),
        )
    else:
        numbers = _numbers("organisation")
    if len(numbers) > MOST:
        raise DomainError(f"一次最多生成 {MOST} 个。", fix="请分几次勾选生成。")
    for number in numbers if county is None else ():
        load_organisation(number, Permission.CODE_ISSUE)
    if not numbers:
        raise DomainError("请先在名单中勾选组织。", fix="返回名单，勾选后再生成。", field="organisation")
    with unit_of_work():
        batch = codes.issue_registrations(numbers, current_seat())
    return code_sheets.sheet_page(batch.issued, batch.refusals, back=back)
