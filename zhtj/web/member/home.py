"""The first page, the history and the own data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import render_template

from zhtj.cases.kinds import kind_of
from zhtj.cases.queries import pending
from zhtj.floating import queries as floating
from zhtj.graduation.models import GraduateCategory, RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.permissions import Permission
from zhtj.orgs.models import Purpose
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Member
from zhtj.policy import phases
from zhtj.policy.model import Policy
from zhtj.transfers import kinds, queries
from zhtj.transfers.applying import waits
from zhtj.transfers.deciding import objections
from zhtj.transfers.models import Application, Arrival
from zhtj.transfers.workflow import Action, State
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.member import outside, past
from zhtj.web.member.applications import letter_id, plea
from zhtj.web.member.applying.answers import Filling, WizardStep
from zhtj.web.member.contacts import contact, own_line
from zhtj.web.member.loading import may_leave, own
from zhtj.web.rendering import application_progress

NEWS_FOR = timedelta(days=60)
"""How long an ended application stays the first thing on the page."""


@routes.member.get("/more")
@requires(Permission.OWN_MEMBERSHIP)
def more() -> str:
    """Everything the menu leads to, entry by entry."""
    return render_template("more.html")


@routes.member.get("/")
@requires(Permission.OWN_MEMBERSHIP)
def home() -> str:
    """Where my relationship is, at which step my application, who must act by when, what I can do next."""
    seat = current_seat()
    latest = queries.latest(seat.member_id or 0)
    if latest is not None and latest.state.is_open:
        allowed = queries.possible_actions(seat, latest)
        return render_template(
            "member/home/open.html",
            application=latest,
            steps=application_progress.steps(latest),
            overdue=application_progress.is_overdue(latest),
            office=contact(latest.holder or latest.to_org),
            letter=letter_id(latest),
            abroad=outside.abroad(latest),
            may_withdraw=Action.WITHDRAW in allowed,
            may_change=Action.AMEND in allowed and not application_progress.is_overdue(latest),
            draft=queries.draft(latest.member_id),
            phase=phases.line(policy_of(latest.from_org)),
        )
    _, member = own()
    return _idle(member, latest) if may_leave(member) else outside.home(member, latest)


def _idle(member: Member, latest: Application | None) -> str:
    """The page of somebody who has no application under way: his case, his draft, what ended, where he stays."""
    filling = Filling(member)
    case, stay = pending(member.id), floating.open_stay(member.id) if _is_kept(member) else None
    season = _season(filling)
    context = {"member": member, "filling": filling, "line": own_line(member.org), "stay": stay, **season}
    # PD-10: while he asks to stay, and then while he stays, that is his page; what failed before he came is over.
    if case is not None:
        return render_template("member/home/staying.html", pending=case, kind=kind_of(case.kind), **context)
    if filling.draft is not None:
        return render_template("member/home/draft.html", following=filling.next_step, Step=WizardStep, **context)
    urgent = season["deadline"] is not None
    ended = latest if latest is not None and _is_shown(latest, member, urgent=urgent) else None
    if ended is not None:
        return _ended(ended, context)
    if stay is not None:
        return render_template("member/home/staying.html", pending=None, **context)
    return render_template("member/home/nothing.html", application=latest, **context)


def _is_shown(ended: Application, member: Member, *, urgent: bool) -> bool:
    """Whether the last application is the first thing to know: a completed one until the new place needs nothing more.

    Any other as long as it is news or he still has to go, and he is where he applied from.
    """
    if ended.state is State.COMPLETED:
        return _is_news(ended) and not _is_settled(ended)
    return ended.from_org_id == member.org_id and (urgent or _is_news(ended))


def _ended(ended: Application, context: dict[str, Any]) -> str:
    if ended.state is State.COMPLETED:
        return render_template(
            "member/home/completed.html",
            application=ended,
            arrival=session.get(Arrival, ended.id),
            office=contact(ended.final_org or ended.to_org),
            letter=letter_id(ended),
            issuer=contact(kinds.basic_of(ended.from_org) or ended.from_org),
            **context,
        )
    return render_template(
        "member/home/ended.html",
        application=ended,
        event=application_progress.last_event(ended),
        by_himself=application_progress.by_himself(ended),
        ground=application_progress.ground_label(application_progress.last_event(ended)),
        office=outside.asked(ended),
        may_object=objections.may_object(current_seat(), ended),
        objection=objections.of_application(ended.id),
        ended=outside.ending_of(ended),
        plea=plea(ended),
        **context,
    )


def _is_kept(member: Member) -> bool:
    return member.org.purpose in {Purpose.FLOATING, Purpose.OVERSEAS}


def _is_news(ended: Application) -> bool:
    return clock.now() - (ended.ended_at or ended.submitted_at) < NEWS_FOR


def _is_settled(completed: Application) -> bool:
    """Whether the new organisation expects nothing of him any more: he has reported, and knows from when he pays."""
    arrival = session.get(Arrival, completed.id)
    return arrival is not None and None not in {arrival.reported_on, arrival.dues_from}


@dataclass(frozen=True, slots=True)
class Deadline:
    """A day of the season that concerns a graduate, and what has to be done by then."""

    day: date
    text: str


def _season(filling: Filling) -> dict[str, Any]:
    row = filling.leaver.row
    is_due = row is not None and row.completed_at is None
    waiting = waits.of_member(filling.member.id)
    deadline = None
    if row is not None and is_due:
        heading = GraduateCategory.FURTHER_STUDY if waiting is not None else _heading_for(filling, row)
        deadline = deadline_of(filling.policy, heading)
    phase = phases.line(filling.policy) if deadline else None
    return {"row": row, "deadline": deadline, "phase": phase, "waiting": waiting}


def _heading_for(filling: Filling, row: RegisterRow) -> GraduateCategory | None:
    """Further study or society: what his draft says, else what he is registered as (PD-09)."""
    named = filling.spec.category if filling.draft is not None and filling.spec else None
    return GraduateCategory(named) if named else row.category


def deadline_of(policy: Policy, category: GraduateCategory | None) -> Deadline:
    """The next day that counts for a graduate who has not applied yet (D-07, D-11)."""
    today = clock.today()
    if category is GraduateCategory.FURTHER_STUDY:
        if today <= policy.further_study_end:
            return Deadline(policy.further_study_end, "升学的团员应完成转接")
    elif today <= policy.initiate_target:
        return Deadline(policy.initiate_target, "请提交转接申请")
    elif today <= policy.society_end:
        return Deadline(policy.society_end, "流向社会的团员应完成转接")
    return Deadline(policy.campaign_end, "本届转接结束，请尽快办理")


@routes.member.get("/history")
@requires(Permission.OWN_MEMBERSHIP)
def history() -> str:
    """Every application about me, whoever started it (A-07), and where I have been."""
    _, member = own()
    return render_template(
        "member/history.html",
        member=member,
        lives=past.lives(member.id),
        stays=past.stays(member.id),
    )


@routes.member.get("/me")
@requires(Permission.OWN_MEMBERSHIP)
def me() -> str:
    """My own data; contact data are changed on the account's page."""
    _, member = own()
    return render_template("member/me.html", member=member, line=own_line(member.org))
