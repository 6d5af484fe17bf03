"""Decide many at once: pick lines, see what would happen to each, confirm, get a result a line (A-08 … A-18, PD-22)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of
from zhtj.orgs.queries import over_townships
from zhtj.policy.seasons import county_open
from zhtj.transfers import queries
from zhtj.transfers.deciding import receiving
from zhtj.transfers.deciding.questions import Questions, asked_for
from zhtj.transfers.many import bulk, runs
from zhtj.transfers.many.bulk import AT_MOST, BULK, INTO_BRANCH, Foresight, Order
from zhtj.transfers.many.models import RunKind
from zhtj.transfers.models import Application
from zhtj.transfers.queries import ApplicationList, Filters, WaitingPart
from zhtj.transfers.rules import GROUNDS, Ground, grounds
from zhtj.transfers.workflow import TRANSITIONS, Action, State
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, number_in, own_organisation, page_links
from zhtj.web.rendering.navigation import waiting_counts

SHOWN = 500
"""Lines of a preview on the page; what cannot be done comes first."""
MOST_OPTIONS = 10_000
"""A branch for each line is offered up to so many options on the page."""
LISTS = {
    ApplicationList.WAITING: "待办",
    ApplicationList.APPLICATIONS: "转接申请",
    ApplicationList.TOWNSHIPS: "乡镇街道待接收",
}
# Whoever starts is nobody's turn: withdrawing is offered where one's own applications stand.
_ONLY_OWN = frozenset({Action.WITHDRAW, Action.TAKE_OVER})


@dataclass(frozen=True, slots=True)
class Picked:
    """The lines somebody picked, and the list he came from."""

    listing: ApplicationList
    filters: Filters
    numbers: list[int]

    @property
    def back(self) -> str:
        """Address of the list with its filters."""
        kept: dict[str, Any] = {**self.filters.said}
        return url_for(f".{self.listing}", **kept)


@dataclass(frozen=True, slots=True)
class Preview:
    """What the page shows: the lines as they would become, and what is still to be chosen."""

    order: Order
    picked: Picked
    lines: list[Foresight]
    branches: list[Organisation]
    error: DomainError | None = None

    @property
    def asks(self) -> Questions:
        """What is asked before it is done."""
        return asked_for(self.order.action)

    @property
    def branch_id(self) -> int | str:
        """The branch that is chosen at first; the only one where a branch has to be chosen."""
        if self.order.branch is not None:
            return self.order.branch.id
        return self.branches[0].id if len(self.branches) == 1 and not self.asks.later else ""

    @property
    def doable(self) -> int:
        """Lines that can be done."""
        return sum(line.after is not None for line in self.lines)

    @property
    def warned(self) -> int:
        """Lines with a warning."""
        return sum(bool(line.warnings) for line in self.lines)

    @property
    def unplaced(self) -> int:
        """Lines of which the receiver has to make sure that nobody works elsewhere (T-05)."""
        return sum(receiving.whereabouts_asked(line.application) for line in self.lines)

    @property
    def shown(self) -> list[Foresight]:
        """The first lines: what cannot be done, what is warned of, the rest."""
        return sorted(self.lines, key=lambda line: (line.after is not None, not line.warnings))[:SHOWN]

    @property
    def stamps(self) -> str:
        """All lines with the version in which they were seen."""
        return " ".join(f"{line.application.id}.{line.application.version}" for line in self.lines)

    @property
    def by_line(self) -> bool:
        """Whether each line may have a branch of its own."""
        several = len(self.branches) > 1 and not self.asks.floating
        return several and len(self.branches) * min(len(self.lines), SHOWN) <= MOST_OPTIONS

    @property
    def grounds(self) -> list[Ground]:
        """Grounds of refusal that fit any of the lines, forbidden ones last."""
        states = {line.application.state for line in self.lines}
        offered = {ground for state in states for ground in grounds(state)}
        return [ground for ground in GROUNDS if ground in offered]


def offered(listing: ApplicationList, states: Sequence[State]) -> list[Action]:
    """What the bulk bar of a list offers: what the workflow knows for the states that occur in it."""
    if listing is ApplicationList.TOWNSHIPS:
        return [Action.TAKE_OVER]
    possible = {row.action for row in TRANSITIONS if row.state in states} - _ONLY_OWN
    if listing is ApplicationList.APPLICATIONS:
        possible.add(Action.WITHDRAW)
    if current_seat().kind is not SeatKind.PROVINCIAL:
        possible.discard(Action.APPROVE)
    return [action for action in BULK if action in possible]


def bar(listing: ApplicationList, filters: Filters, *, more: bool) -> dict[str, Any]:
    """Arguments of the bulk bar below a list.

    Args:
        listing: which list.
        filters: what it is narrowed by; "all" means all of these.
        more: whether there are other pages, whose lines can be picked all together.
    """
    seat = current_seat()
    waiting = (
        list(waiting_in(filters.part))
        if listing is ApplicationList.WAITING
        else [state for state in State if state.is_open]
    )
    states = [filters.state] if filters.state else waiting
    return {
        "listing": listing,
        "filters": filters,
        "actions": offered(listing, states),
        "townships": listing is ApplicationList.WAITING and seat.kind is SeatKind.PROVINCIAL and _is_county(),
        "total": (queries.count_listed(seat, listing, filters) or 0) if more else 0,
    }


def waiting_in(part: WaitingPart | None) -> dict[State, int]:
    """How many applications wait in this part of the list, by state."""
    allocating = part is WaitingPart.ALLOCATE
    found = waiting_counts().items()
    return {one: n for one, n in found if part is None or (one is State.AWAITING_ALLOCATION) == allocating}


def _is_county() -> bool:
    return over_townships(own_organisation())


def read_filters(said: Mapping[str, str]) -> Filters:
    """Filters of an address or of a form; unknown values count as none."""
    state, side, part = said.get("state", ""), said.get("side", ""), said.get("tab", "")
    return Filters(
        state=State(state) if state in set(State) else None,
        side=side if side in {"in", "out"} else "",
        text=said.get("q", "").strip(),
        part=WaitingPart(part) if part in set(WaitingPart) else None,
    )


def _picked(seat: ActiveSeat) -> tuple[Picked, dict[int, int]]:
    """The lines of the form: ticked, all of the filter, or those of the preview with their versions."""
    listing = request.form.get("listing", "")
    if listing not in set(ApplicationList):
        raise DomainError("提交的内容不完整。", fix="请回到列表重新选择。")
    filters = read_filters(request.form)
    versions = dict(_stamps(request.form.get("lines", "")))
    numbers = list(versions)
    if not numbers and request.form.get("all"):
        numbers = queries.picked(seat, ApplicationList(listing), filters, AT_MOST + 1)
    elif not numbers:
        numbers = sorted({number for text in request.form.getlist("row") if (number := number_in(text)) is not None})
    if len(numbers) > AT_MOST:
        raise DomainError(f"一次最多办理 {AT_MOST:,} 份。", fix="请先用筛选缩小范围，分几次办理。")
    return Picked(ApplicationList(listing), filters, numbers), versions


def _stamps(text: str) -> list[tuple[int, int]]:
    pairs = [pair.partition(".") for pair in text.split()[: AT_MOST + 1]]
    read = [(number_in(number), number_in(version)) for number, _, version in pairs]
    return [(number, version) for number, version in read if number is not None and version is not None]


def _order(applications: Sequence[Application]) -> Order:
    said = request.form
    action = said.get("action", "")
    if action not in set(BULK):
        raise DomainError("请选择要办理的事项。", fix="请回到列表，先选择再继续。", field="action")
    chosen = {each.id: _organisation(said.get(f"branch-{each.id}", "")) for each in applications}
    return Order(
        Action(action),
        _organisation(said.get("branch", "")),
        {number: branch for number, branch in chosen.items() if branch is not None},
        said.get("ground", ""),
        said.get("remark", "").strip(),
        confirmed=bool(said.get("confirmed")),
        file_checked=bool(said.get("file_checked")),
        whereabouts_checked=bool(said.get("whereabouts_checked")),
    )


def _organisation(text: str) -> Organisation | None:
    number = number_in(text)
    return session.get(Organisation, number) if number is not None else None


@routes.desk.post("/bulk", endpoint="bulk")
@requires(Permission.TRANSFER_DECIDE)
def preview() -> AnyResponse | str:
    """What would happen to each of the picked lines; nothing is written."""
    seat = current_seat()
    picked, _ = _picked(seat)
    applications = bulk.load(seat, picked.numbers, whole=True)
    if not applications:
        flash("请先勾选要办理的申请。", "warning")
        return redirect(picked.back, 303)
    order = _order(applications)
    return _render(_preview(seat, picked, applications, order, unfinished=True))


def _preview(
    seat: ActiveSeat,
    picked: Picked,
    applications: Sequence[Application],
    order: Order,
    *,
    unfinished: bool,
) -> Preview:
    lines = bulk.foresee(seat, applications, order, unfinished=unfinished, warn=True)
    branches = bulk.branches_for(seat, order.action, applications) if order.action in INTO_BRANCH else []
    return Preview(order, picked, lines, branches, None if unfinished else _problem(order, lines))


def _problem(order: Order, lines: Sequence[Foresight]) -> DomainError | None:
    """What is missing for all of them."""
    if order.action is Action.APPROVE and not order.confirmed:
        return DomainError(
            "省级团委批准后不能撤回。", fix="请核实手续已经完成，再勾选确认。", field="confirmed", rule="S-07"
        )
    unchecked = (line.error for line in lines if line.error is not None and line.error.field == "whereabouts_checked")
    if (error := next(unchecked, None)) is not None:
        return error
    if any(line.after is not None for line in lines):
        return None
    return next((line.error for line in lines if line.error is not None), None)


def _render(shown: Preview, key: str = "") -> AnyResponse:
    page = render_template("desks/many/bulk.html", shown=shown, key=key or secrets.token_hex(16), cut=SHOWN)
    return make_response(page, 422 if shown.error else 200)


@routes.desk.post("/bulk/confirm", endpoint="bulk_confirm")
@requires(Permission.TRANSFER_DECIDE)
def confirm() -> AnyResponse:
    """Do it: up to five hundred at once, more as a job; then the result a line."""
    seat = current_seat()
    picked, versions = _picked(seat)
    key = request.form.get("key", "")[:32]
    if not versions or not key:
        raise DomainError("提交的内容不完整。", fix="请回到列表重新选择。")
    applications = bulk.load(seat, picked.numbers)
    order = _order(applications)
    if runs.of_key(seat, key) is None:
        problem = _problem(order, bulk.foresee(seat, applications, order))
        if problem is not None and problem.status not in {Forbidden.status, Conflict.status}:
            whole = bulk.load(seat, picked.numbers, whole=True)
            return _render(_preview(seat, picked, whole, order, unfinished=False), key)
    branches = {number: branch.id for number, branch in order.branches.items()}
    contents = [
        {**bulk.content(each), "version": versions[each.id], "branch": branches.get(each.id)} for each in applications
    ]
    options = {
        "action": order.action.value,
        "branch": order.branch.id if order.branch else None,
        "ground": order.ground,
        "remark": order.remark,
        "confirmed": order.confirmed,
        "file_checked": order.file_checked,
        "whereabouts_checked": order.whereabouts_checked,
        "back": picked.back,
    }
    title = f"{LISTS[picked.listing]}：{order.action.label}"
    with unit_of_work():
        run = runs.keep(RunKind.DECIDE, seat, contents, key=key, title=title, options=options)
        number = run.id
        at_once = runs.confirm(run)
    if at_once:
        runs.work_off(number)
    return redirect(url_for(".run", run_id=number), 303)


@routes.desk.get("/townships")
@requires(Permission.TRANSFER_DECIDE)
def townships() -> str:
    """A county's list: graduates who wait for its townships, to be taken over in difficulty (PD-22, D-15, T-03)."""
    seat, organisation = current_seat(), own_organisation()
    if not _is_county():
        raise NotFound
    policy = policy_of(organisation)
    filters = Filters(text=request.args.get("q", "").strip())
    page = queries.in_townships(seat, filters).page(**cursors())
    return render_template(
        "desks/many/bulk_townships.html",
        rows=page.rows,
        filters=filters,
        list_url=url_for(".applications"),
        opens=None if county_open(policy, clock.today()) else policy.county_fallback_from,
        clear_months=policy.county_clear_months,
        bulk=bar(ApplicationList.TOWNSHIPS, filters, more=not page.is_whole),
        links=page_links(page, ".townships", q=filters.text),
    )
