"""One member entered by hand, and an administrator's edits of working data (U-09 … U-11, U-14)."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.imports.members import single
from zhtj.imports.members.single import Outlook, Refused
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.kernel.permissions import Permission
from zhtj.people import amending
from zhtj.people.finding import members
from zhtj.people.models import Member
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import load_member, load_organisation, number_in, own_organisation

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class FilledMember:
    """The form as it comes back: what was typed, what is wrong, what to look at."""

    branch: str = ""
    typed: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    asks_file_check: bool = False


def _name(position: int) -> str:
    return f"c{position}"


@routes.desk.route("/members/new", methods=["GET", "POST"], endpoint="member_new")
@requires(Permission.MEMBER_IMPORT)
def new() -> AnyResponse:
    """The form, and what becomes of it."""
    if request.method == "GET":
        own, wanted = own_organisation(), number_in(request.args.get("org", ""))
        place = load_organisation(wanted, Permission.MEMBER_IMPORT) if wanted else own
        return make_response(_form(FilledMember(place.full_name if place.is_branch else "")))
    typed = {
        column.name: request.form.get(_name(position), "")[:_LONGEST] for position, column in enumerate(single.COLUMNS)
    }
    words = request.form.get("branch", "").strip()[:_LONGEST]
    branch = members.place(current_seat(), words) if words else None
    if branch is None:
        fault = "请填写所在团支部。" if not words else "本级和下级没有这个团支部，或同名的不止一个；请填写全称。"
        return make_response(_form(FilledMember(words, typed, {"branch": fault})), 422)
    try:
        with unit_of_work():
            session.refresh(branch)
            said = {name: bool(request.form.get(name)) for name in ("confirmed", "file_checked")}
            done = single.enter(branch, typed, **said)
            number = done.id if isinstance(done, Member) else None
    except DomainError as error:
        session.expire_all()
        errors = error.errors if isinstance(error, Refused) else {"": str(error)}
        asks = isinstance(error, Refused) and error.asks_file_check
        return make_response(_form(FilledMember(words, typed, errors, asks_file_check=asks)), error.status)
    if isinstance(done, Outlook):
        filled = FilledMember(words, typed, warnings=done.warnings, asks_file_check=said["file_checked"])
        return make_response(_form(filled), 422)
    flash("已登记。账号还没有激活，请为本人生成激活码。", "success")
    return redirect(url_for(".member", member_id=number), 303)


def _form(filled: FilledMember) -> str:
    names = {column.name: _name(position) for position, column in enumerate(single.COLUMNS)}
    return render_template(
        "desks/people/member_new.html",
        columns=list(zip(names.values(), single.COLUMNS, strict=True)),
        filled=filled,
        listed=[(names.get(name, "branch" if name else None), text) for name, text in filled.errors.items()],
        elsewhere="转入" in filled.errors.get("身份证号码", ""),
        choices={
            column.name: [("", "未填"), *((one, one) for one in column.choices)]
            for column in single.COLUMNS
            if column.choices
        },
    )


@routes.desk.route("/members/<int:member_id>/edit", methods=["GET", "POST"], endpoint="member_edit")
@requires(Permission.MEMBER_IMPORT)
def edit(member_id: int) -> AnyResponse:
    """学号, 专业, 学历, 团费 of a member, changed at once; the second of two administrators is told."""
    found = load_member(member_id, Permission.MEMBER_IMPORT)
    if current_seat().member_id == found.id:
        raise Forbidden("本人的资料由直接上级修改。", rule="PD-02")
    if request.method == "GET":
        return make_response(_edit(found))
    try:
        with unit_of_work():
            changed = amending.change(found, current_seat(), request.form, request.form.get("seen", ""))
    except DomainError as error:
        session.expire_all()
        return make_response(_edit(load_member(member_id, Permission.MEMBER_IMPORT), error), error.status)
    flash("已保存。" if changed else "没有改动。", "success")
    return redirect(url_for(".member", member_id=member_id), 303)


def _edit(found: Member, error: DomainError | None = None) -> str:
    typed = error is not None and not isinstance(error, Conflict)
    stored = amending.shown(found)
    return render_template(
        "desks/people/member_edit.html",
        member=found,
        values={name: request.form.get(name, "")[:_LONGEST] for name in stored} if typed else stored,
        labels=amending.WORKING_DATA,
        degrees=[("", "未填"), *((one, one) for one in dict.fromkeys((*amending.DEGREES, stored["degree"])) if one)],
        seen=amending.seen(found),
        error=error,
    )
