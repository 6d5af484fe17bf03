"""Graduation marks: many branches at once, one change, members one by one, the rehearsal of 1 June (G-01 … G-21)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases import operations as cases
from zhtj.cases.kinds import kind_of
from zhtj.graduation import conversion, mark_changes, operations, personal, queries
from zhtj.graduation.models import MarkKind, NoTime
from zhtj.graduation.operations import AT_MOST, BatchLine
from zhtj.graduation.personal import OwnMark
from zhtj.graduation.queries import STATES, MarkFilters
from zhtj.graduation.rules import ChangeGround, ChangeWay, branch_problem, marker_problem
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import Permission
from zhtj.orgs.models import Category, Organisation
from zhtj.orgs.policies import policy_of
from zhtj.rates.reports.mark_effects import MarkEffects
from zhtj.transfers.watching import conversions
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.foreseeing import foresee
from zhtj.web.desks.graduation.marking_lines import marking_lines
from zhtj.web.desks.loading import cursors, load_organisation, number_in, own_organisation, page_links
from zhtj.web.forms.days import month_of
from zhtj.web.rendering.words import Options

SHOWN = 500
"""Lines of a preview or a result on the page; what is not done comes first."""
CASE_PAGE = "case_new"
"""Endpoint of the page on which a change that needs approval is asked for."""


def numbers_in(*names: str) -> list[int]:
    """Ids that a form sends, ticked or as one field of many."""
    texts = [text for name in names for field in request.form.getlist(name) for text in field.split()[: AT_MOST + 1]]
    return sorted({number for text in texts if (number := number_in(text)) is not None})


# ---- the list


def read_filters(said: Any) -> MarkFilters:
    """Filters of the address or of a form; unknown values count as none."""
    state, org = said.get("state", ""), said.get("org", "")
    known = state in STATES or (state.isdecimal() and len(state) == 4)  # noqa: PLR2004 - digits of a year
    chosen = load_organisation(int(org), Permission.GRADUATION_MARK) if number_in(org) else None
    return MarkFilters(state if known else "", chosen.path if chosen else "", said.get("q", "").strip())


def _kept(said: Any) -> dict[str, Any]:
    return {name: value for name in ("state", "org", "q") if (value := said.get(name, "").strip())}


@routes.desk.get("/marking")
@requires(Permission.GRADUATION_MARK)
def marking() -> str:
    """All branches below with their marks, to pick those that graduate at the same time (G-02, G-08)."""
    own = own_organisation()  # held, so that the session has it for whoever asks below
    seat, filters = current_seat(), read_filters(request.args)
    page = queries.branch_list(seat, filters).page(**cursors())
    kept = _kept(request.args)
    figures = queries.mark_counts(seat, filters)
    return render_template(
        "desks/graduation/marking.html",
        rows=marking_lines(page.rows),
        filters=filters,
        kept=kept,
        states=_states(),
        missing=figures.unmarked,
        fresh=figures.new,
        total=0 if page.is_whole else figures.listed,
        disposed=figures.disposed,
        emptied=figures.emptied,
        way=ChangeWay(policy_of(own).mark_edit),
        links=page_links(page, ".marking", **kept),
    )


def _states() -> Options:
    years = [(str(year), f"{year} 年毕业") for year in queries.years(current_seat())]
    return [("", "全部"), *STATES.items(), *years]


# ---- many at once


@dataclass(frozen=True, slots=True)
class Batch:
    """What somebody picked and chose."""

    ids: list[int]
    month_text: str
    month: date | None
    no_time: NoTime | None

    @property
    def chosen(self) -> bool:
        """Whether a time or a reason was given."""
        return self.month is not None or self.no_time is not None

    @property
    def is_mixed(self) -> bool:
        """Whether their members are still to be marked one by one (G-05)."""
        return self.no_time is NoTime.MIXED


def _batch() -> tuple[Batch, DomainError | None]:
    said = request.form
    ids = numbers_in("row", "rows")
    if said.get("all") and not said.get("rows"):
        ids = queries.branch_list(current_seat(), read_filters(said)).take(AT_MOST + 1, Organisation.id)
    reason, text = said.get("no_time", ""), said.get("month", "").strip()
    no_time = NoTime(reason) if reason in set(NoTime) else None
    try:
        return Batch(ids, text, month_of(text), no_time), None
    except DomainError as error:
        return Batch(ids, text, None, no_time), error


@routes.desk.post("/marking/preview", endpoint="marking_preview")
@requires(Permission.GRADUATION_MARK)
def preview() -> AnyResponse:
    """What marking would do to each branch; nothing is written."""
    batch, error = _batch()
    if not batch.ids:
        flash("请先勾选要标记的团支部。", "warning")
        return redirect(url_for(".marking", **_kept(request.form)), 303)
    return _preview(batch, error)


def _preview(batch: Batch, error: DomainError | None = None) -> AnyResponse:
    lines: list[BatchLine] = []
    try:
        complete = batch.chosen and error is None
        lines = operations.foresee(
            current_seat(), batch.ids, month=batch.month, no_time=batch.no_time, complete=complete
        )
    except DomainError as wrong:
        error = wrong
        if len(batch.ids) <= AT_MOST:
            month = batch.month if batch.no_time is None else None
            lines = operations.foresee(current_seat(), batch.ids, month=month, no_time=None, complete=False)
    policy = policy_of(own_organisation())
    page = render_template(
        "desks/graduation/marking_preview.html",
        effects=_foresee_batch(batch) if error is None else None,
        batch=batch,
        lines=sorted(lines, key=lambda line: not line.problem)[:SHOWN],
        total=len(lines),
        doable=sum(not line.problem for line in lines),
        members=sum(line.members for line in lines if not line.problem),
        no_times=[NoTime(one) for one in policy.mark_no_time_reasons],
        policy=policy,
        way=ChangeWay(policy.mark_edit),
        error=error,
        kept=_kept(request.form),
        cut=SHOWN,
    )
    return make_response(page, error.status if error else 200)


def _foresee_batch(batch: Batch) -> MarkEffects | None:
    """What first marks bring to a season whose conversion is over (PD-59)."""
    if batch.month is None or batch.month.year != clock.today().year or not mark_changes.is_after_conversion():
        return None
    seat = current_seat()
    return foresee(
        own_organisation(),
        lambda: operations.mark_many(seat, batch.ids, month=batch.month, no_time=batch.no_time),
        branches=batch.ids,
    )


@routes.desk.post("/marking/confirm", endpoint="marking_confirm")
@requires(Permission.GRADUATION_MARK)
def confirm() -> AnyResponse:
    """Mark them; the result a line (G-04, G-07)."""
    seat, (batch, error) = current_seat(), _batch()
    if not batch.ids:
        flash("请先勾选要标记的团支部。", "warning")
        return redirect(url_for(".marking"), 303)
    if error is None and not batch.chosen:
        error = DomainError("请填写毕业时间，或选择无法确定的原因，两者只填一项。", field="month", rule="G-03")
    # G-07: read and ticked, or nothing is marked.
    if error is None and not request.form.get("read"):
        error = DomainError("请先读完确认事项并勾选。", field="read", rule="G-07")
    if error is not None:
        return _preview(batch, error)
    try:
        with unit_of_work():
            lines = operations.mark_many(seat, batch.ids, month=batch.month, no_time=batch.no_time)
    except DomainError as wrong:
        session.expire_all()
        return _preview(batch, wrong)
    done = [line for line in lines if not line.problem]
    page = render_template(
        "desks/graduation/marking_result.html",
        batch=batch,
        lines=sorted(lines, key=lambda line: not line.problem)[:SHOWN],
        total=len(lines),
        done=len(done),
        members=sum(line.members for line in done),
        cut=SHOWN,
    )
    return make_response(page)


# ---- change of one mark


@routes.desk.route("/organisations/<int:organisation_id>/mark/change", methods=["GET", "POST"], endpoint="mark_change")
@requires(Permission.GRADUATION_MARK)
def change(organisation_id: int) -> AnyResponse:
    """Change a branch's mark as the policy says: never, freely, or by a case (G-14, K-01)."""
    branch = load_organisation(organisation_id, Permission.GRADUATION_MARK)
    mark = queries.marks([branch.id]).get(branch.id)
    if mark is None:
        raise NotFound
    error, effects = None, None
    if request.method == "POST":
        try:
            effects = _foresee_change(branch)
            if effects is None:
                return redirect(_change(branch), 303)
        except Forbidden:
            raise
        except DomainError as wrong:
            session.expire_all()
            error = wrong
    page = render_template(
        "desks/graduation/marking_change.html",
        branch=branch,
        mark=queries.marks([branch.id])[branch.id],
        way=operations.change_way(branch),
        refused=_may_not_change(branch),
        case_url=_case_url(branch),
        no_times=[NoTime(one) for one in policy_of(branch).mark_no_time_reasons],
        grounds=list(ChangeGround),
        typed=request.form,
        error=error,
        effects=effects,
        superior=_superior(branch),
    )
    return make_response(page, error.status if error else 200)


def _superior(branch: Organisation) -> str:
    """Who has to agree to the change that was typed; "" where nobody has (PD-59)."""
    try:
        month = month_of(request.form.get("month", ""))
    except DomainError:
        return ""
    own = own_organisation()
    above = own.parent.office if own.parent is not None else None
    return above.short_name if above is not None and operations.needs_superior(branch, month) else ""


def _may_not_change(branch: Organisation) -> str:
    """Why this seat does not change it, in a sentence; "" if it may."""
    own = own_organisation()
    problem = marker_problem(current_seat().kind, own, branch, policy_of(own))
    if problem is None and branch.category is not Category.GRADUATES:
        problem = branch_problem(branch, policy_of(branch))
    return problem.message + problem.fix if problem else ""


def _case_url(branch: Organisation) -> str | None:
    """Where a change that needs approval is asked for; None as long as there is no such page."""
    endpoint = f"{request.blueprint}.{CASE_PAGE}"
    if endpoint not in current_app.view_functions:
        return None
    return url_for(endpoint, kind="mark_change", subject=branch.code)


@dataclass(frozen=True, slots=True)
class TypedChange:
    """What somebody wants a branch's mark to say, and why."""

    month: date | None
    no_time: NoTime | None
    ground: ChangeGround
    reason: str


def _typed_change(branch: Organisation) -> TypedChange:
    """Raises Forbidden where this seat may not, DomainError for what does not fit."""
    refused = _may_not_change(branch)
    if refused:
        raise Forbidden(refused, rule="G-13")
    if operations.change_way(branch) is not ChangeWay.FREE:
        raise Forbidden("更改毕业时间要由上级批准。", rule="G-14")
    said = request.form
    reason, ground = said.get("no_time", ""), said.get("ground", "")
    if ground not in set(ChangeGround):
        raise DomainError("请选择更改理由。", field="ground", rule="G-15")
    month = month_of(said.get("month", ""))
    no_time = NoTime(reason) if reason in set(NoTime) else None
    return TypedChange(month, no_time, ChangeGround(ground), said.get("reason", ""))


def _do_change(branch: Organisation, wanted: TypedChange, *, decided: bool = False) -> None:
    session.refresh(branch)
    operations.change_mark(
        branch,
        month=wanted.month,
        no_time=wanted.no_time,
        reason=wanted.reason,
        ground=wanted.ground,
        seat_id=current_seat().seat_id,
        decided=decided,
    )


def _foresee_change(branch: Organisation) -> MarkEffects | None:
    """After the conversion first what it would do; None once that has been read (PD-59)."""
    wanted = _typed_change(branch)
    if request.form.get("confirmed") or not mark_changes.is_after_conversion():
        return None
    return foresee(branch, lambda: _do_change(branch, wanted, decided=True), branches=[branch.id])


def _change(branch: Organisation) -> str:
    """Change it, or ask the superior whose word it needs (PD-59). Returns where to go on."""
    wanted, number = _typed_change(branch), branch.id
    with unit_of_work():
        if operations.needs_superior(branch, wanted.month):
            typed = {
                "month": f"{wanted.month:%Y-%m}" if wanted.month else "",
                "no_time": wanted.no_time.value if wanted.no_time else "",
                "ground": wanted.ground.value,
                "detail": wanted.reason,
            }
            case = cases.raise_case(kind_of("mark_change"), current_seat(), f"#{number}", typed)
            holder = case.holder.short_name if case.holder else ""
            flash(f"已提请{holder}决定（事项 {case.number}），同意后自动更改。", "success")
            return url_for(".case", case_id=case.id)
        _do_change(branch, wanted)
        flash(f"{branch.short_name}的毕业时间已更改，名册随之调整。", "success")
    return url_for(".organisation", organisation_id=number)


# ---- members one by one


@routes.desk.route("/organisations/<int:organisation_id>/member-marks", methods=["GET", "POST"])
@requires(Permission.GRADUATE_MARK)
def member_marks(organisation_id: int) -> AnyResponse:
    """Members of a branch with their own marks; mark those that are picked (G-05, G-16, G-17)."""
    branch = load_organisation(organisation_id, Permission.GRADUATE_MARK)
    if not branch.is_branch:
        raise NotFound
    error = None
    if request.method == "POST":
        done = _mark_members(branch)
        if not isinstance(done, DomainError):
            return done or redirect(url_for(".member_marks", organisation_id=organisation_id), 303)
        error = done
    text = request.args.get("q", "").strip()
    page = queries.members_of(branch, text).page(**cursors())
    kinds, problem = personal.offered(current_seat(), branch)
    shown = render_template(
        "desks/graduation/marking_members.html",
        branch=branch,
        mark=queries.marks([branch.id]).get(branch.id),
        rows=page.rows,
        own=queries.own_marks([member.id for member in page.rows]),
        kinds=kinds,
        problem=problem.message + problem.fix if problem else "",
        himself=current_seat().member_id,
        picked=request.form.getlist("member"),
        typed=request.form,
        text=text,
        error=error,
        links=page_links(page, ".member_marks", organisation_id=organisation_id, q=text),
    )
    return make_response(shown, error.status if error else 200)


def _mark_members(branch: Organisation) -> DomainError | AnyResponse | None:
    """Mark them; after the conversion first what that would do (PD-59)."""
    said, ids = request.form, numbers_in("member")
    kind = said.get("kind", "")
    try:
        if kind not in set(MarkKind):
            raise DomainError("请选择标记为什么。", field="kind", rule="G-17")  # noqa: TRY301 - one way out for all
        wanted = OwnMark(MarkKind(kind), month_of(said.get("month", ""), rule="G-17"), said.get("reason", ""))
        if wanted.kind is MarkKind.TEACHER:
            wanted = OwnMark(MarkKind.TEACHER, reason=wanted.reason)
        effects = _foresee_members(branch, lambda: personal.mark_members(current_seat(), branch, ids, wanted), ids)
        if effects is not None:
            return make_response(_effects_page(f"标记为{wanted.kind.label}", effects))
        with unit_of_work():
            session.refresh(branch)
            done = personal.mark_members(current_seat(), branch, ids, wanted)
            count = len(done)
    except DomainError as error:
        session.expire_all()
        return error
    flash(f"已标记 {count} 名团员：{wanted.kind.label}。", "success")
    return None


def _foresee_members(place: Organisation, act: Callable[[], object], ids: list[int]) -> MarkEffects | None:
    """What marking these members would do; None before the conversion, and once that has been read (PD-59)."""
    if request.form.get("confirmed") or not mark_changes.is_after_conversion():
        return None
    return foresee(place, act, members=ids)


def _effects_page(what: str, effects: MarkEffects) -> str:
    """What would happen, with everything that was typed and one button to do it."""
    kept = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    return render_template("desks/graduation/marking_effects.html", what=what, effects=effects, kept=kept)


@routes.desk.get("/delayed")
@requires(Permission.GRADUATE_MARK)
def delayed() -> str:
    """延迟毕业团员列表: delayed graduates and teachers, to be taken back (G-21)."""
    kind = request.args.get("kind", "")
    chosen = MarkKind(kind) if kind in {MarkKind.DELAYED, MarkKind.TEACHER} else None
    listing = queries.disposed(current_seat(), chosen)
    page = listing.page(**cursors())
    return render_template(
        "desks/floating/delayed.html",
        rows=page.rows,
        kind=kind,
        total=listing.count(),
        kinds=[("", "全部"), *((one.value, one.label) for one in (MarkKind.DELAYED, MarkKind.TEACHER))],
        links=page_links(page, ".delayed", kind=kind),
    )


@routes.desk.post("/delayed/undo")
@requires(Permission.GRADUATE_MARK)
def delayed_undo() -> AnyResponse:
    """撤销延迟毕业团员 (G-21); after the conversion first what that would do (PD-59)."""
    ids, seat = numbers_in("member"), current_seat()
    try:
        effects = _foresee_members(own_organisation(), lambda: personal.undo(seat, ids), ids)
        if effects is not None:
            return make_response(_effects_page("撤销标记", effects))
        with unit_of_work():
            count = personal.undo(seat, ids)
    except DomainError as error:
        if error.status in {Forbidden.status, NotFound.status}:
            raise
        flash(f"{error}", "warning")
    else:
        flash(f"已撤销 {count} 名团员的标记，本届名册随之恢复。", "success")
    return redirect(url_for(".delayed"), 303)


# ---- the rehearsal


@routes.desk.get("/marking/rehearsal", endpoint="marking_rehearsal")
@requires(Permission.GRADUATION_MARK)
def rehearsal() -> str:
    """What the conversion of 1 June will do, school by school (G-09)."""
    seat = current_seat()
    return render_template(
        "desks/graduation/marking_rehearsal.html",
        forecast=conversion.forecast(seat.path),
        schools=conversion.by_school(seat.path)[:SHOWN],
        stranded=conversions.foreseen(seat.path),
        stranded_count=conversions.count_foreseen(seat.path),
        own=own_organisation(),
    )
