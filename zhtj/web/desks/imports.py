"""Import of rosters, organisations, destinations: upload, look at what would happen, import or throw away (PD-31)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, send_file, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from werkzeug.wrappers import Response as AnyResponse

from zhtj.imports import batches, meanings, spreadsheets, undo
from zhtj.imports.files.fixed_values import possible
from zhtj.imports.files.headings import COUNTING
from zhtj.imports.files.layouts import DESTINATIONS, FLOATING, LIAISONS, ORGANISATIONS, ROSTER
from zhtj.imports.files.problems import FileError
from zhtj.imports.files.tables import Layout
from zhtj.imports.graduates import floating_members
from zhtj.imports.models import ImportBatch, ImportKind
from zhtj.imports.plans import Plan
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.kernel.work.tasks import TaskState
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import number_in, own_organisation
from zhtj.web.htmx import hx_redirect, is_htmx

HEADING, VALUE, NOT_READ = "heading:", "value:", "-"
"""Names of the fields that say what a heading or a word means, and the choice that a column is not read."""
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

    @property
    def opens_accounts(self) -> bool:
        """Whether what is created are people, whose accounts are still to be activated."""
        return self.kind in {ImportKind.MEMBERS, ImportKind.ORGANISATIONS}

    @property
    def lists_members(self) -> bool:
        """Whether the list behind it can show who is not activated."""
        return self.kind is ImportKind.MEMBERS

    def url(self, page: str = "", batch: ImportBatch | None = None) -> str:
        """Address of one of its pages in the present blueprint; that of an upload names its content too."""
        named: dict[str, Any] = {"batch_id": batch.id, "file": batch.digest} if batch else {}
        return url_for(f".import_{self.kind}{page and '_'}{page}", **named)


DESKS = (
    Desk(ImportKind.MEMBERS, Permission.MEMBER_IMPORT, ROSTER, "团员", "members"),
    Desk(ImportKind.ORGANISATIONS, Permission.ORGANISATION_IMPORT, ORGANISATIONS, "组织", "organisations"),
    Desk(ImportKind.DESTINATIONS, Permission.DESTINATIONS, DESTINATIONS, "毕业去向", "destinations"),
    Desk(ImportKind.FLOATING, Permission.EXCEPTIONS, FLOATING, "流动团员汇总表", "staying"),
    Desk(ImportKind.LIAISONS, Permission.QUALITY, LIAISONS, "学社衔接负责人", "liaisons"),
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
                batch = batches.upload(desk.kind, data, current_seat(), name)
        except FileError as error:
            with unit_of_work():
                batches.refused(desk.kind, current_seat().org_id, name, len(data), error)
            form.file.errors = [str(error)]
        else:
            return redirect(desk.url("batch", batch), 303)
    page = render_template(
        "imports/upload.html",
        desk=desk,
        form=form,
        organisation=own_organisation(),
        recent=batches.recent(desk.kind, current_seat()),
    )
    return make_response(page, 422 if form.errors else 200)


def _owned(desk: Desk, batch_id: int) -> ImportBatch:
    """The upload that the page is about; what changes something must name its content too."""
    batch = batches.owned(batch_id, desk.kind, current_seat())
    named = request.args.get("file")
    return batch if named is None and request.method == "GET" else batches.same(batch, named or "")


@of_each_kind("/template.xlsx", "template")
def _template(desk: Desk) -> Response:
    """An empty file to fill in."""
    data = floating_members.template() if desk.kind is ImportKind.FLOATING else spreadsheets.template(desk.layout)
    return _xlsx(data, f"{desk.layout.title}模板.xlsx")


@of_each_kind("/<int:batch_id>", "batch")
def _batch(desk: Desk, batch_id: int) -> AnyResponse | str:
    """How far a job is; what importing would do, row by row; afterwards what it did."""
    batch = _owned(desk, batch_id)
    if is_htmx():
        here = desk.url("batch", batch)
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
        questions=_questions(batch, plan),
        shown=SHOWN,
        may_undo=undo.may_undo(batch),
        organisation=own_organisation(),
    )


@of_each_kind("/<int:batch_id>/problems.xlsx", "problems")
def _problems(desk: Desk, batch_id: int) -> Response:
    """All errors and warnings as xlsx."""
    plan = batches.plan_of(_owned(desk, batch_id))
    return _xlsx(spreadsheets.problem_list(plan.errors, plan.warnings), f"{desk.layout.title}问题清单.xlsx")


@dataclass(frozen=True, slots=True)
class OpenMeanings:
    """What nobody but the owner of a file can say: which column a heading means, which value a word.

    Args:
        headings: not read, in the order of the file.
        columns: that the file does not have yet.
        words: column, words, how often, and the values that they may mean.
    """

    headings: list[str]
    columns: list[str]
    words: list[tuple[str, str, int, tuple[str, ...]]]

    def __bool__(self) -> bool:
        return bool((self.headings and self.columns) or self.words)


def _questions(batch: ImportBatch, plan: Plan) -> OpenMeanings:
    layout = batches.layout_of(batch.kind, own_organisation())
    choices = {column.name: column.choices for column in layout.columns}
    words = [
        (
            column,
            text,
            rows,
            tuple(value for value in choices[column] if value in possible(column, text)) or choices[column],
        )
        for column, text, rows in plan.asked
    ]
    answered = meanings.of(batch.org_id, batch.kind).headings
    headings = [words for words in plan.unknown if words not in answered and words not in COUNTING]
    return OpenMeanings(headings, [name for name in choices if name not in plan.columns], words)


@of_each_kind("/<int:batch_id>/meanings", "meanings", ["POST"])
def _meanings(desk: Desk, batch_id: int) -> AnyResponse:
    """What headings and words mean; what is left open stays open."""
    chosen = request.form
    headings = {
        words.removeprefix(HEADING): "" if name == NOT_READ else name
        for words, name in chosen.items()
        if words.startswith(HEADING) and name
    }
    values = {
        (column, words): value
        for name, value in chosen.items()
        if name.startswith(VALUE) and value
        for column, _, words in [name.removeprefix(VALUE).partition(":")]
    }
    with unit_of_work():
        batch = _owned(desk, batch_id)
        batches.clarify(batch, headings, values)
    flash("已按选择重新核对；本组织以后导入同样的文件不再询问。", "success")
    return redirect(desk.url("batch", batch), 303)


@routes.desk.post("/imports/members/<int:batch_id>/file-checked", endpoint="import_members_file_checked")
@requires(Permission.MEMBER_IMPORT)
def _file_checked(batch_id: int) -> AnyResponse:
    """For these rows the file was checked; what is not ticked is not imported (PD-61)."""
    rows = [number for text in request.form.getlist("row") if (number := number_in(text)) is not None]
    with unit_of_work():
        batch = _owned(DESKS[0], batch_id)
        batches.file_checked(batch, rows)
    flash("已记下，名单已重新核对。" if rows else "没有勾选任何一行。", "success" if rows else "warning")
    return redirect(DESKS[0].url("batch", batch), 303)


@of_each_kind("/<int:batch_id>/marked.xlsx", "marked")
def _marked(desk: Desk, batch_id: int) -> Response:
    """The rows with what is wrong in a column of its own."""
    return _xlsx(batches.marked(_owned(desk, batch_id)), f"{desk.layout.title}（标出问题）.xlsx")


@of_each_kind("/<int:batch_id>/apply", "apply", ["POST"])
def _apply(desk: Desk, batch_id: int) -> AnyResponse:
    """Import the rows without errors, or have a job do it."""
    expected = request.form.get("accepted", "")
    if not expected.isdecimal():
        raise DomainError("提交的内容不完整。", fix="请返回上一页，刷新后再试。")
    with unit_of_work():
        batch = _owned(desk, batch_id)
        if batches.is_long(batch):
            batches.start(batch, expected=int(expected))
            return redirect(desk.url("batch", batch), 303)
        done = batches.apply(batch, expected=int(expected))
        skipped = batches.plan_of(batch).bad_rows
    flash(f"已导入 {done:,} 条" + (f"，跳过 {skipped:,} 条。" if skipped else "。"), "success")
    return redirect(desk.url("batch", batch), 303)


@of_each_kind("/<int:batch_id>/discard", "discard", ["POST"])
def _discard(desk: Desk, batch_id: int) -> AnyResponse:
    """Throw the upload away; nothing was imported."""
    with unit_of_work():
        batches.discard(_owned(desk, batch_id))
    flash("已放弃，没有导入任何内容。", "info")
    return redirect(desk.url(), 303)


@of_each_kind("/<int:batch_id>/again", "again", ["POST"])
def _again(desk: Desk, batch_id: int) -> AnyResponse:
    """Go on where a job stopped."""
    with unit_of_work():
        batch = _owned(desk, batch_id)
        batches.again(batch)
    return redirect(desk.url("batch", batch), 303)


@of_each_kind("/<int:batch_id>/undo", "undo", ["GET", "POST"])
def _undo(desk: Desk, batch_id: int) -> AnyResponse | str:
    """Take an import back: first who stands in the way, then it is done."""
    batch = _owned(desk, batch_id)
    if request.method == "GET":
        if not undo.may_undo(batch):
            return redirect(desk.url("batch", batch), 303)
        found, count = undo.blockers(batch)
        plan = batches.plan_of(batch)
        return render_template("imports/undo.html", desk=desk, batch=batch, plan=plan, found=found, count=count)
    with unit_of_work():
        done = batches.start_undo(batch)
    if done:
        flash("导入已撤销，可以改正后重新导入。", "success")
    return redirect(desk.url("batch", batch), 303)


def _xlsx(data: bytes, name: str) -> Response:
    return send_file(BytesIO(data), spreadsheets.XLSX, as_attachment=True, download_name=name)
