"""流动团员台账: who is in a floating or overseas branch, until when, last heard of; contacts, deadlines (R, T-29)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases import signatures
from zhtj.cases.kinds import staying
from zhtj.floating import branches, operations, queries, rules
from zhtj.floating.models import Occupation, Stay, StayKind
from zhtj.floating.queries import STATUSES, LedgerFilters
from zhtj.kernel import clock, dates
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind
from zhtj.orgs.models import SCHOOL_INDUSTRIES, Organisation
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Member
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, load_member, number_in, own_organisation, page_links
from zhtj.web.forms.days import needed_day_in

_OVERDUE = frozenset({"late", "silent"})


def read_filters(said: Any) -> LedgerFilters:
    """Filters of the address or of a form; unknown values count as none."""
    status, kind = said.get("status", ""), said.get("kind", "")
    return LedgerFilters(
        status=status if status in STATUSES else "",
        kind=kind if kind in set(StayKind) else "",
        text=said.get("q", "").strip()[:60],
    )


def _kept(filters: LedgerFilters) -> dict[str, str]:
    kept = {"status": filters.status, "kind": filters.kind, "q": filters.text}
    return {name: value for name, value in kept.items() if value}


@routes.desk.get("/floating", endpoint="floating")
@requires(Permission.TRANSFER_OUT)
def ledger() -> str:
    """The ledger: overdue first, then whoever is due next."""
    seat, filters = current_seat(), read_filters(request.args)
    page = queries.listing(seat, filters).page(**cursors())
    counts = queries.counts(seat, filters)
    own = own_organisation()
    of_school = own.industry in SCHOOL_INDUSTRIES
    return render_template(
        "desks/floating/floating.html",
        rows=page.rows,
        filters=filters,
        kept=_kept(filters),
        statuses=[("", "全部"), *STATUSES.items()],
        kinds=[("", "全部"), *((kind.value, kind.label) for kind in StayKind)],
        figures=[
            (label, counts[key], key, bool(counts[key]) and key in _OVERDUE)
            for key, label in {"": "流动团员", **STATUSES}.items()
            if counts[key] or key in {"", "late"}
        ],
        untracked=queries.count_untracked(seat),
        most=queries.counted_to(seat),
        may_start=lambda row: _is_ours(seat, row) and queries.may_look_after(seat, row),
        may_log=lambda row: not _is_ours(seat, row) and queries.may_look_after(seat, row),
        of_school=of_school and seat.kind is not SeatKind.BRANCH,
        allocates=filters.status == "allocate",
        allocating=_places(page.rows) if filters.status == "allocate" else [],
        ground=lambda row: staying.ground_label(row.ground),
        links=page_links(page, ".floating", **_kept(filters)),
    )


def _is_ours(seat: ActiveSeat, stay: Stay) -> bool:
    """Whether the branch is: then a line offers a transfer; where only the person is, the log."""
    return stay.org.path.startswith(seat.path)


def _places(rows: Sequence[Stay]) -> list[tuple[int, str]]:
    """Floating branches of the colleges that those on the page come from."""
    found: dict[int, Organisation] = {}
    for home in {row.home_id: row.home for row in rows if row.home is not None}.values():
        found |= {one.id: one for one in branches.floating_branches(home)}
    return [(one.id, one.short_name) for one in found.values()]


@routes.desk.post("/floating/track", endpoint="floating_track")
@requires(Permission.TRANSFER_OUT)
def track() -> AnyResponse:
    """Put members of floating branches on the list who came by no transfer."""
    with unit_of_work():
        seat = current_seat()
        opened = operations.track_all(seat, queries.untracked(seat))
    flash(f"已列入 {opened} 名流动团员。", "success")
    return redirect(url_for(".floating"), 303)


@routes.desk.post("/floating/allocate", endpoint="floating_allocate")
@requires(Permission.TRANSFER_OUT)
def allocate() -> AnyResponse:
    """Put those of my college from the school's floating branch into the college's own: the second tier (R-05)."""
    seat = current_seat()
    ids = [number for text in request.form.getlist("row") if (number := number_in(text)) is not None]
    try:
        with unit_of_work():
            branch = _branch()
            done, name = operations.allocate(seat, queries.picked(seat, ids), branch), branch.short_name
    except DomainError as error:
        flash(str(error), "warning")
        return redirect(url_for(".floating", status="allocate"), 303)
    flash(f"已将 {done} 名团员编入{name}。", "success")
    return redirect(url_for(".floating"), 303)


def _branch() -> Organisation:
    found = session.get(Organisation, number_in(request.form.get("branch", "")) or 0)
    if found is None:
        raise DomainError("请选择分配到哪个团支部。", field="branch", rule="R-05")
    return found


def load_stay(number: int) -> tuple[Member, Stay]:
    """A floating member that the seat may see: in its part of the tree, or of its college (R-06).

    Raises:
        NotFound: elsewhere.
        DomainError: he is in no such branch.
    """
    stay = queries.stay_of(current_seat(), number)
    if stay is None:
        member = load_member(number, Permission.TRANSFER_OUT)
        return member, queries.of_member(member)
    return stay.member, stay


@routes.desk.get("/members/<int:member_id>/onward", endpoint="floating_member")
@requires(Permission.TRANSFER_OUT)
def one(member_id: int) -> str:
    """One floating member: deadlines, log, forms."""
    return _page(*load_stay(member_id))


def _page(member: Member, stay: Stay, error: DomainError | None = None, action: str = "") -> str:
    seat = current_seat()
    undoable = stay.kind in {StayKind.SCHOOL, StayKind.OVERSEAS} and seat.kind in {SeatKind.COLLEGE, SeatKind.SCHOOL}
    return render_template(
        "desks/floating/floating_member.html",
        row=stay,
        member=member,
        log=queries.log_of(stay),
        situations=[("", "没有说"), *((each.value, each.label) for each in Occupation if each is not Occupation.FOUND)],
        may_write=queries.may_look_after(seat, stay),
        may_move=stay.org.path.startswith(seat.path),
        may_undo=undoable and stay.org.path.startswith(seat.path) and seat.member_id != member.id,
        due=queries.what_is_due(stay) if stay.deadline else None,
        past_onward=rules.past_onward(stay.found_on, policy_of(stay.org).floating_onward_months, clock.today()),
        least_days=rules.LEAST_DAYS,
        ground=staying.ground_label(stay.ground),
        forms=signatures.of_member(member.id),
        today=clock.today().isoformat(),
        typed=request.form if error else {},
        error=error,
        action=action,
    )


@routes.desk.post("/members/<int:member_id>/onward/contact", endpoint="onward_contact", defaults={"note": "contact"})
@routes.desk.post("/members/<int:member_id>/onward/found", endpoint="onward_found", defaults={"note": "found"})
@routes.desk.post("/members/<int:member_id>/onward/lost", endpoint="onward_lost", defaults={"note": "lost"})
@routes.desk.post("/members/<int:member_id>/onward/undo", endpoint="onward_undo", defaults={"note": "undo"})
@requires(Permission.TRANSFER_OUT)
def write(member_id: int, note: str) -> AnyResponse:
    """Log a contact, record a job or study place, or that it came to nothing; undo a retention."""
    if note not in WRITES:
        raise NotFound
    member, _ = load_stay(member_id)
    try:
        with unit_of_work():
            session.refresh(member)
            message = WRITES[note](member)
    except DomainError as error:
        session.expire_all()
        return make_response(_page(*load_stay(member_id), error, note), error.status)
    flash(message, "success")
    return redirect(url_for(".floating") if note == "undo" else url_for(".floating_member", member_id=member_id), 303)


def _contact(member: Member) -> str:
    said = request.form.get("situation", "")
    situation = Occupation(said) if said in set(Occupation) - {Occupation.FOUND} else None
    operations.contacted(
        current_seat(), member, needed_day_in("on", rule="T-29"), request.form.get("note", ""), situation
    )
    return "联系情况已记录。"


def _found(member: Member) -> str:
    row = operations.found(
        current_seat(), member, needed_day_in("found_on", rule="T-29"), request.form.get("found_what", "")
    )
    due = row.due_on or clock.today()
    return f"已登记，请在 {dates.short(due)} 前办理二次转接。"


def _lost(member: Member) -> str:
    operations.lost(current_seat(), member)
    return "已取消登记，期限停止计算。"


def _undo(member: Member) -> str:
    seat = current_seat()
    back = operations.take_back(seat, queries.of_member(member), request.form.get("why", ""))
    return f"已撤销，{member.name}回到{back.short_name}。"


WRITES = {"contact": _contact, "found": _found, "lost": _lost, "undo": _undo}
