"""申诉处理: objections to refusals made below, and refusals that hide a forbidden ground (PD-17, A-16)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import Permission
from zhtj.orgs.models import Organisation
from zhtj.transfers import queries
from zhtj.transfers.deciding import objections
from zhtj.transfers.models import Application, ApplicationEvent, Objection, RefusalFlag
from zhtj.transfers.workflow import State
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, page_links

VERDICTS = {"sustain": True, "dismiss": False}


@dataclass(frozen=True, slots=True)
class Trouble:
    """An objection or a flag with what it is about.

    Args:
        refusal: the step by which it was refused.
        refuser: who refused; to be rung up.
    """

    application: Application
    refusal: ApplicationEvent | None
    objection: Objection | None = None
    flag: RefusalFlag | None = None

    @property
    def refuser(self) -> Organisation:
        """The side that said no."""
        if self.refusal is not None and self.refusal.from_state is State.AWAITING_RELEASE:
            return self.application.from_org
        return self.application.to_org


@dataclass(frozen=True, slots=True)
class FailedAnswer:
    """A form that came back: of which application, what was typed, what is wrong."""

    number: int
    verdict: str
    typed: str
    error: DomainError


@routes.desk.get("/objections", endpoint="objections")
@requires(Permission.OBJECTIONS)
def all_objections() -> str:
    """Open objections and flags, oldest first; or what has been decided, newest first."""
    seat, done = current_seat(), request.args.get("done") == "1"
    if request.args.get("what") == "flags":
        flags = objections.flags(seat, seen=done).page(**cursors())
        links = page_links(flags, ".objections", what="flags", done="1" if done else "")
        return _page([_flagged(one) for one in flags.rows], "flags", done=done, links=links)
    found = objections.objections(seat, decided=done).page(**cursors())
    links = page_links(found, ".objections", done="1" if done else "")
    return _page([_objected(one) for one in found.rows], "objections", done=done, links=links)


def _objected(one: Objection) -> Trouble:
    return Trouble(one.application, objections.refusal(one.application), objection=one)


def _flagged(one: RefusalFlag) -> Trouble:
    return Trouble(one.application, objections.refusal(one.application), flag=one)


def _page(rows: list[Trouble], what: str, *, failed: FailedAnswer | None = None, **more: Any) -> str:
    seat = current_seat()
    waiting = {"objections": objections.objections(seat).count(), "flags": objections.flags(seat).count()}
    shown = {"done": False, "links": {}, **more}
    return render_template(
        "desks/watching/objections.html", rows=rows, what=what, failed=failed, waiting=waiting, **shown
    )


@routes.desk.post("/applications/<int:application_id>/objection", endpoint="answer_objection")
@requires(Permission.OBJECTIONS)
def answer(application_id: int) -> AnyResponse:
    """Sustain or dismiss the objection to an application, with a written answer (PD-17)."""
    seat = current_seat()
    found = objections.of_application(queries.application(seat, application_id).id)
    verdict, remark = request.form.get("verdict", ""), request.form.get("remark", "").strip()
    if found is None or verdict not in VERDICTS:
        raise NotFound
    try:
        with unit_of_work():
            started = objections.answer(found, seat, sustained=VERDICTS[verdict], remark=remark)
            new = started.id if started is not None else None
    except DomainError as error:
        session.expire_all()
        found = objections.of_application(application_id)
        return _failed(
            FailedAnswer(application_id, verdict, remark, error), [_objected(found)] if found else [], "objections"
        )
    if not VERDICTS[verdict]:
        flash("已答复：不支持申诉。申请人会看到处理意见。", "success")
    elif new is not None:
        flash("已答复：支持申诉。申请已重新交给对方办理，期限重新计算。", "success")
    else:
        flash("已答复：支持申诉。本人已有正在办理的申请或已经转走，没有另起一份。", "success")
    return redirect(url_for(".application", application_id=new) if new else url_for(".objections"), 303)


@routes.desk.post("/applications/<int:application_id>/flag")
@requires(Permission.OBJECTIONS)
def see_flag(application_id: int) -> AnyResponse:
    """Note what was done about a flagged refusal (A-16)."""
    note = request.form.get("note", "").strip()
    try:
        with unit_of_work():
            objections.see_flag(application_id, current_seat(), note)
    except NotFound:
        raise
    except DomainError as error:
        session.expire_all()
        flag = session.get(RefusalFlag, application_id)
        return _failed(FailedAnswer(application_id, "flag", note, error), [_flagged(flag)] if flag else [], "flags")
    flash("已记下处理情况。", "success")
    return redirect(url_for(".objections", what="flags"), 303)


def _failed(failed: FailedAnswer, rows: list[Trouble], what: str) -> Response:
    """The one whose form came back, with what was typed; the others wait on the list."""
    return make_response(_page(rows, what, failed=failed), failed.error.status)
