"""编号异议: the branch of a number's holder sees who claims it, and says whose it is (PD-61)."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases import hearings, subjects
from zhtj.cases.models import Hearing
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.web import routes
from zhtj.web.access import current_seat, requires

_ANSWERS = {"yes": True, "no": False}


@routes.desk.get("/cases/hearings/<int:hearing_id>", endpoint="case_hearing")
@requires(Permission.CASES)
def hearing(hearing_id: int) -> str:
    """What is claimed, and what was answered."""
    return _page(hearings.hearing(current_seat(), hearing_id))


@routes.desk.post("/cases/hearings/<int:hearing_id>", endpoint="case_hearing_answer")
@requires(Permission.CASES)
def answer(hearing_id: int) -> AnyResponse:
    """Say whose the number is."""
    seat = current_seat()
    found = hearings.hearing(seat, hearing_id)
    try:
        with unit_of_work():
            chosen = _ANSWERS.get(request.form.get("is_holders", ""))
            hearings.answer(found, seat, is_holders=chosen, remark=request.form.get("remark", ""))
    except DomainError as error:
        session.expire_all()
        return make_response(_page(hearings.hearing(seat, hearing_id), error), error.status)
    flash("已答复，办理这件事的组织会看到。", "success")
    return redirect(url_for(".case_hearing", hearing_id=hearing_id), 303)


def _page(found: Hearing, error: DomainError | None = None) -> str:
    return render_template(
        "cases/hearing.html",
        hearing=found,
        matter=subjects.matter(found.case),
        ends=hearings.ends(found),
        may_answer=hearings.may_answer(found, current_seat()),
        typed=request.form,
        error=error,
        longest=hearings.AT_MOST,
    )
