"""Staying put, on the phone: apply and sign, report, ask for a refusal (PD-10, PD-35, A-22, R-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases import messages, queries, rounds, signatures, subjects
from zhtj.cases.kind import CaseKind, CaseMatter, FormField, Shape
from zhtj.cases.kinds import kind_of, overseas, retention, staying
from zhtj.cases.models import Case
from zhtj.cases.queries import CaseFilters, CaseList
from zhtj.cases.signatures import Signature
from zhtj.cases.subjects import Invalid
from zhtj.cases.workflow import CaseState
from zhtj.floating import branches, operations
from zhtj.floating import queries as floating
from zhtj.floating.models import Occupation, StayKind
from zhtj.kernel import clock, dates
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Member
from zhtj.people.signing import authentication
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.member.contacts import own_line
from zhtj.web.member.loading import own


class StayingTopic(StrEnum):
    """Which application; the value stands in the address."""

    RETENTION = "retention"
    OVERSEAS_STUDY = "overseas-study"
    DELAY = "delay"

    @property
    def kind(self) -> CaseKind:
        """The kind of case it opens (PD-10)."""
        return kind_of(self.value.replace("-", "_"))


_FIELDS: dict[str, Sequence[FormField]] = {"retention": retention.OWN_FIELDS, "overseas_study": overseas.FIELDS}
# Grounds only an organisation states of somebody: he who cannot be reached does not apply (T-26).
_NOT_HIS = frozenset({retention.DROPOUT})
SIGN = ("signed_name", "password", "read")


@dataclass(frozen=True, slots=True)
class FilledStaying:
    """The form as it comes back: what was typed, what is wrong."""

    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@routes.member.route("/stay/<topic>", methods=["GET", "POST"], endpoint="stay")
@requires(Permission.OWN_MEMBERSHIP)
def apply(topic: str) -> AnyResponse | str:
    """Read, fill in, sign: one page; nothing typed is lost but the password."""
    if topic not in set(StayingTopic):
        raise NotFound
    seat, member = own()
    wanted = StayingTopic(topic)
    kind = wanted.kind
    known = _open_case(seat, kind)
    if known is not None:
        flash("您已经提出过申请，正在办理。", "info")
        return redirect(url_for(".case", case_id=known.id), 303)
    if kind.paper is None:
        return redirect(url_for(".case_new", kind=kind.key), 303)
    if request.method == "GET":
        return _form(wanted, member, FilledStaying(_suggested(kind, member, request.args)))
    typed = {one.name: request.form.get(one.name, "") for one in _FIELDS[kind.key]}
    try:
        signature = _signature(seat)
        with unit_of_work():
            session.refresh(member)
            case = signatures.raise_signed(kind, seat, typed, signature)
            number, level = case.id, case.holder.short_name if case.holder else ""
    except DomainError as error:
        session.expire_all()
        said = {**typed, "signed_name": request.form.get("signed_name", "")}
        return make_response(_form(wanted, member, FilledStaying(said, _errors(error))), error.status)
    flash(f"已签名提交，由{level}办理。", "success")
    return redirect(url_for(".case", case_id=number), 303)


def _errors(error: DomainError) -> Mapping[str, str]:
    return error.errors if isinstance(error, Invalid) else {error.field or "form": str(error)}


def _signature(seat: ActiveSeat) -> Signature:
    """Name and password, and that everything was read (PD-35). Raises DomainError."""
    if request.form.get("read") != "1":
        raise DomainError("请先阅读全文，再勾选。", field="read", rule="PD-35")
    name = request.form.get("signed_name", "").strip()
    if not name:
        raise DomainError("请填写姓名，作为签名。", field="signed_name", rule="PD-35")
    account = authentication.confirm_password(seat.account_id, request.form.get("password", ""))
    return Signature(name, account.id)


def _open_case(seat: ActiveSeat, kind: CaseKind) -> Case | None:
    found = queries.listing(seat, CaseFilters(CaseList.ALL, kind.key, CaseState.WAITING)).page().rows
    return found[0] if found else None


def _suggested(kind: CaseKind, member: Member, said: Mapping[str, str]) -> dict[str, str]:
    """What the record knows, and what a link has said."""
    month = staying.graduation_month(member)
    known = {
        "mobile": member.account.mobile or "",
        "ethnicity": member.ethnicity or "",
        "major": member.major or "",
        "level": next((value for value, _ in overseas.LEVELS if value in (member.degree or "")), ""),
        "graduated": f"{month:%Y-%m}" if month else "",
        "contact": member.emergency_name or "",
        "contact_mobile": member.emergency_phone or "",
        "ground": said.get("ground", "") if said.get("ground", "") in dict(staying.GROUNDS) else "",
    }
    return {name: text for name, text in known.items() if name in {one.name for one in kind.fields}}


def _form(topic: StayingTopic, member: Member, filled: FilledStaying) -> str:
    kind = topic.kind
    home = branches.home_of(member.org)
    paper = signatures.paper_of(kind, CaseMatter(member.org, dict(filled.typed), member))
    options = {
        one.name: [{"value": value, "label": words} for value, words in one.choices if value not in _NOT_HIS]
        for one in kind.fields
    }
    return render_template(
        "member/staying/staying.html",
        topic=topic,
        kind=kind,
        member=member,
        fields=_FIELDS[kind.key],
        typed=filled.typed,
        errors=filled.errors,
        listed=[(name if name != "form" else None, text) for name, text in filled.errors.items()],
        options=options,
        shapes=Shape,
        paper=paper,
        obstacle=_obstacle(kind, member),
        round=rounds.next_of(home.school) if home is not None and topic is StayingTopic.RETENTION else None,
        policy=policy_of(member.org),
        office=_leader(member),
    )


def _leader(member: Member) -> tuple[str, str]:
    home = branches.home_of(member.org)
    return retention.leader_of(home.nearest) if home is not None else ("", "")


def _obstacle(kind: CaseKind, member: Member) -> str:
    """Why he cannot apply at all, said before he fills anything in (A-22)."""
    matter = CaseMatter(member.org, {}, member)
    try:
        if kind.key == retention.KIND.key:
            retention.check_right(matter)
            staying.check_free(member)
        else:
            kind.check(matter)
    except DomainError as error:
        return str(error)
    return ""


@routes.member.route("/cases/<int:case_id>/sign", methods=["GET", "POST"], endpoint="case_sign")
@requires(Permission.OWN_MEMBERSHIP)
def sign(case_id: int) -> AnyResponse | str:
    """Sign the form of a case that my organisation has raised for me."""
    seat, _ = own()
    found = queries.case(seat, case_id)
    kind = kind_of(found.kind)
    if kind.paper is None:
        raise NotFound
    if request.method == "GET":
        return _sign_page(found, kind, FilledStaying(found.data))
    try:
        signature = _signature(seat)
        with unit_of_work():
            session.refresh(found)
            signatures.sign(found, seat, signature, request.form)
    except DomainError as error:
        session.expire_all()
        said = {name: request.form.get(name, "") for name in request.form if name != "password"}
        page = _sign_page(queries.case(seat, case_id), kind, FilledStaying({**found.data, **said}, _errors(error)))
        return make_response(page, error.status)
    flash("已签名。", "success")
    return redirect(url_for(".case", case_id=case_id), 303)


def _sign_page(found: Case, kind: CaseKind, filled: FilledStaying) -> str:
    matter = subjects.matter(found)
    paper = signatures.paper_of(kind, matter)
    return render_template(
        "member/staying/staying_sign.html",
        case=found,
        kind=kind,
        paper=paper,
        signed=signatures.of_case(found),
        fields=[kind.field(name) for name in paper.agreed],
        typed=filled.typed,
        errors=filled.errors,
        listed=[(name if name != "form" else None, text) for name, text in filled.errors.items()],
        member=matter.person,
    )


@routes.member.post("/cases/<int:case_id>/ask-refusal", endpoint="case_ask_refusal")
@requires(Permission.OWN_MEMBERSHIP)
def ask_refusal(case_id: int) -> AnyResponse:
    """Not eligible, or applied by mistake: ask whoever decides to refuse (A-22)."""
    seat, member = own()
    found = queries.case(seat, case_id)
    if not kind_of(found.kind).personal or not found.state.is_open:
        raise NotFound
    with unit_of_work():
        session.refresh(found)
        messages.ask_refusal(found, member.name, request.form.get("why", "").strip()[:200])
    flash("已请办理的团组织不同意这份申请。您也可以自己撤回。", "success")
    return redirect(url_for(".case", case_id=case_id), 303)


@routes.member.route("/floating", methods=["GET", "POST"], endpoint="floating")
@requires(Permission.OWN_MEMBERSHIP)
def stay() -> AnyResponse | str:
    """Where I am kept, until when, my duties; report how I am (R-10 … R-12, R-17)."""
    seat, member = own()
    now = floating.open_stay(member.id)
    if now is None:
        return redirect(url_for(".home"), 303)
    if request.method == "GET":
        return _stay_page(member)
    try:
        with unit_of_work():
            session.refresh(member)
            words = _report(seat, member)
    except DomainError as error:
        session.expire_all()
        return make_response(_stay_page(member, error), error.status)
    flash(words, "success")
    return redirect(url_for(".floating"), 303)


def _report(seat: ActiveSeat, member: Member) -> str:
    place = request.form.get("found_what", "").strip()
    said = request.form.get("situation", "")
    situation = Occupation(said) if said in set(Occupation) - {Occupation.FOUND} else None
    note = request.form.get("note", "").strip()
    if place:
        found = operations.found(seat, member, clock.today(), place)
        operations.reported(seat, note or f"已落实：{place}", None)
        due = found.due_on or clock.today()
        return f"已登记。请在 {dates.short(due)} 前申请转接。"
    operations.reported(seat, note, situation)
    return "已报告，团组织会看到。"


def _stay_page(member: Member, error: DomainError | None = None) -> str:
    now = floating.of_member(member)
    extendable = now.kind is StayKind.SCHOOL and retention.may_extend(now.org) and now.extended_on is None
    return render_template(
        "member/staying/stay.html",
        member=member,
        stay=now,
        due=floating.what_is_due(now) if now.deadline else None,
        log=floating.log_of(now),
        notices=retention.NOTICES,
        situations=[("", "请选择"), *((one.value, one.label) for one in Occupation if one is not Occupation.FOUND)],
        extendable=extendable and now.ground != retention.TEACHING,
        forms=signatures.of_member(member.id),
        typed=request.form if error else {},
        error=error,
        line=_line(member, now.home),
        abroad=now.kind is StayKind.OVERSEAS,
    )


def _line(member: Member, home: Organisation | None) -> list[Organisation]:
    """Whom he can ring: branch, college and school; the college that looks after him although the branch is not its."""
    line = own_line(member.org)
    if home is not None and home not in line:
        line.insert(1, home)
    return line
