"""Start applications for many, and watch what is done to many: preview, progress, a result a line (PD-23)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, send_file, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from werkzeug.wrappers import Response as AnyResponse

from zhtj.imports import spreadsheets
from zhtj.imports.files import finding, workbooks
from zhtj.imports.files.problems import FileError
from zhtj.imports.files.tables import ImportTable, Layout
from zhtj.imports.graduates import starts
from zhtj.kernel import limits
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.orgs import queries as orgs
from zhtj.orgs.policies import policy_of
from zhtj.people import identity
from zhtj.people.finding import members as people
from zhtj.people.finding.members import MemberFilters
from zhtj.policy.vocabulary import PlaceTie
from zhtj.transfers.many import mass_starts, runs
from zhtj.transfers.many.mass_starts import Seen
from zhtj.transfers.many.models import BulkRun, RunKind, RunState
from zhtj.transfers.many.results import Result
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import number_in, own_organisation
from zhtj.web.desks.people.members import member_filters
from zhtj.web.htmx import hx_redirect, is_htmx

SHOWN = 500
"""Lines on the page; the file has them all."""
BATCHES_AN_HOUR = 20
COMMON = ("reason", "to", "place", "unit_name", "unit_address", "remark", "confirmed")
PERMISSION = {RunKind.TRANSFER_OUT: Permission.TRANSFER_OUT, RunKind.TRANSFER_IN: Permission.TRANSFER_IN}
FILE = "file"
"""Among the options: what is said of the file the lines came from."""
HEADINGS = ("行", "姓名", "原组织", "转入组织", "结果", "说明", "怎么办")


class ListForm(FlaskForm):
    """The list."""

    file = FileField("名单", [FileRequired("请选择名单文件。")], description="xlsx、xls 或 csv，一次最多 5,000 人。")


def _layout(kind: RunKind) -> Layout:
    return starts.IN if kind is RunKind.TRANSFER_IN else starts.out_layout()


def _upload_page(kind: RunKind) -> AnyResponse:
    """The form; a file that can be read is kept, and its preview opened."""
    if kind is RunKind.TRANSFER_IN:
        _only_schools(current_seat())
    form = ListForm()
    if form.validate_on_submit():
        upload = form.file.data
        layout = _layout(kind)
        try:
            table = finding.find(workbooks.read(upload.read(), upload.filename or ""), layout)
            contents = starts.read(table, layout)
        except FileError as error:
            form.file.errors = [str(error)]
        else:
            run_id = _keep(kind, contents, upload.filename or "", _told(table))
            return redirect(url_for(".run", run_id=run_id), 303)
    page = render_template(
        "desks/many/run_upload.html", kind=kind, form=form, layout=_layout(kind), recent=_recent(kind)
    )
    return make_response(page, 422 if form.errors else 200)


def _only_schools(seat: ActiveSeat) -> None:
    """Raise Forbidden: many are looked up by name and number only where students are admitted (PD-37)."""
    if not mass_starts.may_admit(seat, own_organisation()):
        raise Forbidden("批量办理转入用于学校接收新生，请逐人办理转入。")


def _told(table: ImportTable) -> dict[str, Any]:
    """What the preview says of the file: what was read of it and what was not."""
    told = {name: value for name, value in table.about().items() if name in {"sheets", "columns", "unknown", "skipped"}}
    return {**told, "remarks": [f"{one.column}：{one.cause}{one.fix}" for one in table.remarks()]}


def _keep(kind: RunKind, contents: list[dict[str, Any]], title: str, file: dict[str, Any] | None = None) -> int:
    seat = current_seat()
    if kind is RunKind.TRANSFER_IN:
        # The batch is exempt from the limit on single look-ups; the batches themselves are not unlimited.
        limits.hit("lookup_batch", str(seat.account_id), BATCHES_AN_HOUR, 3600)
    with unit_of_work():
        options = {**_first(kind), FILE: file}
        run = runs.keep(kind, seat, contents, key=secrets.token_hex(16), title=title[-120:], options=options)
        if kind is RunKind.TRANSFER_IN:
            mass_starts.record_look_ups(contents)
        return run.id


def _first(kind: RunKind) -> dict[str, Any]:
    """What is filled in beforehand."""
    if kind is not RunKind.TRANSFER_IN:
        return {}
    return {"reason": "further_study", "unit_name": own_organisation().full_name, "to": own_organisation().code}


def _recent(kind: RunKind) -> list[BulkRun]:
    return [run for run in runs.recent(current_seat()) if run.kind is kind]


@routes.desk.route("/transfer-out/many", methods=["GET", "POST"])
@requires(Permission.TRANSFER_OUT)
def transfer_out_many() -> AnyResponse:
    """办理转出 for many from a file."""
    return _upload_page(RunKind.TRANSFER_OUT)


@routes.desk.route("/transfer-in/many", methods=["GET", "POST"])
@requires(Permission.TRANSFER_IN)
def transfer_in_many() -> AnyResponse:
    """办理转入 for many from a freshman list."""
    return _upload_page(RunKind.TRANSFER_IN)


@routes.desk.get("/transfer-out/many/template.xlsx")
@requires(Permission.TRANSFER_OUT)
def transfer_out_template() -> Response:
    """An empty file to fill in."""
    return _template(RunKind.TRANSFER_OUT)


@routes.desk.get("/transfer-in/many/template.xlsx")
@requires(Permission.TRANSFER_IN)
def transfer_in_template() -> Response:
    """An empty file to fill in."""
    return _template(RunKind.TRANSFER_IN)


def _template(kind: RunKind) -> Response:
    layout = _layout(kind)
    return _xlsx(spreadsheets.template(layout), f"{layout.title}模板.xlsx")


@routes.desk.post("/transfer-out/picked")
@requires(Permission.TRANSFER_OUT)
def transfer_out_picked() -> AnyResponse:
    """办理转出 for the members ticked in the list, or for all that its filters show."""
    seat = current_seat()
    ids = [number for text in request.form.getlist("member") if (number := number_in(text)) is not None]
    everybody = bool(request.form.get("all"))
    filters = member_filters(request.form) if everybody else MemberFilters()
    found = people.picked(seat, filters, ids=None if everybody else ids, most=mass_starts.AT_MOST + 1)
    if not found:
        flash("请先勾选要办理转出的团员。", "warning")
        return redirect(url_for(".members"), 303)
    if len(found) > mass_starts.AT_MOST:
        raise DomainError(f"一次最多办理 {mass_starts.AT_MOST:,} 人。", fix="请先用筛选缩小范围，分几次办理。")
    contents = [{"member": number, "name": name, "from": branch} for number, name, branch in found]
    title = f"选中的 {len(found):,} 名团员"
    return redirect(url_for(".run", run_id=_keep(RunKind.TRANSFER_OUT, contents, title)), 303)


@routes.desk.get("/runs/<int:run_id>")
@requires(Permission.TRANSFER_DECIDE)
def run(run_id: int) -> AnyResponse | str:
    """Preview, progress or result, whichever it has come to."""
    found = runs.owned(run_id, current_seat())
    if found.state is RunState.PREVIEWED:
        return _preview(found, found.choices)
    finished = found.state is RunState.DONE
    if is_htmx():
        here = url_for(".run", run_id=run_id)
        return hx_redirect(here) if finished else render_template("desks/many/run_progress.html", run=found)
    lines = [(content, result) for _, content, result in runs.results(found)] if finished else []
    lines.sort(key=lambda line: line[1] is not None and line[1].ok)
    return render_template("desks/many/run.html", run=found, lines=lines[:SHOWN], rest=max(len(lines) - SHOWN, 0))


def _examine(found: BulkRun, options: dict[str, Any]) -> list[tuple[int, Seen]]:
    examine = mass_starts.examine_in if found.kind is RunKind.TRANSFER_IN else mass_starts.examine_out
    positions, contents = zip(*runs.lines(found), strict=True)
    return list(zip(positions, examine(current_seat(), contents, options), strict=True))


def _preview(found: BulkRun, options: dict[str, Any], error: DomainError | None = None) -> AnyResponse:
    lines = [seen for _, seen in _examine(found, options)]
    unconfirmed = sum(bool(seen.warning) and seen.error is not None for seen in lines)
    shown = sorted(lines, key=lambda seen: (seen.error is None, not seen.warning))
    organisation = own_organisation()
    policy = policy_of(organisation)
    incoming = found.kind is RunKind.TRANSFER_IN
    page = render_template(
        "desks/many/run_preview.html",
        run=found,
        options=options,
        incoming=incoming,
        lines=shown[:SHOWN],
        rest=max(len(shown) - SHOWN, 0),
        ready=sum(seen.error is None for seen in lines),
        warned=sum(bool(seen.warning) for seen in lines),
        unconfirmed=unconfirmed,
        bad=sum(seen.error is not None for seen in lines),
        reasons=[
            (key.value, spec.label or policy.special_unit_label)
            for key, spec in policy.reasons.items()
            if ("new_side" if incoming else "old_side") in spec.initiators
        ],
        places=[("", "不适用"), *((place.value, place.label) for place in PlaceTie)],
        targets=orgs.transfer_targets(organisation) if incoming else None,
        error=error,
    )
    return make_response(page, 422 if error else 200)


def _options(found: BulkRun) -> dict[str, Any]:
    said = {name: request.form.get(name, "").strip()[:300] for name in COMMON}
    return {**said, "confirmed": bool(said["confirmed"]), FILE: found.choices.get(FILE)}


@routes.desk.post("/runs/<int:run_id>/options")
@requires(Permission.TRANSFER_DECIDE)
def run_choose(run_id: int) -> AnyResponse:
    """Keep what holds for all lines, and show what would come of it."""
    with unit_of_work():
        found = runs.owned(run_id, current_seat())
        runs.choose(found, _options(found))
    return redirect(url_for(".run", run_id=run_id), 303)


@routes.desk.post("/runs/<int:run_id>/confirm")
@requires(Permission.TRANSFER_DECIDE)
def run_confirm(run_id: int) -> AnyResponse:
    """Start what can be started."""
    seat = current_seat()
    found = runs.owned(run_id, seat)
    if found.state is RunState.PREVIEWED:
        options = _options(found)
        refused = {position: seen.error for position, seen in _examine(found, options) if seen.error is not None}
        if len(refused) == found.total:
            nothing = DomainError("没有可以发起的。", fix="请按下面每一行的说明补全或改正。")
            return _preview(found, options, nothing)
        with unit_of_work():
            found = runs.owned(run_id, seat)
            runs.choose(found, options)
            at_once = runs.confirm(found, refused)
        if at_once:
            runs.work_off(run_id)
    return redirect(url_for(".run", run_id=run_id), 303)


@routes.desk.post("/runs/<int:run_id>/discard")
@requires(Permission.TRANSFER_DECIDE)
def run_discard(run_id: int) -> AnyResponse:
    """Throw away what was only looked at."""
    with unit_of_work():
        found = runs.owned(run_id, current_seat())
        kind = found.kind
        runs.discard(found)
    flash("已放弃，没有发起任何申请。", "info")
    back = {RunKind.TRANSFER_OUT: ".transfer_out_many", RunKind.TRANSFER_IN: ".transfer_in_many"}
    return redirect(url_for(back.get(kind, ".waiting")), 303)


@routes.desk.get("/runs/<int:run_id>/result.xlsx")
@requires(Permission.TRANSFER_DECIDE)
def run_result(run_id: int) -> Response:
    """Every line with its result, as xlsx."""
    found = runs.owned(run_id, current_seat())
    target = BytesIO()
    spreadsheets.write_xlsx(target, "办理结果", HEADINGS, (_cells(*line) for line in runs.results(found)))
    return _xlsx(target.getvalue(), f"{found.kind.label}结果.xlsx")


def _cells(position: int, content: dict[str, Any], result: Result | None) -> Sequence[str]:
    if result is None:
        outcome, said, fix = "尚未办理", "", ""
    else:
        outcome, said, fix = "成功" if result.ok else "未办理", result.text, result.fix
    row = str(content.get("row", position))
    return (row, content.get("name", ""), content.get("from", ""), content.get("to", ""), outcome, said, fix)


def _xlsx(data: bytes, name: str) -> Response:
    return send_file(BytesIO(data), spreadsheets.XLSX, as_attachment=True, download_name=name)


def masked(content: dict[str, Any]) -> str:
    """The ID number of a line as it is shown."""
    return identity.masked(content.get("id_number", "")) if content.get("id_number") else ""
