"""导出: any list as it is filtered, at once or by a job; and what one has asked for (PD-37, PD-38).

The address of an export carries the arguments of the list's own address, so that the list's own reader reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import (
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from zhtj.config import Config
from zhtj.exports import operations, storage
from zhtj.exports.lists import Nothing
from zhtj.exports.people import ChildFilters, TextFilter
from zhtj.exports.statistics import StatisticsFilters
from zhtj.exports.transfers import ObjectionFilters, TimerFilters, WaitFilters
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import Conflict, Gone, NotFound
from zhtj.kernel.permissions import Permission
from zhtj.kernel.work.tasks import TaskState
from zhtj.transfers.applying.waits import Side
from zhtj.transfers.watching.timers import TimerKind
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks import editions
from zhtj.web.desks.cases import cases
from zhtj.web.desks.exporting import answer
from zhtj.web.desks.floating import floating
from zhtj.web.desks.graduation import graduates, marking, registration
from zhtj.web.desks.identity import files
from zhtj.web.desks.letters import issuing as letters
from zhtj.web.desks.loading import number_in
from zhtj.web.desks.many import bulk
from zhtj.web.desks.people import members
from zhtj.web.desks.rates import asked as rates
from zhtj.web.desks.rates import offered
from zhtj.web.desks.transfers import arrivals, decisions
from zhtj.web.desks.watching import exceptions_register, quality
from zhtj.web.htmx import hx_redirect, is_htmx


def _text() -> str:
    return request.args.get("q", "").strip()


def _done() -> ObjectionFilters:
    return ObjectionFilters(request.args.get("done") == "1")


def _timers() -> TimerFilters:
    said = request.args.get("kind", "")
    return TimerFilters(TimerKind(said) if said in set(TimerKind) else None)


def _children() -> ChildFilters:
    """Of the organisation that the address names, else of the seat's own."""
    return ChildFilters(number_in(request.args.get("number", "")) or current_seat().org_id, _text())


def _statistics() -> StatisticsFilters:
    asked = rates.read(request.args)
    return StatisticsFilters(asked.organisation.id, asked.season)


# How each list reads its own address.
READERS: dict[str, Callable[[], Any]] = {
    "members": lambda: members.member_filters(request.args),
    "leftovers": lambda: TextFilter(_text()),
    "organisations": _children,
    "marking": lambda: marking.read_filters(request.args),
    "emptied": Nothing,
    "graduates": lambda: graduates.read_filters(request.args),
    "files": lambda: files.read_filters(request.args),
    "record": lambda: graduates.read_filters(request.args),
    "destinations": lambda: registration.read_filters(request.args),
    "exceptions": lambda: exceptions_register.read_filters(request.args),
    "quality": quality.read_cut,
    "applications": lambda: bulk.read_filters(request.args),
    "waiting": decisions.read_waiting,
    "arrivals": arrivals.read_filters,
    "floating": lambda: floating.read_filters(request.args),
    "timers": _timers,
    "waits": lambda: WaitFilters(Side.OWN if request.args.get("side") == Side.OWN else Side.COMING),
    "objections": _done,
    "flags": _done,
    "letters": lambda: letters.read_filters(request.args),
    "cases": lambda: cases.read_filters(request.args),
    "special-units": Nothing,
    **offered.READERS,
    "statistics": _statistics,
    "dry-run": editions.read_filters,
}


@routes.desk.post("/exports/list/<key>")
@requires(Permission.WORKBENCH)
def export_list(key: str) -> AnyResponse:
    """A list as its address filters it."""
    if key not in READERS:
        raise NotFound("没有这份名单。")
    operations.list_of(key, current_seat())
    return answer(key, READERS[key]())


@routes.desk.get("/exports")
@requires(Permission.WORKBENCH)
def exports() -> str:
    """What one has asked for in this seat, newest first."""
    return render_template("exports/list.html", rows=operations.mine(current_seat()), kept_for=operations.KEPT_FOR)


@routes.desk.get("/exports/<int:export_id>")
@requires(Permission.WORKBENCH)
def export(export_id: int) -> AnyResponse | str:
    """How far one is: the progress bar asks here until there is something to fetch."""
    found = operations.owned(export_id, current_seat())
    if found.state.is_open and is_htmx():
        return render_template("exports/_progress.html", export=found)
    return hx_redirect(url_for(".exports"))


@routes.desk.post("/exports/<int:export_id>/file")
@requires(Permission.WORKBENCH)
def export_file(export_id: int) -> Response:
    """The file, as long as it is kept; fetching it is noted."""
    found = operations.owned(export_id, current_seat())
    if found.state is not TaskState.DONE:
        raise Conflict("文件还没有生成。", fix="请在“我的导出”里查看进度。")
    if found.is_expired or found.stored is None:
        raise _gone()
    conf: Config = current_app.config["ZHTJ"]
    try:
        pieces = storage.read(conf.instance, found.stored)
    except FileNotFoundError as error:
        raise _gone() from error
    name, size, media_type = found.filename, found.size, found.file_format.media_type
    with unit_of_work():
        operations.fetched(found)
    response = make_response(Response(pieces, mimetype=media_type))
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.content_length = size or 0
    return response


def _gone() -> Gone:
    return Gone("文件已经过期删除。", fix="导出的文件只保留一天，请在“我的导出”里重新生成。")


@routes.desk.post("/exports/<int:export_id>/cancel")
@requires(Permission.WORKBENCH)
def export_cancel(export_id: int) -> AnyResponse:
    """Stop one that is not ready yet."""
    with unit_of_work():
        operations.cancel(operations.owned(export_id, current_seat()))
    flash("已取消导出。", "info")
    return redirect(url_for(".exports"), 303)


@routes.desk.post("/exports/<int:export_id>/again")
@requires(Permission.WORKBENCH)
def export_again(export_id: int) -> AnyResponse:
    """Ask again for one that failed, was cancelled or has expired."""
    seat = current_seat()
    with unit_of_work():
        operations.again(operations.owned(export_id, seat), seat)
    flash("已重新开始生成。", "info")
    return redirect(url_for(".exports"), 303)
