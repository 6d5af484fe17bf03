"""Decide many applications at once: what would happen to each, and then that it happens (A-08 … A-18, PD-22).

Both read off the same checks as a single decision; a line that cannot be done says why and spoils no other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import defer, joinedload

from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.models import Category, Organisation, Purpose
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Account, Member
from zhtj.policy.model import Policy
from zhtj.transfers import operations, parties, queries
from zhtj.transfers.deciding import decisions, objections, receiving
from zhtj.transfers.deciding.questions import asked_for
from zhtj.transfers.many.results import Result
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import Action, State

AT_MOST = 5000
# In the order in which they are offered.
BULK = (
    Action.ACCEPT,
    Action.RELEASE,
    Action.ALLOCATE,
    Action.APPROVE,
    Action.TAKE_OVER,
    Action.REFUSE,
    Action.WITHDRAW,
)
INTO_BRANCH = frozenset(action for action in BULK if asked_for(action).branch)
RECEIVING = frozenset({Action.ACCEPT, Action.APPROVE, Action.TAKE_OVER})


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done to each of the lines.

    Args:
        branch: where all of them arrive that are not named in ``branches``.
        branches: where single ones arrive, by application.
        ground, remark: of a refusal; the remark of any other decision.
        confirmed: what cannot be undone has been read (S-07).
        file_checked: the files of all of them have been checked (E-07).
        whereabouts_checked: none of the unplaced works elsewhere already (T-05).
    """

    action: Action
    branch: Organisation | None = None
    branches: Mapping[int, Organisation] = field(default_factory=dict)
    ground: str = ""
    remark: str = ""
    confirmed: bool = False
    file_checked: bool = False
    whereabouts_checked: bool = False

    def branch_for(self, application: Application) -> Organisation | None:
        """Where this one is to arrive; None if nothing is chosen, or if the destination is a branch itself."""
        if self.action not in INTO_BRANCH or (self.action is Action.ACCEPT and application.to_org.is_branch):
            return None
        return self.branches.get(application.id, self.branch)


@dataclass(frozen=True, slots=True)
class Foresight:
    """What would happen to one application.

    Args:
        after: its new state; None if it cannot be done.
        lands: the organisation that has the member then, or decides next.
        warnings: what the applicant confirmed, and what does not fit about the joining date (PD-11, E-06).
        error: why not.
    """

    application: Application
    after: State | None = None
    lands: str = ""
    warnings: tuple[str, ...] = ()
    error: DomainError | None = None

    @property
    def arrives_in(self) -> str:
        """The branch that the member belongs to then; "" if somebody has to decide again."""
        return self.lands if self.after is State.COMPLETED else ""

    @property
    def takes_branch(self) -> bool:
        """Whether a branch of its own can be chosen for it (A-12)."""
        return self.after is not None and not self.application.to_org.is_branch


_LIGHT = (defer(Application.contact_mobile), defer(Application.unit_address), defer(Application.initiator_account_id))
_NAMES = (Member.account_id, Member.org_id)


def load(seat: ActiveSeat, numbers: Sequence[int], *, whole: bool = False) -> list[Application]:
    """These applications as they are now, inside what the seat may see, in the order of ``numbers``.

    Args:
        seat: who looks.
        numbers: ids.
        whole: with what a receiver should know of each member, to be shown; a decision needs the names alone.
    """
    of_member = (*_NAMES, Member.joined_on, Member.dev_number) if whole else _NAMES
    of_account = (Account.name, Account.id_number) if whole else (Account.name,)
    member = joinedload(Application.member).load_only(*of_member)
    query = (
        select(Application)
        .where(Application.id.in_(numbers), queries.visible(seat))
        .options(member.joinedload(Member.account).load_only(*of_account), *_LIGHT)
        .execution_options(populate_existing=True)
    )
    found = {application.id: application for application in session.scalars(query)}
    rows = [found[number] for number in numbers if number in found]
    queries.attach_organisations(rows)
    return rows


def _again(numbers: Sequence[int]) -> Sequence[Application]:
    """Applications that were loaded before, as they are after a step; their members are known."""
    rows = session.scalars(select(Application).where(Application.id.in_(numbers)).options(*_LIGHT)).all()
    queries.attach_organisations(rows)
    return rows


def foresee(
    seat: ActiveSeat, applications: Sequence[Application], order: Order, *, unfinished: bool = False, warn: bool = False
) -> list[Foresight]:
    """What ``order`` would do to each of these now; nothing is written.

    Args:
        seat: who would decide.
        applications: as ``load`` gave them.
        order: what would be done.
        unfinished: ground, branch or ticks may still be missing; nobody has been asked for them yet.
        warn: with warnings; ``applications`` were loaded whole.
    """
    seen: dict[int, Foresight] = {}
    doubts = _Doubts()
    if unfinished:
        order = replace(order, file_checked=True, whereabouts_checked=True)
    with parties.many():
        for branch, group in _by_branch(applications, order):
            check = None if unfinished and _is_unfinished(order, branch) else _check(seat, order, branch)
            allowed, errors = decisions.foresee(group, seat, order.action, branch=branch, check=check)
            for application, state in allowed:
                after = State.COMPLETED if branch is not None else state
                warnings = doubts.about(application) if warn and order.action in RECEIVING else ()
                seen[application.id] = Foresight(application, after, _lands(application, after, branch), warnings)
            for application in group:
                if application.id in errors:
                    seen[application.id] = Foresight(application, error=errors[application.id])
    return [seen[application.id] for application in applications]


def _by_branch(
    applications: Sequence[Application], order: Order
) -> Iterator[tuple[Organisation | None, list[Application]]]:
    groups: dict[int | None, list[Application]] = defaultdict(list)
    branches: dict[int | None, Organisation | None] = {}
    for application in applications:
        branch = order.branch_for(application)
        number = branch.id if branch else None
        groups[number].append(application)
        branches[number] = branch
    for number, group in groups.items():
        yield branches[number], group


def _lands(application: Application, after: State, branch: Organisation | None) -> str:
    if branch is not None:
        return branch.short_name
    return application.from_name if after in {State.REFUSED, State.WITHDRAWN} else application.to_name


class _Doubts:
    """What a receiver should know of each; a policy is read once an organisation."""

    def __init__(self) -> None:
        self._policies: dict[int, Policy] = {}

    def about(self, application: Application) -> tuple[str, ...]:
        old = application.from_org
        if old.id not in self._policies:
            self._policies[old.id] = policy_of(old)
        return (*application.warnings, *receiving.joining_doubts(application.member, self._policies[old.id]))


def _is_unfinished(order: Order, branch: Organisation | None) -> bool:
    if order.action is Action.REFUSE:
        return not order.ground
    return branch is None and order.action is not Action.WITHDRAW


def _check(seat: ActiveSeat, order: Order, branch: Organisation | None) -> decisions.Check | None:
    """What is checked of a line besides the workflow itself."""
    if order.action is Action.REFUSE:
        if order.ground not in set(Ground):
            return _always(DomainError("请选择不同意的理由。", field="ground", rule="A-15"))
        return operations.refusable(Ground(order.ground), order.remark)
    if order.action is Action.ACCEPT:
        return _acceptable(order, branch)
    if order.action not in INTO_BRANCH:
        return None
    if branch is None:
        return _always(DomainError("请选择要编入的团支部。", field="branch", rule="A-12"))
    return operations.taken_over_into(branch, seat) if order.action is Action.TAKE_OVER else operations.below(branch)


def _acceptable(order: Order, branch: Organisation | None) -> decisions.Check:
    """What has to be checked before a yes, and that the branch fits (E-07, T-05, A-12)."""
    placed = operations.below(branch) if branch is not None else None
    required: dict[int, bool] = {}

    def check(application: Application) -> None:
        to = application.to_org
        if to.id not in required:
            required[to.id] = receiving.file_check_required(to)
        receiving.check_before_yes(
            application,
            file=order.file_checked,
            whereabouts=order.whereabouts_checked,
            file_required=required[to.id],
        )
        if placed is not None:
            placed(application)

    return check


def _always(error: DomainError) -> decisions.Check:
    def check(application: Application) -> None:
        del application
        raise error

    return check


def content(application: Application) -> dict[str, Any]:
    """A line to be kept: which application in which version, and how the result page calls it."""
    return {
        "id": application.id,
        "version": application.version,
        "name": application.member.name,
        "from": application.from_name,
        "to": application.to_name,
    }


def decide_lines(seat: ActiveSeat, options: dict[str, Any], contents: Sequence[dict[str, Any]]) -> list[Result]:
    """Do to each line what was ordered, in a handful of statements; a line that has changed meanwhile is told.

    Args:
        seat: who decides.
        options: ``action``, ``branch`` (id), ``ground``, ``remark``, ``confirmed``, ``file_checked``,
            ``whereabouts_checked``.
        contents: as ``content``, optionally with ``branch`` (id).
    """
    order = _order(options, contents)
    if order.action is Action.APPROVE and not order.confirmed:
        error = DomainError("省级团委批准后不能撤回。", fix="请先勾选确认。", field="confirmed", rule="S-07")
        return [Result.refusal(error, line["id"]) for line in contents]
    applications = load(seat, [line["id"] for line in contents])
    versions = {line["id"]: line["version"] for line in contents}
    changed = [each.id for each in applications if each.version != versions[each.id]]
    answers: dict[int, Result] = {}
    fresh = [each for each in applications if each.version == versions[each.id]]
    for seen in foresee(seat, fresh, order):
        answers[seen.application.id] = _answer(seen)
    doable = [each for each in fresh if answers[each.id].ok]
    answers |= {number: Result.refusal(error, number) for number, error in _decide(seat, doable, order).items()}
    for application in decisions.with_history(changed):
        answers[application.id] = Result.refusal(decisions.stale(application), application.id)
    missing = Result.refusal(NotFound("没有找到这份申请，或不在您的管理范围内。"))
    return [answers.get(line["id"], missing) for line in contents]


def _order(options: dict[str, Any], contents: Sequence[dict[str, Any]]) -> Order:
    wanted = {line["branch"] for line in contents if line.get("branch")} | {options.get("branch")}
    found = {number: session.get(Organisation, number) for number in wanted if number}
    return Order(
        Action(options["action"]),
        found.get(options.get("branch")),
        {line["id"]: branch for line in contents if (branch := found.get(line.get("branch"))) is not None},
        options.get("ground", ""),
        options.get("remark", ""),
        bool(options.get("confirmed")),
        bool(options.get("file_checked")),
        bool(options.get("whereabouts_checked")),
    )


def _decide(seat: ActiveSeat, applications: Sequence[Application], order: Order) -> dict[int, DomainError]:
    """Do it. Returns why not, by id, for those whom somebody overtook."""
    errors: dict[int, DomainError] = {}
    with parties.many():
        for branch, remark, group in _by_remark(applications, order):
            numbers = [application.id for application in group]
            members = [application.member for application in group]  # kept, so that nobody is read again
            late = decisions.decide(
                group,
                seat,
                order.action,
                branch=None if order.action is Action.ACCEPT else branch,
                ground=order.ground or None if order.action is Action.REFUSE else None,
                remark=remark,
            )
            errors |= late
            done = [number for number in numbers if number not in late]
            if order.action is Action.ACCEPT and branch is not None:
                _allocate(seat, done, branch)
            del members
            if order.action is Action.REFUSE and done:
                ground = Ground(order.ground)
                objections.flag_forbidden_ground(decisions.with_history(done), ground, order.remark)
    return errors


def _remark(application: Application, order: Order) -> str:
    if order.action is not Action.ACCEPT:
        return order.remark
    return receiving.noted(application, order.remark, file=order.file_checked, whereabouts=order.whereabouts_checked)


def _by_remark(
    applications: Sequence[Application], order: Order
) -> Iterator[tuple[Organisation | None, str, list[Application]]]:
    """Those decided alike: into one branch, with one remark."""
    for branch, group in _by_branch(applications, order):
        remarks: dict[str, list[Application]] = defaultdict(list)
        for application in group:
            remarks[_remark(application, order)].append(application)
        for remark, part in remarks.items():
            yield branch, remark, part


def _allocate(seat: ActiveSeat, numbers: Sequence[int], branch: Organisation) -> None:
    """The second half of accepting into a branch, as a step of its own in the history (A-12)."""
    failed = decisions.decide(_again(numbers), seat, Action.ALLOCATE, branch=branch)
    for error in failed.values():
        raise error


_DONE = {
    State.COMPLETED: "已转入{lands}。",
    State.AWAITING_ALLOCATION: "已同意，请分配团支部。",
    State.AWAITING_ACCEPTANCE: "已同意转出，等待{lands}审批。",
    State.AWAITING_EXTERNAL: "已同意转出，等待外部系统处理。",
    State.REFUSED: "已退回申请人，理由已告知。",
    State.WITHDRAWN: "申请已撤销，可以重新发起。",
}


def _answer(seen: Foresight) -> Result:
    if seen.after is None:
        error = seen.error or NotFound()
        return Result.refusal(error, seen.application.id)
    return Result(ok=True, text=_DONE[seen.after].format(lands=seen.lands), application_id=seen.application.id)


def branches_for(seat: ActiveSeat, action: Action, applications: Sequence[Application]) -> list[Organisation]:
    """Branches that all of these could arrive in; the county's floating ones where it takes over (T-03)."""
    if action is Action.TAKE_OVER:
        floating = select(Organisation).where(
            Organisation.parent_id == seat.org_id,
            Organisation.purpose == Purpose.FLOATING,
            Organisation.category == Category.BRANCH,
            Organisation.closed_at.is_(None),
        )
        return list(session.scalars(floating.order_by(Organisation.path)))
    tops = {each.to_org_id: each.to_org for each in applications if not each.to_org.is_branch}
    highest = [org for org in tops.values() if not _stands_below(org, tops.values())]
    return [branch for org in sorted(highest, key=lambda one: one.path) for branch in queries.branches_below(org)]


def _stands_below(organisation: Organisation, others: Any) -> bool:
    return any(organisation.path != other.path and organisation.path.startswith(other.path) for other in others)
