"""保留和出国: what colleges and schools do about those who stay - applications, rounds, forms on paper (R, A-26)."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from flask import Response, flash, make_response, redirect, render_template, request, send_file, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases import queries, rounds, signatures, subjects
from zhtj.cases.file_rules import LARGEST
from zhtj.cases.kind import CaseKind
from zhtj.cases.kinds import kind_of, retention
from zhtj.cases.kinds.staying import college_name
from zhtj.cases.models import Case, SignedForm
from zhtj.cases.queries import PERSONAL, CaseFilters, CaseList
from zhtj.cases.subjects import Invalid
from zhtj.cases.workflow import CaseParty
from zhtj.floating import branches, operations
from zhtj.floating import queries as floating
from zhtj.floating.branches import Home
from zhtj.imports.graduates import floating_members as f01
from zhtj.imports.spreadsheets import XLSX
from zhtj.kernel import audit, dates
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind
from zhtj.orgs.models import Organisation, Purpose
from zhtj.people.models import Member
from zhtj.policy.vocabulary import StayingCase
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import number_in, own_organisation
from zhtj.web.forms.days import needed_day_in

_PURPOSE = {"retention": Purpose.FLOATING, "overseas_study": Purpose.OVERSEAS, "delay": Purpose.DELAYED}


@dataclass(frozen=True, slots=True)
class Pile:
    """One kind as the page shows it.

    Args:
        waiting, total, granted: how many wait here, how many there are, how many were granted.
        missing: what has to be built before any can be granted (O-12); "" for nothing.
        marked: who is marked as delayed at the desk, and not put into his organisation yet (T-19).
    """

    kind: CaseKind
    waiting: int
    total: int
    granted: int
    missing: str
    marked: int = 0

    @property
    def in_rounds(self) -> bool:
        """Whether committees decide them together, on a day (A-26)."""
        return self.kind.key == retention.KIND.key

    @property
    def export(self) -> str:
        """The endpoint that exports them; "" where there are none, or no form to fill."""
        exports: dict[str, str] = {
            StayingCase.RETENTION: ".staying_export",
            StayingCase.OVERSEAS_STUDY: ".cases_export",
        }
        return exports.get(self.kind.key, "") if self.total else ""


@routes.desk.get("/staying")
@requires(Permission.CASES)
def staying() -> str:
    """Everything about those who stay, on one page."""
    return _page()


def _page(error: DomainError | None = None) -> str:
    seat, own = current_seat(), own_organisation()
    home = branches.home_of(own)
    return render_template(
        "desks/floating/staying.html",
        piles=_piles(seat, own, home),
        rounds=rounds.coming(home.school) if home is not None else [],
        may_announce=seat.kind is SeatKind.SCHOOL and home is not None,
        may_import=seat.kind in {SeatKind.COLLEGE, SeatKind.SCHOOL},
        typed=request.form if error else {},
        error=error,
    )


def _piles(seat: ActiveSeat, own: Organisation, home: Home | None) -> list[Pile]:
    tally = queries.tally(seat, PERSONAL)
    built = branches.there(home) if home is not None else set()
    piles = []
    for kind in (kind_of(key) for key in PERSONAL):
        total, granted, waiting = tally.get(kind.key, (0, 0, 0))
        if total or kind.offered(own):
            marked = _delayed(seat) if kind.key == StayingCase.DELAY else 0
            piles.append(Pile(kind, waiting, total, granted, _missing(kind, own, home, built), marked))
    return piles


def _missing(kind: CaseKind, own: Organisation, home: Home | None, built: set[Purpose]) -> str:
    """What has to be built before anything can be approved (O-12)."""
    purpose = _PURPOSE.get(kind.key)
    if purpose is None or home is None or own.is_branch or purpose in built:
        return ""
    return str(branches.missing(home.school, purpose))


def _delayed(seat: ActiveSeat) -> int:
    """Who is marked as delayed at the desk, and not put into his organisation yet (T-19)."""
    if seat.kind not in {SeatKind.COLLEGE, SeatKind.SCHOOL}:
        return 0
    marked = floating.marked_delayed(seat).with_only_columns(Member.id).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(marked)) or 0


@routes.desk.post("/staying/delayed", endpoint="staying_delayed")
@requires(Permission.CASES)
def place() -> AnyResponse:
    """Put all of them into the organisation of delayed graduates."""
    seat = current_seat()
    try:
        with unit_of_work():
            ids = [one.id for one in session.scalars(floating.marked_delayed(seat))]
            placed = operations.place_marked(seat, ids)
    except DomainError as error:
        flash(str(error), "warning")
        return redirect(url_for(".staying"), 303)
    words = "，".join(f"{name} {number} 人" for name, number in placed.items())
    flash(f"已编入：{words}。" if words else "没有需要编入的团员。", "success")
    return redirect(url_for(".staying"), 303)


@routes.desk.post("/staying/rounds", endpoint="staying_round")
@requires(Permission.CASES)
def announce() -> AnyResponse:
    """Announce when the committee decides next (A-26)."""
    try:
        with unit_of_work():
            new = rounds.announce(
                current_seat(),
                needed_day_in("closes_on", rule="A-26"),
                needed_day_in("decides_on", rule="A-26"),
                request.form.get("note", ""),
            )
            words = dates.short(new.decides_on)
    except DomainError as error:
        session.expire_all()
        return make_response(_page(error), error.status)
    flash(f"已公布：{words} 集中审核。各学院和等待的申请人会收到消息。", "success")
    return redirect(url_for(".staying"), 303)


@routes.desk.post("/staying/rounds/cancel", endpoint="staying_round_cancel")
@requires(Permission.CASES)
def cancel() -> AnyResponse:
    """Take an announced round back."""
    with unit_of_work():
        rounds.cancel(current_seat(), number_in(request.form.get("round", "")) or 0)
    flash("已取消这次集中审核。", "success")
    return redirect(url_for(".staying"), 303)


@dataclass(frozen=True, slots=True)
class Signing:
    """What the page of a case says about its printed form.

    Args:
        signed: the form as it was signed.
        may_sign: the person himself, who has not signed yet.
        may_file: others, who may file it on paper.
        may_ask: the person himself, who may ask that it be refused (A-22).
    """

    signed: SignedForm | None
    may_sign: bool
    may_file: bool
    may_ask: bool


def signing_of(seat: ActiveSeat, found: Case, kind: CaseKind) -> Signing | None:
    """The same for one case; None for a kind that has no such form."""
    if not kind.personal:
        return None
    himself = seat.kind is SeatKind.MEMBER
    signed = signatures.of_case(found) if kind.paper is not None else None
    unsigned = kind.paper is not None and signed is None and found.state.is_open
    acts = bool(queries.parties(seat, found) & {CaseParty.RAISER, CaseParty.HOLDER}) or (
        not himself and seat.may(Permission.CASES, found.raised_org.path)
    )
    return Signing(
        signed,
        may_sign=unsigned and himself,
        may_file=unsigned and not himself and acts and not queries.about_himself(seat, found),
        may_ask=himself and found.state.is_open,
    )


@routes.desk.route("/cases/<int:case_id>/paper", methods=["GET", "POST"], endpoint="case_paper")
@requires(Permission.CASES)
def paper(case_id: int) -> AnyResponse | str:
    """File a form that was signed by hand, or sent in as a picture (R-13)."""
    seat = current_seat()
    found = queries.case(seat, case_id)
    kind = kind_of(found.kind)
    now = signing_of(seat, found, kind)
    if now is None or not now.may_file:
        raise NotFound
    if request.method == "GET":
        return _paper_page(found, kind)
    try:
        with unit_of_work():
            session.refresh(found)
            signatures.file_paper(found, seat, _scan(), request.form)
    except DomainError as error:
        session.expire_all()
        return make_response(_paper_page(queries.case(seat, case_id), kind, error), error.status)
    flash("纸质签名已存入。", "success")
    return redirect(url_for(".case", case_id=case_id), 303)


def _scan() -> Upload:
    chosen = request.files.get("scan")
    if chosen is None or not chosen.filename:
        raise DomainError("请选择照片或扫描件。", field="scan", rule="R-13")
    return Upload(chosen.filename, chosen.read(LARGEST + 1))


def _paper_page(found: Case, kind: CaseKind, error: DomainError | None = None) -> str:
    form = signatures.paper_of(kind, subjects.matter(found))
    errors = error.errors if isinstance(error, Invalid) else {error.field or "scan": str(error)} if error else {}
    return render_template(
        "desks/floating/staying_paper.html",
        case=found,
        kind=kind,
        paper=form,
        asked=[kind.field(name) for name in form.agreed],
        typed=request.form if error else found.data,
        errors=errors,
        largest=LARGEST // 2**20,
    )


@routes.desk.post("/staying/export", endpoint="staying_export")
@requires(Permission.CASES)
def export() -> Response:
    """F-01: the applications of this part of the tree with exactly the document's columns, a sheet a college (R-06)."""
    seat, kind = current_seat(), retention.KIND
    target = BytesIO()
    with unit_of_work():
        lines = queries.export(seat, kind, CaseFilters(CaseList.ALL, kind.key))
        rows = [(college_name(line), [column.cell(line) for column in kind.columns]) for line in lines]
        count = f01.write(target, f01.by_college(rows) or [(kind.title, [])])
        audit.record("cases.export", "organisation", seat.org_id, kind=kind.key, rows=count)
    target.seek(0)
    return send_file(target, XLSX, as_attachment=True, download_name=f"{kind.title}.xlsx")
