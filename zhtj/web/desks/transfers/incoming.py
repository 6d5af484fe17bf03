"""登记外部系统转入: somebody comes from 北京, 广东 or 福建; what that system has released is recorded here (PD-32)."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import audit, limits
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.orgs import outside
from zhtj.orgs import queries as orgs
from zhtj.orgs.policies import policy_of
from zhtj.people.finding import members as people
from zhtj.policy.model import Policy
from zhtj.policy.vocabulary import PlaceTie
from zhtj.transfers.deciding import external
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import own_organisation
from zhtj.web.desks.transfers.decisions import sent_file
from zhtj.web.forms.incoming import IncomingForm

HOUR = 3600


@routes.desk.route("/transfer-in/external", methods=["GET", "POST"])
@requires(Permission.TRANSFER_IN)
def transfer_in_external() -> AnyResponse:
    """The form; once it is recorded the application waits for us like any other."""
    policy = policy_of(own_organisation())
    form = IncomingForm(policy)
    _options(form, policy)
    if request.method == "GET":
        return _page(form, 200)
    if not (form.validate() & form.check_number()):
        return _page(form, 422)
    _count(form, policy)
    try:
        wanted = _wanted(form)
        with unit_of_work():
            application = external.record_incoming(wanted, current_seat())
            number, name = application.id, wanted.person.name
    except DomainError as error:
        session.expire_all()
        form.take(error)
        return _page(form, error.status)
    flash(f"{name}的转入已登记，等待审批。", "success")
    return redirect(url_for(".application", application_id=number), 303)


def _options(form: IncomingForm, policy: Policy) -> None:
    form.region.choices = [(each.code, each.system.label) for each in outside.external_systems()]
    reasons = [(key.value, spec.label) for key, spec in policy.reasons.items() if spec.may_be_external]
    form.reason.choices = [("", "请选择"), *reasons]
    form.graduate.choices = [("yes", "是，今年毕业"), ("no", "不是")]
    targets = orgs.transfer_targets(own_organisation())
    form.destination.choices = [("", "请选择"), *((each.code, each.short_name) for each in targets)]
    form.place.choices = [("", "不适用"), *((place.value, place.label) for place in PlaceTie)]


def _count(form: IncomingForm, policy: Policy) -> None:
    """The answer tells whether somebody is known here: limited and noted as a look-up is (PD-37)."""
    limits.hit("lookup", str(current_seat().account_id), policy.lookup_limit, HOUR)
    known = people.by_id_number(form.id_number.data or "")
    with unit_of_work():
        audit.record("member.look_up", "member", known.id if known else 0, found=known is not None)


def _wanted(form: IncomingForm) -> external.Incoming:
    """What was typed. Raises DomainError for a region or an organisation that is none of those offered."""
    region = next((each for each in outside.external_systems() if each.code == form.region.data), None)
    if region is None:
        raise DomainError("请选择转出地区。", field="region", rule="X-01")
    destination = orgs.by_code_or_name(form.destination.data or "")
    if destination is None:
        raise DomainError("请选择转入哪个组织。", field="destination")
    return external.Incoming(
        region=region,
        origin_name=form.origin_name.data or "",
        person=form.person(),
        destination=destination,
        reason=form.reason.data,
        note=form.note.data or "",
        place=form.tie,
        graduate=form.graduates,
        upload=sent_file(),
    )


def _page(form: IncomingForm, status: int) -> AnyResponse:
    chosen = request.files.get("file")
    lost = chosen is not None and bool(chosen.filename)
    page = render_template("desks/many/transfer_in_external.html", form=form, lost=lost)
    return make_response(page, status)
