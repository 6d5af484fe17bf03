"""事项: what is asked of the levels above - raise, pass up, decide, export; members ask on their own page (PD-34)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases import hearings, operations, queries, special_unit_form, subjects
from zhtj.cases.kind import About, CaseKind, CaseMatter, FormField, Shape, choice_label
from zhtj.cases.kinds import KINDS, kind_of
from zhtj.cases.models import Case, CaseEvent
from zhtj.cases.queries import CaseFilters, CaseList
from zhtj.cases.subjects import Invalid
from zhtj.cases.workflow import CaseAction, CaseState
from zhtj.kernel import audit, clock
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind, scope
from zhtj.notices.waiting import WaitingKind
from zhtj.orgs.models import Organisation, Tier
from zhtj.orgs.queries import by_code_or_name
from zhtj.people.identity import masked
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.cases.staying import signing_of
from zhtj.web.desks.exporting import answer
from zhtj.web.desks.foreseeing import effects_of
from zhtj.web.desks.loading import cursors, number_in, own_organisation, page_links
from zhtj.web.downloads import hand_over
from zhtj.web.rendering.navigation import waiting_kinds

OFFERED = 200
"""Branches whose names are offered while one types."""
DECISIONS = (CaseAction.FORWARD, CaseAction.APPROVE, CaseAction.REFUSE)


def read_filters(values: Mapping[str, str]) -> CaseFilters:
    """Filters of the address or of a form; unknown values count as none."""
    side, kind, state = values.get("side", ""), values.get("kind", ""), values.get("state", "")
    return CaseFilters(
        side=CaseList(side) if side in set(CaseList) else CaseList.MINE,
        kind=kind if kind in KINDS else "",
        state=CaseState(state) if state in set(CaseState) else None,
        text=values.get("q", "").strip()[:100],
        member_id=number_in(values.get("about", "")),
    )


def _kept(filters: CaseFilters) -> dict[str, str]:
    """The filters as arguments of an address."""
    kept = {"side": filters.side.value, "kind": filters.kind, "state": filters.state or "", "q": filters.text}
    kept["about"] = str(filters.member_id or "")
    return {name: value for name, value in kept.items() if value and value != CaseList.MINE}


def _address(filters: CaseFilters) -> str:
    arguments: dict[str, Any] = dict(_kept(filters))
    return url_for(".cases", **arguments)


def _mine(seat: ActiveSeat) -> list[CaseKind]:
    """The kinds this seat may raise."""
    own = own_organisation()
    return [kind for kind in KINDS.values() if seat.kind in kind.raised_by and kind.offered(own)]


@routes.desk.get("/cases")
@routes.member.get("/cases")
@requires(Permission.CASES)
def cases() -> str:
    """The list: what waits here, what we have asked, everything below."""
    seat = current_seat()
    filters = read_filters(request.args)
    if seat.kind is SeatKind.MEMBER:
        filters = CaseFilters(CaseList.ALL)
    listing = queries.listing(seat, filters)
    page = listing.page(**cursors())
    return render_template(
        "cases/list.html",
        rows=[(case, kind_of(case.kind)) for case in page.rows],
        filters=filters,
        kept=_kept(filters),
        sides=list(CaseList),
        waiting=0 if seat.kind is SeatKind.MEMBER else waiting_kinds().get(WaitingKind.CASE, 0),
        kind_options=[(kind.key, kind.label) for kind in KINDS.values()],
        states=list(CaseState),
        total=0 if page.is_whole else listing.count(),
        decisions=DECISIONS,
        own=seat.kind is SeatKind.MEMBER,
        hearings=hearings.waiting(seat) if seat.kind is not SeatKind.MEMBER and filters.side.waits_here else (),
        pickable=seat.kind is not SeatKind.MEMBER and filters.side.waits_here,
        links=page_links(page, ".cases", **_kept(filters)),
    )


@routes.desk.get("/cases/new", endpoint="case_kinds")
@routes.member.get("/cases/new", endpoint="case_kinds")
@requires(Permission.CASES)
def choose_kind() -> str:
    """Which kind of case: what each is for, and where it goes."""
    seat = current_seat()
    about = request.args.get("about", "")
    kinds = [kind for kind in _mine(seat) if not about or kind.about.is_member]
    return render_template("cases/kinds.html", kinds=kinds, about=about, own=seat.kind is SeatKind.MEMBER)


@dataclass(frozen=True, slots=True)
class FilledCase:
    """The form as it comes back: what was typed, what is wrong, which organisations a name may have meant."""

    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    files_lost: bool = False
    near: Mapping[str, Sequence[Organisation]] = field(default_factory=dict)


@routes.desk.route("/cases/new/<kind>", methods=["GET", "POST"], endpoint="case_new")
@routes.member.route("/cases/new/<kind>", methods=["GET", "POST"], endpoint="case_new")
@requires(Permission.CASES)
def raise_case(kind: str) -> AnyResponse | str:
    """The form of a kind, made from its fields; nothing typed is lost."""
    seat, wanted = current_seat(), kind_of(kind)
    if seat.kind not in wanted.raised_by:
        raise Forbidden(f"当前任职不能提出“{wanted.label}”。", rule=wanted.rule)
    if seat.kind is SeatKind.MEMBER and wanted.paper is not None:
        return redirect(url_for(".stay", topic=wanted.key.replace("_", "-")), 303)
    if wanted.anywhere:
        return redirect(url_for(".transfer_in"), 303)
    if request.method == "GET":
        return _form(wanted, seat, FilledCase({"subject": _named(), **_linked(wanted)}))
    typed = {name: _typed(name) for name in ("subject", *(one.name for one in wanted.fields))}
    try:
        with unit_of_work():
            case = operations.raise_case(wanted, seat, typed["subject"], typed, _uploads(wanted))
            number = case.id
            words = f"已提交，由{case.holder.short_name}办理。" if case.holder else f"已提交。{case.outcome or ''}"
    except Forbidden:
        raise
    except DomainError as error:
        session.expire_all()
        errors = error.errors if isinstance(error, Invalid) else {error.field or "subject": str(error)}
        near = error.near if isinstance(error, Invalid) else {}
        lost = any(one.filename for one in request.files.getlist("files"))
        return make_response(_form(wanted, seat, FilledCase(typed, errors, lost, near)), error.status)
    flash(words, "success")
    return redirect(url_for(".case", case_id=number), 303)


def _typed(name: str) -> str:
    """What was typed into a field; the full name of what was picked in its stead from those that came near."""
    code = request.form.get(f"{name}_picked", "")
    picked = by_code_or_name(code) if code else None
    return picked.full_name if picked is not None else request.form.get(name, "")


def _linked(kind: CaseKind) -> dict[str, str]:
    """Answers that a link has already given."""
    return {one.name: request.args[one.name][:200] for one in kind.fields if one.name in request.args}


def _named() -> str:
    """What a link says the case is about: ``about``, an id, or ``subject``, as one would type it."""
    about = request.args.get("about", "")
    return f"#{about}" if about.isdecimal() else request.args.get("subject", "")[:200]


def _uploads(kind: CaseKind) -> list[Upload]:
    """The files that were chosen; of a too large one no more is read than shows it."""
    chosen = [one for one in request.files.getlist("files") if one.filename]
    most = kind.files.at_most + 1
    return [Upload(one.filename or "", one.read(kind.files.largest + 1)) for one in chosen[:most]]


def _form(kind: CaseKind, seat: ActiveSeat, filled: FilledCase) -> str:
    subject = _fixed(kind, seat, filled.typed.get("subject", ""))
    names = []
    if kind.about is About.ORGANISATION and subject is None:
        names = _names_below(seat, kind)
    ids = {"files": "files", "subject": "subject"} | {one.name: one.name for one in kind.fields}
    return render_template(
        "cases/new.html",
        kind=kind,
        typed=filled.typed,
        errors=filled.errors,
        listed=[(ids.get(name), text) for name, text in filled.errors.items()],
        files_lost=filled.files_lost,
        near={name: _pickable(found) for name, found in filled.near.items()},
        subject=subject,
        names=names,
        own=seat.kind is SeatKind.MEMBER,
        options={one.name: [{"value": value, "label": words} for value, words in one.choices] for one in kind.fields},
        shapes=Shape,
        largest=kind.files.largest // 2**20,
    )


def _pickable(found: Sequence[Organisation]) -> list[dict[str, str]]:
    """Organisations to pick from, by their codes."""
    return [{"value": one.code, "label": one.full_name, "note": one.code} for one in found]


def _fixed(kind: CaseKind, seat: ActiveSeat, typed: str) -> Any:
    """The subject a link has already named, or the member himself; what was typed can be typed again."""
    linked = typed.startswith("#") or (typed and request.method == "GET")
    if kind.about is About.NOTHING or not (linked or seat.kind is SeatKind.MEMBER):
        return None
    try:
        return subjects.subject(kind, seat, typed)
    except DomainError:
        return None


def _names_below(seat: ActiveSeat, kind: CaseKind) -> list[str]:
    """Full names to choose from while one types."""
    fits = Organisation.tier == Tier.BRANCH if kind.branches else Organisation.tier != Tier.BRANCH
    query = select(Organisation.full_name).where(
        scope(Organisation.path, seat, Permission.CASES), fits, Organisation.closed_at.is_(None)
    )
    return list(session.scalars(query.order_by(Organisation.path).limit(OFFERED)))


@dataclass(frozen=True, slots=True)
class FailedStep:
    """A step that was not taken: which one, what was typed, why."""

    action: str
    remark: str
    error: DomainError


@routes.desk.get("/cases/<int:case_id>")
@routes.member.get("/cases/<int:case_id>")
@requires(Permission.CASES)
def case(case_id: int) -> str:
    """One case: what is asked, its way, its history, what can be done."""
    seat = current_seat()
    return _page(seat, queries.case(seat, case_id))


def _page(seat: ActiveSeat, found: Case, *, full: bool = False, failed: FailedStep | None = None) -> str:
    kind, matter = kind_of(found.kind), subjects.matter(found)
    possible = queries.possible_actions(seat, found)
    effects = effects_of(found, possible)
    return render_template(
        "cases/case.html",
        effects=effects,
        case=found,
        kind=kind,
        matter=matter,
        said=said(kind, matter, full=full),
        full=full,
        numbers=_has_numbers(kind) and seat.kind is not SeatKind.MEMBER,
        steps=_steps(found),
        possible=possible,
        warning=kind.warn(matter) if CaseAction.APPROVE in possible else "",
        heard=kind.heard(found),
        obstacle=operations.obstacle(found) if CaseAction.APPROVE in possible else "",
        signing=signing_of(seat, found, kind),
        failed=failed,
        history=_history(found),
        own=seat.kind is SeatKind.MEMBER,
    )


def _has_numbers(kind: CaseKind) -> bool:
    return kind.about is About.MEMBER


def said(kind: CaseKind, matter: CaseMatter, *, full: bool) -> list[tuple[str, str]]:
    """What was asked, in words; ID numbers masked unless they were opened (PD-37)."""
    rows: list[tuple[str, str]] = []
    if matter.member is not None:
        own = matter.person.account.id_number or ""
        rows += [
            ("姓名", matter.person.name),
            ("所在团支部", matter.person.org.full_name),
            ("身份证号码", own if full else masked(own)),
        ]
    elif matter.organisation is not None:
        rows.append(("组织全称", matter.body.full_name))
    for one in kind.fields:
        text = matter.said(one.name)
        if text:
            rows.append((one.label, _change(one, matter.stood(one.name), _words(one, text, full=full), full=full)))
    return rows


def _change(one: FormField, before: str | None, after: str, *, full: bool) -> str:
    """Old → new, where the case keeps what stood in the record."""
    return after if before is None else f"{_words(one, before, full=full) or '（空）'} → {after}"


def _words(one: FormField, text: str, *, full: bool) -> str:
    if one.is_secret:
        return text if full else masked(text)
    if one.shape is Shape.PARENT:
        return session.get_one(Organisation, int(text)).full_name
    return choice_label(one, text)


def _steps(found: Case) -> list[dict[str, str]]:
    """The line as ``steps`` shows it."""
    steps = []
    for position, organisation in enumerate(queries.way(found)):
        state = "done" if position < found.level or found.state is CaseState.APPROVED else "todo"
        if position == found.level and found.state is not CaseState.APPROVED:
            state = "current" if found.state.is_open else "failed"
        steps.append({"label": organisation.short_name, "state": state})
    return steps


def _history(found: Case) -> list[dict[str, object]]:
    """The steps taken, newest first."""
    return [
        {
            "at": event.at,
            "title": f"{kind_of(found.kind).says(event.action)}{_target(event)}",
            "actor": " ".join(
                part
                for part in (
                    event.account.name if event.account else "全国后台",
                    event.org.short_name if event.org else "",
                )
                if part
            ),
            "quote": event.remark,
        }
        for event in reversed(found.events)
    ]


def _target(event: CaseEvent) -> str:
    return event.to_org.short_name if event.action is CaseAction.FORWARD and event.to_org else ""


@routes.desk.post("/cases/<int:case_id>/step", endpoint="case_step")
@routes.member.post("/cases/<int:case_id>/step", endpoint="case_step")
@requires(Permission.CASES)
def step(case_id: int) -> AnyResponse:
    """Pass up, approve, refuse or take back, after one inline confirmation."""
    seat = current_seat()
    found = queries.case(seat, case_id)
    action, remark = request.form.get("action", ""), request.form.get("remark", "")[:1000]
    if action not in set(CaseAction) - {CaseAction.RAISE}:
        raise DomainError("提交的内容不完整。", fix="请回到事项页面重新办理。")
    try:
        with unit_of_work():
            session.refresh(found)
            operations.act(found, seat, CaseAction(action), remark)
            words = found.outcome or ""
    except DomainError as error:
        session.expire_all()
        failed = FailedStep(action, remark, error)
        return make_response(_page(seat, queries.case(seat, case_id), failed=failed), error.status)
    flash(f"已{kind_of(found.kind).says(CaseAction(action))}。{words}", "success")
    return redirect(url_for(".case", case_id=case_id), 303)


@routes.desk.post("/cases/<int:case_id>/numbers", endpoint="case_numbers")
@requires(Permission.CASES)
def numbers(case_id: int) -> str:
    """The case with its ID numbers in full; the look is noted (PD-37)."""
    seat = current_seat()
    with unit_of_work():
        audit.record("case.numbers_seen", "case", queries.case(seat, case_id).id)
    return _page(seat, queries.case(seat, case_id), full=True)


@routes.desk.post("/cases/<int:case_id>/files/<int:file_id>", endpoint="case_file")
@routes.member.post("/cases/<int:case_id>/files/<int:file_id>", endpoint="case_file")
@requires(Permission.CASES)
def file(case_id: int, file_id: int) -> Response:
    """One attachment: a picture is shown, a PDF handed over; the look is noted."""
    found = queries.case(current_seat(), case_id)
    with unit_of_work():
        kept, content = operations.file_content(found, file_id)
        media_type, filename = kept.media_type, kept.filename
    return hand_over(content, media_type, filename)


@routes.desk.post("/cases/many", endpoint="cases_many")
@requires(Permission.CASES)
def many() -> AnyResponse | str:
    """What would be done to the picked cases; nothing is written."""
    seat, filters = current_seat(), read_filters(request.form)
    picked = _picked(seat, filters)
    action = request.form.get("action", "")
    if not picked or action not in set(DECISIONS):
        flash("请先勾选事项，再选择怎样办理。", "warning")
        return redirect(_address(filters), 303)
    return _many_page(seat, picked, CaseAction(action), filters)


def _picked(seat: ActiveSeat, filters: CaseFilters) -> list[Case]:
    """The ticked cases, or all of the list."""
    if request.form.get("all"):
        ids = queries.listing(seat, filters).ordered(Case.id).take(operations.MANY + 1, Case.id)
    else:
        ids = [number for text in request.form.getlist("row") if (number := number_in(text)) is not None]
    if len(ids) > operations.MANY:
        raise DomainError(f"一次最多办理 {operations.MANY} 件。", fix="请先用筛选缩小范围，分几次办理。")
    return queries.load(seat, ids)


def _many_page(
    seat: ActiveSeat,
    picked: Sequence[Case],
    action: CaseAction,
    filters: CaseFilters,
    *,
    remark: str = "",
    error: DomainError | None = None,
) -> AnyResponse:
    lines = [(case, kind_of(case.kind), *_possible(seat, case, action)) for case in picked]
    page = render_template(
        "cases/many.html",
        lines=lines,
        action=action,
        doable=sum(may for _, _, may, _ in lines),
        kept=_kept(filters),
        remark=remark,
        error=error,
        result=None,
    )
    return make_response(page, error.status if error else 200)


def _possible(seat: ActiveSeat, case: Case, action: CaseAction) -> tuple[bool, str]:
    """Whether this could be done to it, and why not."""
    if action not in queries.possible_actions(seat, case):
        return False, ""
    why = operations.obstacle(case) if action is CaseAction.APPROVE else ""
    return not why, why


@routes.desk.post("/cases/many/confirm", endpoint="cases_many_confirm")
@requires(Permission.CASES)
def many_confirm() -> AnyResponse | str:
    """Do it; then the result a line."""
    seat, filters = current_seat(), read_filters(request.form)
    picked = _picked(seat, filters)
    action, remark = request.form.get("action", ""), request.form.get("remark", "")[:1000]
    if not picked or action not in set(DECISIONS):
        raise DomainError("提交的内容不完整。", fix="请回到列表重新选择。")
    ids = [one.id for one in picked]
    try:
        with unit_of_work():
            errors = operations.decide(queries.load(seat, ids), seat, CaseAction(action), remark)
    except DomainError as error:
        session.expire_all()
        return _many_page(seat, queries.load(seat, ids), CaseAction(action), filters, remark=remark, error=error)
    session.expire_all()
    result = [(one, kind_of(one.kind), errors.get(one.id)) for one in queries.load(seat, ids)]
    return render_template(
        "cases/many.html", result=result, action=CaseAction(action), kept=_kept(filters), failed=len(errors)
    )


@routes.desk.post("/cases/export", endpoint="cases_export")
@requires(Permission.CASES)
def export() -> AnyResponse:
    """A kind as its form has it, under the list's filters (F-03 … F-06, F-11)."""
    if request.form.get("kind", "") not in KINDS:
        raise DomainError("请选择要导出哪一种事项。", fix="请回到列表重新选择。", field="kind")
    return answer(f"case-{kind_of(request.form['kind']).key}", read_filters(request.form))


@routes.desk.get("/cases/special-units", endpoint="special_units")
@requires(Permission.CASES)
def special() -> str:
    """F-03: who has gone to special units from here this year; the applications fill it (S-09)."""
    seat, season = current_seat(), clock.today().year
    listing = special_unit_form.listing(seat, season)
    page = listing.page(**cursors())
    return render_template(
        "cases/special_units.html",
        rows=page.rows,
        title=special_unit_form.TITLE,
        count=listing.count(),
        filed=special_unit_form.is_filed(own_organisation()),
        season=season,
        links=page_links(page, ".special_units"),
    )
