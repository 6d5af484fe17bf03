"""Import of rosters, organisations, destinations: upload, look at what would happen, import or throw away (PD-31)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

from flask import Response, flash, make_response, redirect, render_template, request, send_file, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from werkzeug.wrappers import Response as AnyResponse

from zhtj.imports import batches, spreadsheets, undo
from zhtj.imports.files.layouts import DESTINATIONS, FLOATING, ORGANISATIONS, ROSTER
from zhtj.imports.files.problems import FileError
from zhtj.imports.files.tables import Layout
from zhtj.imports.graduates import floating_members
from zhtj.imports.models import ImportKind
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.kernel.work.tasks import TaskState
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import own_organisation
from zhtj.web.htmx import hx_redirect, is_htmx

SHOWN = 200
"""Problems listed on the page; the file that can be downloaded has them all."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One kind of file, as the pages speak of it."""

    kind: ImportKind
    permission: Permission
    layout: Layout
    noun: str
    back: str

    def url(self, page: str = "", batch_id: int | None = None) -> str:
        """Address of one of its pages in the present blueprint; ``batch_id`` of an upload."""
        return url_for(f".import_{self.kind}{page and '_'}{page}", batch_id=batch_id)


DESKS = (
    Desk(ImportKind.MEMBERS, Permission.MEMBER_IMPORT, ROSTER, "团员", "members"),
    Desk(ImportKind.ORGANISATIONS, Permission.ORGANISATION_IMPORT, ORGANISATIONS, "组织", "organisations"),
    Desk(ImportKind.DESTINATIONS, Permission.DESTINATIONS, DESTINATIONS, "毕业去向", "destinations"),
    Desk(ImportKind.FLOATING, Permission.EXCEPTIONS, FLOATING, "流动团员汇总表", "staying"),
)

View = Callable[..., AnyResponse | str]


def of_each_kind(rule: str = "", page: str = "", methods: Sequence[str] = ("GET",)) -> Callable[[View], View]:
    """The view stands once for each kind of file, with that kind's permission.

    Args:
        rule: what follows the kind in the address.
        page: how ``Desk.url`` calls it.
        methods: as for a route.
    """

    def decorate(view: View) -> View:
        for desk in DESKS:
            endpoint = f"import_{desk.kind}{page and '_'}{page}"
            guarded = requires(desk.permission)(_bound(view, desk))
            routes.desk.add_url_rule(f"/imports/{desk.kind}{rule}", endpoint, guarded, methods=methods)
        return view

    return decorate


def _bound(view: View, desk: Desk) -> View:
    def bound(**arguments: int) -> AnyResponse | str:
        return view(desk, **arguments)

    bound.__name__, bound.__doc__ = f"{view.__name__}_{desk.kind}", view.__doc__
    return bound


class UploadForm(FlaskForm):
    """The file."""

    file = FileField("文件", [FileRequired("请选择要导入的文件。")], description="xlsx、xls 或 csv，最大 20 MB。")


@of_each_kind(methods=["GET", "POST"])
def _upload(desk: Desk) -> AnyResponse:
    """The form; a file that can be read is kept, and its preview opened."""
    form = UploadForm()
    if form.validate_on_submit():
        sent = form.file.data
        data, name = sent.read(), sent.filename or ""
        try:
            with unit_of_work():
                number = batches.upload(desk.kind, data, current_seat(), name).id
        except FileError as error:
            with unit_of_work():
                batches.refused(desk.kind, current_seat().org_id, name, len(data), error)
            form.file.errors = [str(error)]
        else:
            return redirect(desk.url("batch", batch_id=number), 303)
    page = render_template(
        "imports/upload.html",
        desk=desk,
        form=form,
        organisation=own_organisation(),
        recent=batches.recent(desk.kind, current_seat()),
    )
    return make_response(page, 422 if form.errors else 200)


@of_each_kind("/template.xlsx", "template")
def _template(desk: Desk) -> Response:
    """An empty file to fill in."""
    data = floating_members.template() if desk.kind is ImportKind.FLOATING else spreadsheets.template(desk.layout)
    return _xlsx(data, f"{desk.layout.title}模板.xlsx")


@of_each_kind("/<int:batch_id>", "batch")
def _batch(desk: Desk, batch_id: int) -> AnyResponse | str:
    """How far a job is; what importing would do, row by row; afterwards what it did."""
    batch = batches.owned(batch_id, desk.kind, current_seat())
    if is_htmx():
        here = desk.url("batch", batch_id=batch_id)
        shown = render_template("imports/_progress.html", desk=desk, batch=batch)
        return shown if batch.state.is_open else hx_redirect(here)
    if batch.state.is_open or batch.state is TaskState.FAILED:
        return render_template("imports/working.html", desk=desk, batch=batch, organisation=own_organisation())
    plan = batches.plan_of(batch)
    return render_template(
        "imports/preview.html",
        desk=desk,
        batch=batch,
        plan=plan,
        shown=SHOWN,
        may_undo=undo.may_undo(batch),
        organisation=own_organisation(),
    )


@of_each_kind("/<int:batch_id>/problems.xlsx", "problems")
def _problems(desk: Desk, batch_id: int) -> Response:
    """All errors and warnings as xlsx."""
    plan = batches.plan_of(batches.owned(batch_id, desk.kind, current_seat()))
    return _xlsx(spreadsheets.problem_list(plan.errors, plan.warnings), f"{desk.layout.title}问题清单.xlsx")


@of_each_kind("/<int:batch_id>/apply", "apply", ["POST"])
def _apply(desk: Desk, batch_id: int) -> AnyResponse:
    """Import the rows without errors, or have a job do it."""
    expected = request.form.get("accepted", "")
    if not expected.isdecimal():
        raise DomainError("提交的内容不完整。", fix="请返回上一页，刷新后再试。")
    with unit_of_work():
        batch = batches.owned(batch_id, desk.kind, current_seat())
        if batches.is_long(batch):
            batches.start(batch, expected=int(expected))
            return redirect(desk.url("batch", batch_id=batch_id), 303)
        done = batches.apply(batch, expected=int(expected))
        skipped = batches.plan_of(batch).bad_rows
    flash(f"已导入 {done:,} 条" + (f"，跳过 {skipped:,} 条。" if skipped else "。"), "success")
    return redirect(desk.url("batch", batch_id=batch_id), 303)


@of_each_kind("/<int:batch_id>/discard", "discard", ["POST"])
def _discard(desk: Desk, batch_id: int) -> AnyResponse:
    """Throw the upload away; nothing was imported."""
    with unit_of_work():
        batches.discard(batches.owned(batch_id, desk.kind, current_seat()))
    flash("已放弃，没有导入任何内容。", "info")
    return redirect(desk.url(), 303)


@of_each_kind("/<int:batch_id>/again", "again", ["POST"])
def _again(desk: Desk, batch_id: int) -> AnyResponse:
    """Go on where a job stopped."""
    with unit_of_work():
        batches.again(batches.owned(batch_id, desk.kind, current_seat()))
    return redirect(desk.url("batch", batch_id=batch_id), 303)


@of_each_kind("/<int:batch_id>/undo", "undo", ["GET", "POST"])
def _undo(desk: Desk, batch_id: int) -> AnyResponse | str:
    """Take an import back: first who stands in the way, then it is done."""
    batch = batches.owned(batch_id, desk.kind, current_seat())
    if request.method == "GET":
        if not undo.may_undo(batch):
            return redirect(desk.url("batch", batch_id=batch_id), 303)
        found, count = undo.blockers(batch)
        plan = batches.plan_of(batch)
        return render_template("imports/undo.html", desk=desk, batch=batch, plan=plan, found=found, count=count)
    with unit_of_work():
        done = batches.start_undo(batches.owned(batch_id, desk.kind, current_seat()))
    if done:
        flash("导入已撤销，可以改正后重新导入。", "success")
    return redirect(desk.url("batch", batch_id=batch_id), 303)


def _xlsx(data: bytes, name: str) -> Response:
    return send_file(BytesIO(data), spreadsheets.XLSX, as_attachment=True, download_name=name)
