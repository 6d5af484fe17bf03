"""去向顾问 for a member: with what his record knows, and one button into his application (PD-10, PD-11)."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.orgs.policies import policy_of
from zhtj.orgs.searching import places
from zhtj.policy.vocabulary import PlaceTie
from zhtj.transfers.applying import drafts, waits, whereabouts
from zhtj.transfers.applying.advice import Counsel, Found, audience_of
from zhtj.transfers.applying.judging import facts_of
from zhtj.transfers.queries import open_application
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.forms.advice import Act, Adviser
from zhtj.web.forms.transfer import ADDRESS_AT_MOST, NAME_AT_MOST, tidy
from zhtj.web.member.applying.answers import DraftAnswers, Filling
from zhtj.web.member.contacts import own_line
from zhtj.web.member.loading import own


@routes.member.get("/advice")
@requires(Permission.OWN_MEMBERSHIP)
def advice() -> str:
    """One question a page, then the answer."""
    _, member = own()
    adviser = Adviser(request.args, lambda **query: url_for(".advice", **query), act=_act, member=member)
    return render_template(
        "advice/page.html",
        adviser=adviser,
        crumbs=[("我的组织关系", url_for(".home")), ("去向顾问", None)],
        line=own_line(member.org),
        busy=open_application(member.id),
        waiting=waits.of_member(member.id),
    )


def _act(counsel: Counsel, found: Found | None) -> Act:
    """The answer as a form: reason, unit, place and destination go into the draft."""
    asked, member = counsel.asked, counsel.asked.member
    place = found.place if found else counsel.place
    on_record = whereabouts.on_record(member).get(place) if place else None
    chosen = found.organisation if found else counsel.region
    return Act(
        label="申请转入" if found else "就按这个去申请",
        about=found.organisation.short_name if found else "",
        url=url_for(".advice_apply"),
        values={
            "reason": counsel.reason.value if counsel.reason else "",
            "unit": asked.unit_name,
            # An address on record is read there again, not copied.
            "address": asked.address if asked.address != on_record else "",
            "place": place.value if place else "",
            "destination": chosen.code if chosen else "",
            "situation": counsel.key,
            "unable": "1" if counsel.unable_at(place) else "",
        },
    )


@routes.member.post("/advice/apply")
@requires(Permission.OWN_MEMBERSHIP)
def advice_apply() -> AnyResponse:
    """Fill in the application with what was advised, and go on at the first open question."""
    _, member = own()
    typed = request.form
    reason = typed.get("reason", "")
    policy = policy_of(member.org)
    offered = policy.reasons_for(audience_of(member))
    chosen = places.by_code(typed.get("destination", ""))
    answers = DraftAnswers(
        reason=reason if reason in set(offered) else "",
        unit_name=tidy(typed.get("unit"))[:NAME_AT_MOST],
        unit_address=tidy(typed.get("address"))[:ADDRESS_AT_MOST],
        place=typed["place"] if typed.get("place") in set(PlaceTie) else "",
        destination=chosen.code if chosen else "",
        situation=typed.get("situation", "") if facts_of(policy, typed.get("situation"), reason) else "",
        unable=typed.get("unable") == "1",
    )
    with unit_of_work():
        drafts.save(member, answers.kept())
    return redirect(url_for(".transfer_new", step=Filling(member).next_step.value), 303)


@routes.member.post("/waits")
@requires(Permission.OWN_MEMBERSHIP)
def wait() -> AnyResponse:
    """Put me on the list of the school that is not ready yet (T-11)."""
    _, member = own()
    name = tidy(request.form.get("unit"))[:NAME_AT_MOST]
    try:
        with unit_of_work():
            joined = waits.join(member, name)
            school = joined.name
    except DomainError as error:
        flash(str(error), "warning")
        return redirect(url_for(".advice", situation="further_study", unit=name, done="1" if name else None), 303)
    flash(f"已登记。{school}建好新生团组织，马上通知您。", "success")
    return redirect(url_for(".home"), 303)


@routes.member.post("/waits/leave")
@requires(Permission.OWN_MEMBERSHIP)
def wait_leave() -> AnyResponse:
    """Take me off the list."""
    _, member = own()
    with unit_of_work():
        waits.leave(member)
    flash("已退出等待名单。", "success")
    return redirect(url_for(".home"), 303)
