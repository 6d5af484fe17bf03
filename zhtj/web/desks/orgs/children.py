"""Build organisations below, rename them, close them and open them again (O-12, K-04, PD-06)."""

from __future__ import annotations

from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.kernel.permissions import Permission
from zhtj.orgs.changing import changes, children
from zhtj.orgs.models import INDUSTRIES_COMMITTEE, Category, Organisation, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.orgs.rules import PURPOSE_ENDINGS
from zhtj.transfers.deciding import closing
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import load_organisation
from zhtj.web.desks.orgs.organisations import organisation_page

NEW = ("category", "full_name", "short_name", "industry", "purpose", "phone", "park")


@routes.desk.route("/organisations/<int:organisation_id>/new", methods=["GET", "POST"])
@requires(Permission.ORGANISATION_BUILD)
def organisation_new(organisation_id: int) -> AnyResponse | str:
    """Build one organisation below; a purpose-built branch comes here with its names already filled in."""
    parent = load_organisation(organisation_id, Permission.ORGANISATION_BUILD)
    if parent.is_branch:
        raise DomainError("团支部是最末一级，下面不能再建组织。", field="parent", rule="O-02")
    if request.method == "GET":
        return _new_page(parent, {"industry": parent.industry or ""})
    typed = {name: request.form.get(name, "").strip() for name in NEW}
    try:
        with unit_of_work():
            created = children.build(session.get_one(Organisation, organisation_id), _wanted(typed))
            built, name = created.id, created.full_name
    except DomainError as error:
        session.expire_all()
        return make_response(_new_page(parent, typed, error), error.status)
    flash(f"已建立{name}。", "success")
    return redirect(url_for(".organisation", organisation_id=built), 303)


def _wanted(typed: dict[str, str]) -> NewOrganisation:
    category, purpose = typed["category"], typed["purpose"]
    if category not in set(Category):
        raise DomainError("请选择组织类别。", field="category", rule="O-01")
    if purpose and purpose not in set(PURPOSE_ENDINGS):
        raise DomainError("没有这种专用团支部。", field="purpose", rule="O-12")
    if typed["park"]:
        purpose = Purpose.PARK.value
    return NewOrganisation(
        full_name=typed["full_name"],
        short_name=typed["short_name"],
        category=Category(category),
        industry=typed["industry"] or None,
        purpose=Purpose(purpose) if purpose else None,
        phone=typed["phone"] or None,
    )


def _new_page(parent: Organisation, typed: dict[str, Any], error: DomainError | None = None) -> str:
    options = children.categories_below(parent)
    return render_template(
        "desks/orgs/organisation_new.html",
        parent=parent,
        typed=typed,
        error=error,
        may_have_park=children.may_have_park(parent),
        categories=[{"value": one.value, "label": one.label} for one in options],
        industries=[("", "不填"), *((name, name) for name in INDUSTRIES_COMMITTEE)],
        endings=[(one.label, children.ENDINGS[one]) for one in options],
    )


def _below(number: int) -> Organisation:
    """An organisation below; its own names and its end are not a seat's own to change. Raises NotFound, Forbidden."""
    shown = load_organisation(number, Permission.ORGANISATION_EDIT)
    if shown.id == current_seat().org_id:
        raise Forbidden("本组织的全称、类别和停用由上级办理。", fix="联系方式请在“本组织”页面修改。", rule="PD-06")
    return shown


@routes.desk.route("/organisations/<int:organisation_id>/edit", methods=["GET", "POST"])
@requires(Permission.ORGANISATION_EDIT)
def organisation_edit(organisation_id: int) -> AnyResponse | str:
    """Change names, category and data of an organisation below."""
    shown = _below(organisation_id)
    if request.method == "GET":
        return _edit_page(shown)
    typed = {name: request.form.get(name, "") for name in changes.FIELDS}
    if changes.may_be_park(shown):
        typed["park"] = request.form.get("park", "")
    try:
        with unit_of_work():
            changed = changes.change(shown, typed, request.form.get("seen", ""))
    except DomainError as error:
        session.expire_all()
        return make_response(_edit_page(shown, error), error.status)
    flash("组织资料已更新。" if changed else "没有改动。", "success")
    return redirect(url_for(".organisation", organisation_id=organisation_id), 303)


def _edit_page(shown: Organisation, error: DomainError | None = None) -> str:
    stored = {name: getattr(shown, name) or "" for name in changes.FIELDS}
    # After somebody else's change the form shows what holds now, not what was typed over the old.
    stale = error is None or (isinstance(error, Conflict) and error.field is None)
    values = stored if stale else {name: request.form.get(name, "") for name in stored}
    return render_template(
        "desks/orgs/organisation_edit.html",
        organisation=shown,
        values=values,
        seen=changes.seen(shown),
        error=error,
        may_be_park=changes.may_be_park(shown),
        park=shown.purpose is Purpose.PARK if stale else bool(request.form.get("park")),
        earlier=changes.earlier_names(shown),
        categories=[(one.value, one.label) for one in changes.categories(shown)],
        industries=[("", "不填"), *((name, name) for name in INDUSTRIES_COMMITTEE)],
    )


@routes.desk.post("/organisations/<int:organisation_id>/close")
@requires(Permission.ORGANISATION_EDIT)
def organisation_close(organisation_id: int) -> AnyResponse:
    """Close it, with a reason."""
    return _turn(organisation_id, closing.close, "已停用；需要时可以恢复。")


@routes.desk.post("/organisations/<int:organisation_id>/reopen")
@requires(Permission.ORGANISATION_EDIT)
def organisation_reopen(organisation_id: int) -> AnyResponse:
    """Open it again, with a reason."""
    return _turn(organisation_id, closing.reopen, "已恢复使用。请任命管理员。")


def _turn(number: int, action: Any, words: str) -> AnyResponse:
    shown = _below(number)
    name = shown.short_name
    try:
        with unit_of_work():
            action(current_seat(), shown, request.form.get("why", ""))
    except DomainError as error:
        session.expire_all()
        return make_response(organisation_page(shown, turning=error), error.status)
    flash(f"{name}{words}", "success")
    return redirect(url_for(".organisation", organisation_id=number), 303)
