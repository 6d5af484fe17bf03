"""What waits for me, each line decidable where it stands: release, accept, allocate, refuse, withdraw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases import operations as cases
from zhtj.cases.kinds import external_answer, kind_of
from zhtj.cases.queries import waiting_about
from zhtj.cases.subjects import Invalid
from zhtj.kernel import clock
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.letters import queries as letters
from zhtj.orgs.models import Organisation
from zhtj.transfers import operations, queries
from zhtj.transfers.applying import special_units
from zhtj.transfers.deciding import external, receiving
from zhtj.transfers.deciding.decisions import foresee
from zhtj.transfers.deciding.questions import Questions, asked_for
from zhtj.transfers.many import bulk
from zhtj.transfers.models import Application
from zhtj.transfers.queries import ApplicationList, Filters, WaitingPart, open_application
from zhtj.transfers.rules import Ground, grounds
from zhtj.transfers.workflow import Action, State
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.letters.letter_page import of_application
from zhtj.web.desks.loading import cursors, page_links
from zhtj.web.desks.many.bulk import bar, read_filters, waiting_in
from zhtj.web.desks.transfers.application_page import application_page
from zhtj.web.htmx import fragment_or_redirect, is_htmx
from zhtj.web.rendering.navigation import waiting_counts, waiting_kinds
from zhtj.web.rendering.words import file_required

URGENT = timedelta(days=2)
TYPED = ("remark", "ground", "branch", "file_checked", "whereabouts_checked")


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One application as a line of work.

    Args:
        actions: what the seat may do; buttons are read off it.
        branches: where an accepted member can be put.
        typed: what was in the form when it failed; nothing typed is lost.
        message: what just happened, once.
    """

    application: Application
    actions: Sequence[Action]
    branches: list[Organisation]
    error: DomainError | None = None
    opened: Action | None = None
    typed: dict[str, str] = field(default_factory=dict)
    message: str = ""

    @property
    def key(self) -> str:
        """The id of its element on the page."""
        return f"app-{self.application.id}"

    def address(self, list_url: str) -> str:
        """Where the application stands; its actions lie below."""
        return f"{list_url}/{self.application.id}"

    def asks(self, action: Action) -> Questions:
        """What is asked before ``action``."""
        return asked_for(action)

    def in_place(self, action: Action) -> bool:
        """Whether a plain yes is enough, asked where the line stands; what has a choice is opened first (A-13)."""
        asks, application = asked_for(action), self.application
        if not asks.checks:
            return asks.hands_on
        receiver = application.to_org
        return receiver.is_branch and not file_required(receiver) and not receiving.whereabouts_asked(application)

    @property
    def only_branch(self) -> int | None:
        """The branch, where there is no choice."""
        return self.branches[0].id if len(self.branches) == 1 else None

    @property
    def is_urgent(self) -> bool:
        """Whether it goes back within two days."""
        due = self.application.due_at
        return due is not None and due <= clock.now() + URGENT

    @property
    def grounds(self) -> list[Ground]:
        """Grounds of refusal offered now, forbidden ones last."""
        return grounds(self.application.state)


def line(seat: ActiveSeat, application: Application, opened: Action | None = None) -> WorkLine:
    """The line as ``seat`` sees it; a form that asks for more than a yes is only there once it is opened."""
    # Amending asks for a page of its own (``changes``).
    actions = [action for action in queries.possible_actions(seat, application) if action is not Action.AMEND]
    opened = opened if opened in actions else None
    asks = asked_for(opened) if opened is not None else Questions()
    if opened is not None and asks.branch and (asks.floating or not application.to_org.is_branch):
        return WorkLine(application, actions, bulk.branches_for(seat, opened, [application]), opened=opened)
    return WorkLine(application, actions, [], opened=opened)


@routes.desk.get("/applications/<int:application_id>/<action>")
@requires(Permission.TRANSFER_DECIDE)
def ask(application_id: int, action: str) -> str:
    """The line with the form of ``action`` opened: in place with htmx, as the application's page without."""
    seat = current_seat()
    if action not in set(Action):
        raise NotFound
    shown = line(seat, queries.application(seat, application_id), Action(action))
    return render_line(shown) if is_htmx() else render_page(shown)


def render_line(shown: WorkLine) -> str:
    """One line by itself, for htmx."""
    return render_template("desks/transfers/_line.html", line=shown, list_url=url_for(".applications"))


def may_repeat(application: Application) -> bool:
    """Whether this seat may start an application anew that has ended without success (A-23, X-06)."""
    ended = not application.state.is_open and application.state is not State.COMPLETED
    still_there = application.member.org_id == application.from_org_id
    serves = current_seat().may(Permission.TRANSFER_OUT, application.from_org.path)
    mine = current_seat().member_id == application.member_id
    return ended and still_there and serves and not mine and open_application(application.member_id) is None


def render_page(shown: WorkLine, secret_unit: str = "") -> str:
    """The page of one application: everything the decider has to see (A-13); a special unit's name on demand."""
    application = shown.application
    may_issue = current_seat().may(Permission.LETTER_ISSUE, application.from_org.path)
    may_print = current_seat().may(Permission.LETTER_VIEW, application.from_org.path)
    return render_template(
        "desks/transfers/application.html",
        line=shown,
        list_url=url_for(".applications"),
        application=application,
        letter=of_application(
            letters.of_application(application.id),
            letters.problem(application),
            issues=may_issue,
            is_open=application.state.is_open,
        ),
        page=application_page(current_seat(), application),
        evidence=external.evidence_of(application.id),
        asked=waiting_about(application.member_id, external_answer.KEY) if application.state.is_open else None,
        may_open_name=special_units.may_open(application, current_seat()),
        secret_unit=secret_unit,
        may_repeat=may_repeat(application),
        may_print=may_print,
    )


@routes.desk.get("/waiting")
@requires(Permission.TRANSFER_DECIDE)
def waiting() -> AnyResponse | str:
    """What waits for this organisation: to be decided, or to be put into a branch."""
    seat, filters = current_seat(), read_waiting()
    states = waiting_in(filters.part)
    if not (states or request.args) and waiting_counts():
        return redirect(url_for(".waiting", tab=WaitingPart.ALLOCATE.value))
    page = queries.waiting(seat, filters).page(**cursors())
    return render_template(
        "desks/watching/waiting.html",
        lines=[line(seat, application) for application in page.rows],
        filters=filters,
        list_url=url_for(".applications"),
        states=states,
        kinds=waiting_kinds(),
        bulk=bar(ApplicationList.WAITING, filters, more=not page.is_whole),
        links=page_links(page, ".waiting", **filters.said),
    )


def read_waiting() -> Filters:
    """Filters of the address of this list, which is shown in two parts."""
    filters = read_filters(request.args)
    usual = WaitingPart.ALLOCATE if filters.state is State.AWAITING_ALLOCATION else WaitingPart.DECIDE
    return replace(filters, part=filters.part or usual)


@routes.desk.post("/applications/<int:application_id>/<action>")
@requires(Permission.TRANSFER_DECIDE)
def decide(application_id: int, action: str) -> AnyResponse:
    """Do ``action``; the line becomes its own result."""
    seat = current_seat()
    if action not in set(Action):
        raise NotFound
    wanted = Action(action)
    typed = {key: request.form.get(key, "").strip() for key in TYPED}
    application = queries.application(seat, application_id)
    try:
        with unit_of_work():
            session.refresh(application)
            said = _do(seat, application, wanted, typed)
    except DomainError as error:
        session.expire_all()
        fresh = line(seat, queries.application(seat, application_id), wanted)
        return _failed(replace(fresh, error=error, typed=typed))
    session.expire_all()
    done = queries.application(seat, application_id)
    message = f"{done.member.name}：{said or _outcome(done, wanted)}"
    if not is_htmx():
        flash(message, "success")
    shown = replace(line(seat, done), message=message)
    return fragment_or_redirect(render_line(shown), _back())


def _do(seat: ActiveSeat, application: Application, action: Action, typed: dict[str, str]) -> str:
    """Do it; says what happened instead, where the application itself has not moved."""
    if action in {Action.CONFIRM, Action.FAIL}:
        return _record_answer(seat, application, action, typed["remark"])
    if action not in _DECISIONS:
        raise NotFound
    _DECISIONS[action](seat, application, typed)
    return ""


def _record_answer(seat: ActiveSeat, application: Application, action: Action, remark: str) -> str:
    """What the other system said; without a file a second person of the direct superior is asked (PD-32, PD-61)."""
    upload = sent_file()
    if upload is not None or not external.needs_second_person(application):
        record = external.confirm if action is Action.CONFIRM else external.fail
        record(application, seat, remark, upload)
        return ""
    _, errors = foresee([application], seat, action)
    if errors:
        raise errors[application.id]
    typed = {"answer": action.value, "note": remark}
    try:
        case = cases.raise_case(kind_of(external_answer.KEY), seat, f"#{application.member_id}", typed)
    except Invalid as error:
        raise DomainError(error.errors.get("note") or str(error), field="remark", rule="PD-32") from error
    who = case.holder.short_name if case.holder else ""
    return f"没有凭据，已提请{who}的另一个人确认（事项 {case.number}）"


def _refuse(seat: ActiveSeat, application: Application, typed: dict[str, str]) -> None:
    if typed["ground"] not in set(Ground):
        raise DomainError("请选择不同意的理由。", field="ground", rule="A-15")
    operations.refuse(application, seat, Ground(typed["ground"]), typed["remark"])


def sent_file() -> Upload | None:
    """The evidence that came with the form, if a file was chosen (PD-32)."""
    found = request.files.get("file")
    return Upload(found.filename, found.read()) if found is not None and found.filename else None


def _accept(seat: ActiveSeat, application: Application, typed: dict[str, str]) -> None:
    """Say yes, put him into a branch at once if one was chosen, note what was checked (A-12, E-07, T-05)."""
    branch = _branch(typed) if typed["branch"] else None
    checked = {"file": bool(typed["file_checked"]), "whereabouts": bool(typed["whereabouts_checked"])}
    receiving.check_before_yes(application, **checked)
    operations.accept(application, seat, remark=receiving.noted(application, typed["remark"], **checked))
    if branch is not None:
        session.refresh(application)
        operations.allocate(application, seat, branch)


def _branch(typed: dict[str, str]) -> Organisation:
    branch = session.get(Organisation, int(typed["branch"])) if typed["branch"].isdecimal() else None
    if branch is None:
        raise DomainError("请选择要编入的团支部。", field="branch", rule="A-12")
    return branch


# What the buttons of a line do; those that are missing here have a page of their own.
_DECISIONS: dict[Action, Callable[[ActiveSeat, Application, dict[str, str]], None]] = {
    Action.RELEASE: lambda seat, one, typed: operations.release(one, seat, remark=typed["remark"]),
    Action.ACCEPT: _accept,
    Action.ALLOCATE: lambda seat, one, typed: operations.allocate(one, seat, _branch(typed)),
    Action.TAKE_OVER: lambda seat, one, typed: operations.take_over(one, seat, _branch(typed)),
    Action.APPROVE: lambda seat, one, typed: operations.approve(one, seat, remark=typed["remark"]),
    Action.REFUSE: _refuse,
    Action.WITHDRAW: lambda seat, one, typed: operations.withdraw(one, seat, remark=typed["remark"]),
}


def _outcome(application: Application, action: Action) -> str:
    if action in {Action.APPROVE, Action.CONFIRM}:
        return "已批准，进入特殊单位专属库" if action is Action.APPROVE else f"已登记，{application.to_name}已接收"
    return {
        State.COMPLETED: f"已转入{application.to_name}",
        State.FAILED_EXTERNAL: "已登记对方未接收，可以重新发起",
        State.AWAITING_ALLOCATION: "已同意，请分配团支部",
        State.AWAITING_ACCEPTANCE: "已同意转出，等待对方审批",
        State.REFUSED: "已退回申请人，理由已告知",
        State.WITHDRAWN: "申请已撤销",
    }.get(application.state, f"已办理“{action.label}”")


def _failed(shown: WorkLine) -> Response:
    error = shown.error
    status = error.status if error else 422
    if is_htmx():
        return make_response(render_line(shown), status)
    return make_response(render_page(shown), status)


def _back() -> str:
    return url_for(".waiting")
