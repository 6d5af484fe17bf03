"""Members: the list with filters, columns and saved views, one member, the full ID number on demand."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from zhtj.graduation import queries as graduation
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import Permission, SeatKind, check
from zhtj.orgs.models import Organisation, Purpose
from zhtj.people import archive_grounds
from zhtj.people.finding import members as people
from zhtj.people.finding import saved_views
from zhtj.people.finding.members import POLITICAL, Age, MemberFilters, MemberOrder, MembershipStatus, Missing
from zhtj.people.models import Member, Sex
from zhtj.transfers import queries as transfers
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, load_member, number_in, page_links

# What the table can show beside the name, in its order.
COLUMNS = {
    "student_no": "学号",
    "branch": "所在团支部",
    "mobile": "手机",
    "account": "账号",
    "application": "转接",
    "sex": "性别",
    "age": "年龄",
    "ethnicity": "民族",
    "political": "政治面貌",
    "joined": "入团年月",
    "dev_number": "发展团员编号",
    "major": "专业",
    "degree": "学历",
    "dues": "团费交至",
}
USUAL = ("student_no", "branch", "mobile", "account", "application")
_TEXT = 60
Choice = TypeVar("Choice", bound=StrEnum)


def _choice(kind: type[Choice], text: str) -> Choice | None:
    """The value of a list; unknown ones count as none."""
    return kind(text) if text and text in set(kind) else None


def member_filters(said: Mapping[str, str]) -> MemberFilters:
    """Filters of the address, or of a form that acts on all they show."""
    active, graduate, political = (said.get(name, "") for name in ("active", "graduate", "political"))
    return MemberFilters(
        text=said.get("q", "").strip()[:_TEXT],
        org_id=number_in(said.get("org", "")),
        active=active if active in {"yes", "no"} else "",
        graduate=graduate if graduate in {"yes", "no"} else "",
        purpose=_choice(Purpose, said.get("purpose", "")),
        standing=_choice(MembershipStatus, said.get("standing", "")) or MembershipStatus.PRESENT,
        sex=_choice(Sex, said.get("sex", "")),
        age=_choice(Age, said.get("age", "")),
        missing=_choice(Missing, said.get("missing", "")),
        political=political if political in POLITICAL else "",
        order=_choice(MemberOrder, said.get("order", "")) or MemberOrder.BRANCH,
    )


def _columns(said: MultiDict[str, str]) -> tuple[str, ...]:
    """The columns that were chosen: several arguments, or one with commas as links write it."""
    wanted = {part for text in said.getlist("cols") for part in text.split(",")}
    return tuple(name for name in COLUMNS if name in wanted) or USUAL


def kept(filters: MemberFilters, columns: tuple[str, ...] = USUAL) -> dict[str, str]:
    """Filters, order and columns as arguments of an address; what is usual is left out."""
    said: dict[str, str] = {
        "q": filters.text,
        "org": str(filters.org_id or ""),
        "active": filters.active,
        "graduate": filters.graduate,
        "purpose": filters.purpose or "",
        "standing": filters.standing,
        "sex": filters.sex or "",
        "age": filters.age or "",
        "missing": filters.missing or "",
        "political": filters.political,
        "order": filters.order,
        "cols": ",".join(columns) if columns != USUAL else "",
    }
    return {name: str(value) for name, value in said.items() if value}


@routes.desk.get("/members")
@requires(Permission.MEMBER_VIEW)
def members() -> AnyResponse | str:
    """The list of members; an organisation that was typed becomes part of the address."""
    filters, unit = _in_unit(request.args)
    if request.args.get("unit") and not unit:
        return _to_list(kept(filters, _columns(request.args)))
    return _list(request.args)


def _list(said: MultiDict[str, str], error: DomainError | None = None, name: str = "") -> str:
    seat, columns = current_seat(), _columns(said)
    filters, unit = _in_unit(said)
    listing = people.listing(seat, filters)
    page = listing.page(**cursors())
    counted = len(page.rows) if page.is_whole else listing.count(people.COUNTED)
    beyond = seat.kind is SeatKind.PROVINCIAL and counted > people.COUNTED
    arguments = kept(filters, columns)
    return render_template(
        "desks/people/members.html",
        rows=page.rows,
        newest=transfers.newest_by_member([one.id for one in page.rows]) if "application" in columns else {},
        filters=filters,
        unit=unit,
        place=session.get(Organisation, filters.org_id) if filters.org_id else None,
        columns={key: COLUMNS[key] for key in columns},
        all_columns=COLUMNS,
        kept=arguments,
        narrowed=bool(arguments.keys() - {"cols", "order"}),
        opened=bool(unit or arguments.keys() - {"q", "org", "active", "graduate", "order"}),
        counted=counted,
        total=0 if page.is_whole or beyond else counted,
        beyond=people.COUNTED if beyond else 0,
        views=saved_views.views_of(seat),
        options=OPTIONS,
        today=clock.today(),
        error=error,
        name=name,
        links=page_links(page, ".members", **arguments),
    )


OPTIONS: dict[str, list[tuple[str, str]]] = {
    "active": [("", "全部"), ("no", "未激活"), ("yes", "已激活")],
    "graduate": [("", "全部"), ("yes", "毕业生"), ("no", "非毕业生")],
    "purpose": [("", "全部"), *((one.value, one.label) for one in Purpose if one is not Purpose.SPECIAL_POOL)],
    "standing": [(one.value, one.label) for one in MembershipStatus],
    "sex": [("", "全部"), *((one.value, one.label) for one in Sex)],
    "age": [("", "全部"), *((one.value, one.label) for one in Age)],
    "missing": [("", "不限"), *((one.value, one.label) for one in Missing)],
    "political": [("", "全部"), *((one, one) for one in POLITICAL)],
    "order": [(one.value, one.label) for one in MemberOrder],
}


def _in_unit(said: MultiDict[str, str]) -> tuple[MemberFilters, str]:
    """The filters, with the organisation that was typed; and its text where there is none of that name."""
    arguments: dict[str, str] = dict(said.items())
    unit = said.get("unit", "").strip()[:120]
    if unit:
        found = people.place(current_seat(), unit)
        arguments["org"] = str(found.id) if found is not None else ""
        unit = "" if found is not None else unit
    return member_filters(arguments), unit


@routes.desk.post("/members/views")
@requires(Permission.MEMBER_VIEW)
def keep_view() -> AnyResponse | tuple[str, int]:
    """Save filters, order and columns under a name."""
    arguments = kept(member_filters(request.form), _columns(request.form))
    try:
        with unit_of_work():
            saved_views.keep(current_seat(), request.form.get("name", ""), arguments)
    except DomainError as error:
        session.rollback()
        return _list(request.form, error, request.form.get("name", "")), error.status
    flash("名单已保存，下次可以直接打开。", "success")
    return _to_list(arguments)


@routes.desk.post("/members/views/forget")
@requires(Permission.MEMBER_VIEW)
def forget_view() -> AnyResponse:
    """Delete a saved view."""
    with unit_of_work():
        gone = saved_views.forget(current_seat(), number_in(request.form.get("view", "")) or 0)
    flash("已删除。" if gone else "这个名单已经删除过了。", "success")
    return redirect(url_for(".members"), 303)


def _to_list(arguments: dict[str, Any]) -> AnyResponse:
    return redirect(url_for(".members", **arguments), 303)


@routes.desk.get("/members/<int:member_id>")
@requires(Permission.MEMBER_VIEW)
def member(member_id: int) -> str:
    """One member: League data, where he has been, his applications; an archived one can be looked at."""
    return _page(_any_member(member_id), full_number="")


@routes.desk.post("/members/<int:member_id>/number")
@requires(Permission.MEMBER_NUMBER)
def member_number(member_id: int) -> str:
    """The same page with the full ID number; the look is audited (PD-37)."""
    found = load_member(member_id, Permission.MEMBER_NUMBER)
    with unit_of_work():
        audit.record("member.number_seen", "member", member_id)
    session.refresh(found)
    return _page(found, full_number=found.account.id_number or "")


def _any_member(number: int) -> Member:
    """A member here or below, archived or not. Raises NotFound."""
    found = session.get(Member, number, options=[joinedload(Member.account), joinedload(Member.org)])
    if found is None:
        raise NotFound
    check(current_seat(), Permission.MEMBER_VIEW, found.org.path)
    return found


def _page(found: Member, full_number: str) -> str:
    seat = current_seat()
    records = [found.id, *people.merged_into(found.id)]
    return render_template(
        "desks/people/member.html",
        member=found,
        himself=seat.member_id == found.id,
        full_number=full_number,
        may_see_number=found.archived_at is None and seat.may(Permission.MEMBER_NUMBER, found.org.path),
        row=graduation.register_row(found.id, clock.today().year),
        applications=[one for number in records for one in transfers.of_member(number)],
        memberships=people.stays(*records),
        ground=archive_grounds.ground_label(found.archived_why),
        age=found.age_on(clock.today()),
    )
