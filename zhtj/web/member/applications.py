"""One application of mine with its whole life; take it back, start it again."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock, dates
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.letters import queries as letters
from zhtj.letters.models import Letter, LetterState
from zhtj.orgs.policies import policy_of
from zhtj.transfers import operations, queries
from zhtj.transfers.applying import checks, drafts
from zhtj.transfers.deciding import objections
from zhtj.transfers.models import Application
from zhtj.transfers.queries import open_application
from zhtj.transfers.workflow import Action, State
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.forms.transfer import REMARK_AT_MOST, tidy
from zhtj.web.member import outside
from zhtj.web.member.applying.answers import DraftAnswers
from zhtj.web.member.contacts import contact, own_line
from zhtj.web.member.loading import may_leave, own
from zhtj.web.rendering import application_progress


@routes.member.get("/applications/<int:application_id>")
@requires(Permission.OWN_MEMBERSHIP)
def application(application_id: int) -> str:
    """One application about me; somebody else's does not exist for me."""
    seat, _ = own()
    return page(seat, queries.application(seat, application_id))


def page(
    seat: ActiveSeat, found: Application, error: DomainError | None = None, undone: str = "没有撤销", typed: str = ""
) -> str:
    """The page of one application, with what just went wrong, and what was typed meanwhile."""
    allowed = set() if application_progress.is_overdue(found) else set(queries.possible_actions(seat, found))
    objection = objections.of_application(found.id)
    return render_template(
        "member/application.html",
        application=found,
        error=error,
        undone=undone,
        typed=typed,
        steps=application_progress.steps(found),
        overdue=application_progress.is_overdue(found),
        history=application_progress.history(found),
        event=application_progress.last_event(found),
        over=application_progress.failed(found),
        by_himself=application_progress.by_himself(found),
        ground=application_progress.ground_label(application_progress.last_event(found)),
        reason=application_progress.reason_label(policy_of(found.from_org), found),
        office=outside.asked(found),
        line=own_line(found.from_org),
        may_withdraw=Action.WITHDRAW in allowed,
        may_amend=Action.AMEND in allowed and policy_of(found.from_org).amend_before_acceptance,
        may_redirect=Action.WITHDRAW in allowed and open_application(found.member_id) is not None,
        may_repeat=may_repeat(found),
        may_object=objections.may_object(seat, found),
        objection=objection,
        decider=contact(objection.org) if objection else None,
        ended=outside.ending_of(found),
        plea=plea(found),
        followed_by=application_progress.followed_by(found),
        letter=valid_letter(found),
        abroad=outside.abroad(found) if found.state is State.AWAITING_EXTERNAL else None,
    )


def plea(found: Application) -> str:
    """What a member can send to his own teachers, by what was said and by whom (A-23)."""
    ended = outside.ending_of(found)
    event = application_progress.last_event(found)
    if ended is None or event is None or not ended.guidance.plea:
        return ""
    who, number = ended.who.short_name, contact(ended.who).phone
    said = f"{who}没有同意" if found.state is State.REFUSED else f"{who}没有在期限内办理，系统退回了"
    ground = application_progress.ground_label(event)
    why = f"，理由是“{ground}”" if ground else ""
    reach = f"{who}的电话：{number}。" if number and not ended.guidance.at_own_school else ""
    return (
        f"老师您好！我是{found.from_name}的{found.member.name}。{dates.short(clock.local(found.submitted_at))}我申请把"
        f"团组织关系转到{found.to_name}，{said}{why}。{ended.guidance.plea}{reach}"
        f"我的电话：{found.contact_mobile or found.member.account.mobile}。"
    )


def valid_letter(found: Application) -> Letter | None:
    """The letter to take along, unless it was voided."""
    newest = letters.of_application(found.id)
    return newest if newest is not None and newest.state is LetterState.ISSUED else None


def letter_id(found: Application) -> int | None:
    """Its id alone, for the home page."""
    return session.scalar(
        select(Letter.id).where(Letter.application_id == found.id, Letter.state == LetterState.ISSUED)
    )


def may_repeat(found: Application) -> bool:
    """Whether it ended without success and nothing else is under way (A-23)."""
    return application_progress.failed(found) and may_leave(found.member) and open_application(found.member_id) is None


@routes.member.post("/applications/<int:application_id>/withdraw")
@requires(Permission.OWN_MEMBERSHIP)
def withdraw(application_id: int) -> AnyResponse:
    """Take it back, with a remark if one likes (A-18, A-21)."""
    seat, _ = own()
    found = queries.application(seat, application_id)
    remark = tidy(request.form.get("remark"))[:REMARK_AT_MOST]
    try:
        with unit_of_work():
            session.refresh(found)
            operations.withdraw(found, seat, remark=remark)
    except DomainError as error:
        session.expire_all()
        return make_response(page(seat, queries.application(seat, application_id), error, typed=remark), error.status)
    flash("申请已撤销。", "success")
    return redirect(url_for(".application", application_id=application_id), 303)


@routes.member.post("/applications/<int:application_id>/again")
@requires(Permission.OWN_MEMBERSHIP)
def again(application_id: int) -> AnyResponse:
    """Start an ended application again with everything filled in; one corrects and sends it on the last page (A-23)."""
    seat, member = own()
    found = queries.application(seat, application_id)
    if not may_repeat(found):
        if found.state.is_open or found.state is State.COMPLETED:
            raise NotFound
        flash(f"{checks.OPEN_BUSINESS}请先办完或撤销正在办理的申请。", "warning")
        return redirect(url_for(".home"), 303)
    with unit_of_work():
        drafts.save(member, DraftAnswers.again(found).kept())
    return redirect(url_for(".transfer_new", step="check"), 303)
