"""Apply: one question a page, saved as one goes; every page is a GET, every answer a POST that redirects (A-02)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases.membership import blockers
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import Permission
from zhtj.orgs.searching import places
from zhtj.policy.vocabulary import PlaceTie, Reason, ReasonField
from zhtj.transfers import operations
from zhtj.transfers.applying import checks, drafts
from zhtj.transfers.applying.judging import facts_of
from zhtj.transfers.applying.situations import Submission
from zhtj.transfers.models import Application
from zhtj.transfers.parties import province_of
from zhtj.transfers.queries import open_application
from zhtj.transfers.workflow import Action
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.forms.transfer import TransferForm, place_options, reason_options
from zhtj.web.htmx import is_htmx
from zhtj.web.member.applying import choosing
from zhtj.web.member.applying.answers import Filling, WizardStep
from zhtj.web.member.applying.guides import OF_CASE, STAYING
from zhtj.web.member.contacts import contact, own_line
from zhtj.web.member.loading import may_leave, own
from zhtj.web.rendering import application_progress

# On which page an error of the operation is put right.
STEP_OF = {
    "reason": WizardStep.REASON,
    "unit": WizardStep.UNIT,
    "school": WizardStep.UNIT,
    "address": WizardStep.UNIT,
    "place": WizardStep.PLACE,
    "destination": WizardStep.ORGANISATION,
    "external_name": WizardStep.EXTERNAL,
    "external_name_again": WizardStep.EXTERNAL,
}


@routes.member.route("/transfer/new", methods=["GET", "POST"], defaults={"step": "reason"})
@routes.member.route(
    "/transfer/new/<any(unit, place, organisation, external, special, check):step>", methods=["GET", "POST"]
)
@requires(Permission.OWN_MEMBERSHIP)
def transfer_new(step: str) -> AnyResponse:
    """One question. A page whose question comes too early leads to the one that is open."""
    _, member = own()
    if not may_leave(member):
        return redirect(url_for(".home"), 303)  # which says why
    filling, wanted = Filling(member), WizardStep(step)
    if open_application(member.id) is not None and not filling.replaces and not _sends_a_replacement():
        return _busy(member.id)
    if found := blockers.stopping(member):
        page = render_template("member/home/blocked.html", member=member, blockers=found, line=own_line(member.org))
        return make_response(page, 422 if request.method == "POST" else 200)
    if not filling.may_open(wanted):
        return redirect(_address(filling.next_step), 303)
    if wanted is WizardStep.CHECK and filling.is_special:
        return _check_special(filling)
    return _PAGES[wanted](filling)


def _sends_a_replacement() -> bool:
    """The page that was sent said which application it takes the place of; ``_check`` says what became of that one."""
    return request.method == "POST" and "replaces" in request.form


def _address(step: WizardStep) -> str:
    return url_for(".transfer_new", step=step.value)


def _busy(member_id: int, error: Conflict | None = None) -> AnyResponse:
    """Something is under way already: say so and show it, with the way to take it back (A-06, A-21)."""
    # with the message comes the way to take the open one back.
    found = open_application(member_id)
    if found is None:
        raise error or Conflict(checks.OPEN_BUSINESS, rule="A-06")
    if request.method == "GET":
        flash(checks.OPEN_BUSINESS, "warning")
        return redirect(url_for(".application", application_id=found.id), 303)
    page = render_template(
        "member/home/busy.html",
        application=found,
        message=checks.OPEN_BUSINESS,
        may_withdraw=application_progress.may_withdraw(found, current_seat()),
        office=contact(found.holder or found.to_org),
    )
    return make_response(page, 409)


def _show(template: str, filling: Filling, step: WizardStep, status: int = 200, **more: Any) -> Response:
    steps, before = filling.steps, filling.before(step)
    page = render_template(
        f"member/apply/{template}.html",
        filling=filling,
        number=steps.index(step) + 1,
        total=len(steps),
        back=_address(before) if before else url_for(".home"),
        here=_address(step),
        **more,
    )
    return make_response(page, status)


def _save(filling: Filling, **answers: Any) -> AnyResponse:
    """Keep the answers and go on to the first open question."""
    with unit_of_work():
        drafts.save(filling.member, replace(filling.answers, **answers).kept())
    after = Filling(filling.member)
    if after.next_step is WizardStep.CHECK and after.verdict is not None and after.verdict.case is not None:
        # Staying put is no transfer: the case is opened instead, and it is said so (PD-10).
        where = after.destination.short_name if after.destination else ""
        flash(f"留在{where}不是转接，要办理“{after.verdict.case.label}”。请在这里申请。", "info")
        return redirect(url_for(".stay", topic=OF_CASE[after.verdict.case].value), 303)
    return redirect(_address(after.next_step), 303)


def _reason(filling: Filling) -> AnyResponse:
    """Where are you going?"""
    form = TransferForm.only("reason", data={"reason": filling.answers.reason})
    options = reason_options(filling.policy, filling.audience)
    if request.method == "POST" and form.validate():
        chosen = form.reason.data
        if chosen not in {option["value"] for option in options}:
            form.take(DomainError("请选择转接原因。", field="reason", rule="PD-10"))
        else:
            return _save(filling, **_with_reason(filling, chosen, keep_destination=False))
    status = 422 if request.method == "POST" else 200
    return _show("reason", filling, WizardStep.REASON, status, form=form, options=options, staying=STAYING)


def _with_reason(filling: Filling, chosen: str, *, keep_destination: bool) -> dict[str, str]:
    """The answers that change with the reason: those that meant something else before are asked again."""
    answers = {"reason": chosen}
    if chosen == filling.answers.reason or filling.spec is None:
        return answers
    if _names(filling, filling.answers.reason) != _names(filling, chosen):
        answers["unit_name"] = ""
    if not facts_of(filling.policy, filling.answers.situation, chosen):
        answers["situation"] = ""
    if not keep_destination:
        answers |= {"place": "", "destination": "", "external_name": ""}
    return answers


def _names(filling: Filling, reason: str) -> set[ReasonField]:
    """Whether the reason asks for the name of a unit, of a school, or of neither."""
    return {ReasonField.UNIT, ReasonField.SCHOOL} & {*filling.policy.reasons[Reason(reason)].needs}


def _unit(filling: Filling) -> AnyResponse:
    """Which unit or school?"""
    wanted = ["unit_name"] if filling.asks(ReasonField.UNIT, ReasonField.SCHOOL) else []
    wanted += ["unit_address"] if filling.asks(ReasonField.ADDRESS) else []
    form = TransferForm.only(*wanted, spec=filling.spec, data=filling.answers.kept())
    if request.method == "POST" and form.validate():
        typed = {name: form[name].data for name in wanted}
        problem = _unclear(filling, typed["unit_address"], _first_tie(filling)) if "unit_address" in typed else None
        if problem is None:
            return _save(filling, **typed)
        form.take(problem)
    return _show("unit", filling, WizardStep.UNIT, 422 if request.method == "POST" else 200, form=form)


def _first_tie(filling: Filling) -> PlaceTie:
    """Whose address the question about the unit asks for: the unit's; the new home of somebody who moves."""
    return PlaceTie.RESIDENCE if filling.answers.reason == Reason.RELOCATION else PlaceTie.UNIT_LOCATION


def _unclear(filling: Filling, address: str, tie: PlaceTie) -> DomainError | None:
    """What an address lacks to be placed; those in the other systems' regions are as good as whole (PD-60, X-01)."""
    found = filling.placed(address, tie)
    site = found.site(tie)
    return None if site is not None and site.external else found.missing(tie)


def _place(filling: Filling) -> AnyResponse:
    """Which of your places is it?"""
    names = ["place", *(["unit_address"] if not filling.asks(ReasonField.ADDRESS) else [])]
    names += ["unable"] if filling.place_first and filling.county_is_open else []
    form = TransferForm.only(*names, data=filling.answers.kept())
    if "unit_address" in form:
        form.unit_address.label.text = "单位地址" if filling.asks(ReasonField.UNIT) else "那里的地址"
    options = place_options(filling.whereabouts.texts, filling.at)
    if request.method == "POST" and form.validate():
        chosen = form.place.data
        if chosen in set(PlaceTie) - {PlaceTie.NONE}:
            typed = {name: form[name].data for name in names}
            address = typed.get("unit_address", filling.answers.unit_address)
            problem = _unclear(filling, address, PlaceTie(chosen)) if not filling.at(PlaceTie(chosen)).blocks else None
            if problem is None:
                return _save(filling, **typed)
            typed_here = "unit_address" in names and not filling.asks(ReasonField.UNIT)
            form.take(problem if typed_here or chosen == PlaceTie.UNIT_LOCATION else _on_record(problem))
        else:
            form.take(DomainError("请选择您与那里的关系。", field="place", rule="PD-10"))
    return _show(
        "place", filling, WizardStep.PLACE, 422 if request.method == "POST" else 200, form=form, options=options
    )


def _on_record(problem: DomainError) -> DomainError:
    """Where the form asks for no address, the record has to be completed."""
    return DomainError(
        problem.message, fix="请先在“我的”里补全资料，写到乡镇、街道。", field="place", rule=problem.rule
    )


def _organisation(filling: Filling) -> AnyResponse:
    """Which organisation? Searching is a GET; choosing one is a POST."""
    if request.method == "POST":
        try:
            chosen = choosing.read(filling, request.form.get("destination", ""))
        except DomainError as error:
            looking = choosing.look(filling, request.args)
            return _show("organisation", filling, WizardStep.ORGANISATION, 422, looking=looking, error=error)
        same = chosen.code == filling.answers.destination
        return _save(filling, destination=chosen.code, external_name=filling.answers.external_name if same else "")
    looking = choosing.look(filling, request.args)
    if is_htmx():
        return make_response(
            render_template(
                "member/apply/_results.html", looking=looking, here=_address(WizardStep.ORGANISATION), partial=True
            )
        )
    return _show("organisation", filling, WizardStep.ORGANISATION, looking=looking, error=None)


def _external(filling: Filling) -> AnyResponse:
    """What is the organisation called in the region's own system? Typed twice (X-02)."""
    region, name = filling.region, filling.answers.external_name
    form = TransferForm.only("external_name", "external_name_again", data={"external_name": name})
    if request.method == "POST" and form.validate() and region is not None:
        typed = form.external_name.data, form.external_name_again.data
        problem = checks.external_name(*typed)
        if problem is None:
            return _save(filling, external_name=checks.squeeze(typed[0]))
        form.take(problem)
    return _show(
        "external",
        filling,
        WizardStep.EXTERNAL,
        422 if request.method == "POST" else 200,
        form=form,
        region=region,
        self_report=region is not None and choosing.needs_self_report(filling.policy, region),
        line=own_line(filling.member.org),
    )


def _special(filling: Filling) -> AnyResponse:
    """Which kind of special unit? No organisation is chosen (S-02, S-04)."""
    data = {"remark": filling.answers.remark, "secret_unit": filling.answers.secret_unit}
    form = TransferForm.only("remark", "secret_unit", spec=filling.spec, data=data)
    if request.method == "POST" and form.validate():
        problem = checks.special_remark(filling.policy, form.remark.data)
        if problem is None:
            return _save(filling, remark=form.remark.data, secret_unit=form.secret_unit.data)
        form.take(problem)
    return _show("special", filling, WizardStep.SPECIAL, 422 if request.method == "POST" else 200, form=form)


def _check_special(filling: Filling) -> AnyResponse:
    """Stop, read what cannot be undone, and send it (S-05, S-07, S-08)."""
    mobile = (filling.follows.contact_mobile if filling.follows else None) or filling.member.account.mobile or ""
    form = TransferForm.only("contact_mobile", "confirmed", data={"contact_mobile": mobile})
    form.confirmed.label.text = "政审、体检等手续已经完成；我知道省级团委批准后不能撤回"
    form.require("confirmed", "请核实手续都已完成，再勾选确认。")
    error: DomainError | None = None
    if request.method == "POST" and form.validate():
        try:
            with unit_of_work():
                _send(filling, filling.special_submission(form.wanted()))
            flash("申请已提交，由省级团委审批。", "success")
            return redirect(url_for(".home"), 303)
        except Conflict as conflict:
            session.expire_all()
            if not _sends_a_replacement():
                return _busy(filling.member.id, conflict)
            filling, error = Filling(filling.member), conflict
        except DomainError as refused:
            session.expire_all()
            filling, error = Filling(filling.member), refused
    return _show(
        "special_check",
        filling,
        WizardStep.CHECK,
        error.status if error else 422 if request.method == "POST" else 200,
        form=form,
        error=error,
        province=contact(province_of(filling.member.org)),
        **_before(filling),
    )


def _before(filling: Filling) -> dict[str, Any]:
    """Why the application that this one starts again was refused; nothing if it was not, or nothing was said."""
    last = application_progress.last_event(filling.follows)
    ground = application_progress.ground_label(last)
    said = last is not None and last.action is Action.REFUSE and last.remark
    return {"refusal": last if ground or said else None, "ground": ground}


def _check(filling: Filling) -> AnyResponse:
    """Look at everything once more, and send it."""
    form = _last_form(filling)
    if request.method == "GET":
        return _check_page(filling, form)
    verdict, destination = filling.verdict, filling.destination
    if not form.validate() or verdict is None or destination is None:
        return _check_page(filling, form, status=422)
    if verdict.case is not None:
        error = DomainError(verdict.why, field="destination", rule=verdict.rule)
        return _check_page(filling, form, error, 422)
    try:
        with unit_of_work():
            wanted = filling.submission(destination, form.wanted())
            application = _send(filling, wanted)
            to = application.to_name
    except Conflict as error:
        session.expire_all()
        if not _sends_a_replacement():
            return _busy(filling.member.id, error)
        undone: DomainError = error
    except DomainError as error:
        session.expire_all()
        undone = error
    else:
        flash(f"申请已提交给{to}。", "success")
        return redirect(url_for(".home"), 303)
    return _check_page(Filling(filling.member), form, undone, undone.status)


def _send(filling: Filling, wanted: Submission) -> Application:
    """Submit; with the same stroke withdraw the application whose place it takes (PD-16).

    Raises:
        Conflict: the page said that it takes the place of one which has been decided meanwhile.
    """
    old, seat = filling.redirected, current_seat()
    if not (old and (filling.replaces or _sends_a_replacement())):
        return operations.submit(wanted, seat)
    session.refresh(old)
    if _whither(wanted) == (old.to_org_id, old.reason, old.place, old.external_name):
        raise DomainError(
            "转入组织没有改变，原申请继续办理。",
            fix="请换一个组织；只改联系方式或备注的，请用“修改申请”。",
            field="destination",
            rule="PD-16",
        )
    return operations.redirect(old, replace(wanted, follows=old), seat)


def _whither(wanted: Submission) -> tuple[int, str, str | None, str | None]:
    return wanted.destination.id, wanted.reason, wanted.place, checks.squeeze(wanted.external_name) or None


def _last_form(filling: Filling) -> TransferForm:
    verdict, follows = filling.verdict, filling.follows
    warned = verdict is not None and verdict.needs_remark
    mobile = (follows.contact_mobile if follows else None) or filling.member.account.mobile or ""
    names = ("contact_mobile", "remark", *(("confirmed",) if warned else ()))
    data = {"contact_mobile": mobile, "remark": filling.answers.remark}
    form = TransferForm.only(*names, spec=filling.spec, data=data)
    if warned:
        form.require("remark", "请在备注中说明情况，对方审批时会看到。")
        form.require("confirmed", "请勾选确认。")
    return form


def _check_page(filling: Filling, form: TransferForm, error: DomainError | None = None, status: int = 200) -> Response:
    destination, situation = filling.destination, filling.situation
    if destination is None or situation is None or filling.spec is None:
        if error is not None:
            flash(str(error), "warning")
        return make_response(redirect(_address(filling.next_step), 303))
    if error is not None and error.field in {"remark", "confirmed", "contact_mobile"}:
        form.take(error)
        error = None
    elif error is None:
        error = filling.problem
    verdict = situation.verdict
    return _show(
        "check",
        filling,
        WizardStep.CHECK,
        status,
        form=form,
        error=error,
        repair=STEP_OF.get(error.field or "") if error else None,
        verdict=verdict,
        guide=OF_CASE.get(verdict.case) if verdict.case else None,
        release=situation.release_needed,
        due=situation.would_be_due,
        place_label=PlaceTie(place).label if (place := filling.relevant.get("place")) else None,
        office=contact(destination),
        superiors=places.superiors(destination),
        recorder=contact(situation.old),
        **_before(filling),
        Step=WizardStep,
    )


@routes.member.post("/transfer/reason/<reason>")
@requires(Permission.OWN_MEMBERSHIP)
def transfer_reason(reason: str) -> AnyResponse:
    """Take the reason that fits better, as the table suggests, and keep everything else."""
    _, member = own()
    filling = Filling(member)
    if reason not in {option["value"] for option in reason_options(filling.policy, filling.audience)}:
        raise DomainError("这个转接原因不适用。", fix="请重新选择。", field="reason", rule="PD-10")
    return _save(filling, **_with_reason(filling, reason, keep_destination=True))


@routes.member.post("/transfer/drop")
@requires(Permission.OWN_MEMBERSHIP)
def transfer_drop() -> AnyResponse:
    """Forget the draft and begin anew."""
    _, member = own()
    running = open_application(member.id)
    with unit_of_work():
        drafts.drop(member)
    if running is not None:
        flash("没有改转，原申请继续办理。", "success")
        return redirect(url_for(".application", application_id=running.id), 303)
    flash("已清空，可以重新填写。", "success")
    return redirect(_address(WizardStep.REASON), 303)


Page = Callable[[Filling], AnyResponse]
# one question a page, in the order of the guide.
_PAGES: Mapping[WizardStep, Page] = {
    WizardStep.REASON: _reason,
    WizardStep.UNIT: _unit,
    WizardStep.PLACE: _place,
    WizardStep.ORGANISATION: _organisation,
    WizardStep.EXTERNAL: _external,
    WizardStep.SPECIAL: _special,
    WizardStep.CHECK: _check,
}
