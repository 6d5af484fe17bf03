"""Who has just arrived, and what is still to be done for them: contact, data, reporting, dues (U-26, A-30)."""

from __future__ import annotations

from datetime import date

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.people.models import Member
from zhtj.people.signing.accounts import ContactDetails, change_contact
from zhtj.transfers.watching import arrivals
from zhtj.transfers.watching.arrivals import DUTIES, DUTY_LEFT, ArrivalFilters, Ticks
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, load_member, page_links
from zhtj.web.forms.auth import MemberContactForm
from zhtj.web.forms.days import day_in, month_of

STATUSES = {"mine": "待我办理", "todo": "还有事要做", "done": "已办完"}
MOST = 200


def read_filters() -> ArrivalFilters:
    """Filters of the address; unknown values count as none."""
    status, org = request.args.get("status", ""), request.args.get("org", "")
    return ArrivalFilters(
        status=status if status in STATUSES else "",
        org_id=int(org) if org.isdecimal() else None,
        text=request.args.get("q", "").strip(),
    )


@routes.desk.get("/arrivals", endpoint="arrivals")
@requires(Permission.TRANSFER_IN)
def list_arrivals() -> str:
    """The list, the newest first."""
    return _list()


def _list(error: DomainError | None = None) -> str:
    seat, filters = current_seat(), read_filters()
    page = arrivals.listing(seat, filters).page(**cursors())
    todo = ArrivalFilters("todo", filters.org_id, filters.text)
    return render_template(
        "desks/transfers/arrivals.html",
        rows=page.rows,
        filters=filters,
        statuses=[("", "全部"), *STATUSES.items()],
        branches=arrivals.branches(seat),
        duties=DUTIES,
        duty_left=DUTY_LEFT,
        todo=arrivals.count(seat, todo),
        most=arrivals.counted_to(seat),
        error=error,
        typed=request.form,
        ticked=set(request.form.getlist("member")),
        links=page_links(page, ".arrivals", status=filters.status, org=filters.org_id, q=filters.text),
    )


@routes.desk.post("/arrivals/tick", endpoint="arrivals_tick")
@requires(Permission.TRANSFER_IN)
def tick() -> AnyResponse:
    """Tick off what was done for the lines that were chosen."""
    seat = current_seat()
    try:
        done = _ticks()
        with unit_of_work():
            members = [load_member(number, Permission.TRANSFER_IN) for number in _ticked()]
            changed = arrivals.tick(seat, members, done)
    except DomainError as error:
        session.expire_all()
        return make_response(_list(error), error.status)
    flash(f"已更新 {changed} 人的新转入事项。", "success")
    return redirect(url_for(".arrivals"), 303)


def _ticked() -> list[int]:
    numbers = [int(text) for text in request.form.getlist("member") if text.isdecimal()][:MOST]
    if not numbers:
        raise DomainError("请先在名单中勾选团员。", field="member")
    return numbers


def _ticks() -> Ticks:
    today = clock.today()
    done = {name: today for name in arrivals.DAYS if request.form.get(name)}
    return Ticks(**done, dues_from=month_of(request.form.get("dues_from", ""), field="dues_from", rule="U-26"))


@routes.desk.route("/members/<int:member_id>/arrival", methods=["GET", "POST"])
@requires(Permission.TRANSFER_IN)
def arrival(member_id: int) -> AnyResponse | str:
    """One arrival: the days as they were, the data to bring up to date, whom to ask at the old organisation."""
    member = load_member(member_id, Permission.TRANSFER_IN)
    if request.method == "GET":
        return _page(member, _contact_form(member))
    try:
        days: dict[str, date | None] = {name: day_in(name, rule="U-26") for name in arrivals.DAYS}
        days["dues_from"] = month_of(request.form.get("dues_from", ""), field="dues_from", rule="U-26")
        with unit_of_work():
            session.refresh(member)
            arrivals.correct(current_seat(), member, days)
    except DomainError as error:
        session.expire_all()
        member = load_member(member_id, Permission.TRANSFER_IN)
        return make_response(_page(member, _contact_form(member), error), error.status)
    flash("新转入事项已更新。", "success")
    return redirect(url_for(".arrival", member_id=member_id), 303)


def _page(member: Member, contact: MemberContactForm, error: DomainError | None = None) -> str:
    line = arrivals.line(current_seat(), member)
    known = {name: str(getattr(line.arrival, name) or "") for name in arrivals.DAYS}
    known["dues_from"] = f"{line.arrival.dues_from:%Y-%m}" if line.arrival.dues_from else ""
    typed = {name: request.form.get(name, "") for name in DUTIES} if error else known
    return render_template(
        "desks/transfers/arrival.html",
        line=line,
        member=member,
        contact=contact,
        error=error,
        typed=typed,
        duties=DUTIES,
    )


def _contact_form(member: Member) -> MemberContactForm:
    kept = {name: getattr(member, name) for name in ("residence", "emergency_name", "emergency_phone")}
    return MemberContactForm(formdata=None, mobile=member.account.mobile, **kept)


@routes.desk.post("/members/<int:member_id>/contact", endpoint="arrival_contact")
@requires(Permission.TRANSFER_IN)
def contact(member_id: int) -> AnyResponse:
    """Bring the contact data of somebody who arrived up to date; that ticks the duty too."""
    seat, member = current_seat(), load_member(member_id, Permission.TRANSFER_IN)
    form = MemberContactForm()
    if not form.validate():
        return make_response(_page(member, form), 422)
    values = {name: value for name, value in form.data.items() if name in ContactDetails.__dataclass_fields__}
    try:
        with unit_of_work():
            session.refresh(member)
            arrivals.informed(seat, member)
            change_contact(member.account, member, ContactDetails(**values))
    except DomainError as error:
        session.expire_all()
        form.take(error)
        return make_response(_page(load_member(member_id, Permission.TRANSFER_IN), form), error.status)
    flash("联系方式已更新。", "success")
    return redirect(url_for(".arrival", member_id=member_id), 303)
