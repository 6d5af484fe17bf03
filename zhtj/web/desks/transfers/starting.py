"""Start an application for somebody: 办理转出 for a member of ours, 办理转入 for somebody elsewhere (A-03, A-04)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases import operations as cases
from zhtj.cases.kinds import kind_of, restoration
from zhtj.kernel import audit, limits
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, TooMany
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.orgs import queries as orgs
from zhtj.orgs.models import Organisation, Purpose, Region
from zhtj.orgs.policies import policy_of
from zhtj.orgs.searching.search import SearchResult, search
from zhtj.people.finding import archived
from zhtj.people.finding import members as people
from zhtj.people.finding.archived import ArchivedRecord
from zhtj.people.models import Member
from zhtj.policy.vocabulary import PlaceTie
from zhtj.transfers import operations, queries
from zhtj.transfers.applying import checks
from zhtj.transfers.applying.situations import Leaver, Submission, leaver, special_unit
from zhtj.transfers.many import mass_starts
from zhtj.transfers.models import Application
from zhtj.transfers.rules import low_age
from zhtj.transfers.workflow import Track
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import load_member, own_organisation

FOUND_FOR = 30 * 60  # seconds a found person stays found
DIGITS = 10  # more have no id
SITUATION_AT_MOST = 32
FIELDS = (
    "reason",
    "place",
    "unit_name",
    "unit_address",
    "contact_mobile",
    "remark",
    "confirmed",
    "external_name",
    "external_name_again",
    "situation",
    "unable",
)
SPECIAL = "special"  # stands where an organisation's code would: for a special unit none is chosen (S-02)


@dataclass(frozen=True)
class StartPage:
    """What the form of a start shows: the member, the destination once chosen, what was typed, what is wrong.

    Args:
        special: to a special unit, for which no organisation is chosen.
        follows: the ended application that this one starts again.
    """

    member: Member
    destination: Organisation | None
    typed: Mapping[str, str]
    error: DomainError | None = None
    special: bool = False
    follows: Application | None = None

    @cached_property
    def leaver(self) -> Leaver:
        """What is known of the member."""
        return leaver(self.member)

    @property
    def is_special(self) -> bool:
        """Whether it goes to a special unit (S-02)."""
        pool = self.destination is not None and self.destination.purpose is Purpose.SPECIAL_POOL
        return self.special or pool

    @property
    def region(self) -> Organisation | None:
        """The region with a system of its own it goes to (X-01)."""
        found = self.destination
        return found if found is not None and found.system is not Region.NATIONAL else None

    @property
    def self_report(self) -> bool:
        """Whether the member has to report himself there as well (X-06)."""
        return self.region is not None and any(
            each.self_report for each in self.leaver.policy.external_systems if each.code == self.region.code
        )

    @property
    def too_young(self) -> int:
        """The age below which those systems refuse, if he joined younger; else 0 (X-09, PD-33)."""
        policy = self.leaver.policy
        return policy.interface_min_age if self.region and low_age(policy, self.member) else 0

    @property
    def staying(self) -> str:
        """Why nothing can be started where he is; "" if it can (S-07, X-03)."""
        return str(checks.may_leave(self.leaver) or "")

    @property
    def under_way(self) -> Application | None:
        """The open application that forbids another one, where the seat may see it (A-06, A-05)."""
        return queries.seen(current_seat(), queries.open_application(self.member.id))

    @property
    def remark_words(self) -> tuple[str, ...]:
        """Words of which the remark for a special unit must contain one (S-04)."""
        return self.leaver.policy.special_unit_remark

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """Reasons offered to this member: key and label (PD-10)."""
        who = self.leaver
        return [
            (key.value, spec.label)
            for key, spec in who.policy.reasons.items()
            if who.audience in spec.audiences
            and spec.chooses_destination
            and (spec.may_be_external or self.region is None)
        ]

    @property
    def asks_unable(self) -> bool:
        """Whether it matters what the township has said: a county takes in whom it cannot (T-03)."""
        there = self.destination
        return (
            there is not None and there.purpose is Purpose.FLOATING and bool(there.parent and there.parent.is_leading)
        )

    @property
    def places(self) -> list[tuple[str, str]]:
        """Relations of the destination to the member's places."""
        return [("", "不适用"), *((place.value, place.label) for place in PlaceTie)]


def _typed() -> dict[str, str]:
    """What was typed; a link from the adviser brings it along in the address."""
    said = request.form if request.method == "POST" else request.args
    found = {name: said.get(name, "").strip() for name in FIELDS}
    return found | {"situation": found["situation"][:SITUATION_AT_MOST]}


def submission(shown: StartPage) -> Submission:
    """What was typed, as the operation takes it. Raises DomainError before a destination is chosen."""
    typed = shown.typed
    if shown.is_special:
        return special_unit(
            shown.member,
            remark=typed["remark"] or None,
            secret_unit=typed.get("secret_unit") or None,
            contact_mobile=typed["contact_mobile"] or None,
            confirmed=bool(typed["confirmed"]),
            follows=shown.follows,
        )
    if shown.destination is None:
        raise DomainError("请先选择转入组织。", field="destination")
    return Submission(
        member=shown.member,
        destination=shown.destination,
        reason=typed["reason"],
        place=typed["place"] or None,
        unit_name=typed["unit_name"] or None,
        unit_address=typed["unit_address"] or None,
        contact_mobile=typed["contact_mobile"] or None,
        remark=typed["remark"] or None,
        external_name=typed["external_name"] or None,
        external_name_again=typed["external_name_again"] or None,
        confirmed=bool(typed["confirmed"]),
        situation=typed["situation"] or None,
        township_unable=bool(typed["unable"]),
        follows=shown.follows,
    )


def _submit(shown: StartPage, template: str, **extra: Any) -> AnyResponse:
    """Submit what was typed; on an error the same page comes back with it, nothing lost."""
    seat = current_seat()
    try:
        with unit_of_work():
            session.refresh(shown.member)
            application = operations.submit(submission(shown), seat)
            number, state = application.id, application.state
    except DomainError as error:
        session.expire_all()
        failed = replace(shown, error=error)
        return make_response(render_template(template, start=failed, **extra), error.status)
    flash(f"{shown.member.name}的转接申请已提交：{state.label}。", "success")
    return redirect(url_for(".application", application_id=number), 303)


def _chosen(code: str) -> Organisation | None:
    return orgs.by_code_or_name(code) if code else None


@routes.desk.route("/members/<int:member_id>/transfer-out", methods=["GET", "POST"])
@requires(Permission.TRANSFER_OUT)
def transfer_out(member_id: int) -> AnyResponse | str:
    """办理转出: search the destination, then reason and fields, on one page that works without JavaScript."""
    member = load_member(member_id, Permission.TRANSFER_OUT)
    follows = _followed(member)
    code = request.values.get("to", "") or _code_of(follows)
    typed = _typed() | {"secret_unit": request.form.get("secret_unit", "").strip()}
    if follows is not None and request.method == "GET":
        typed |= _as_before(follows)
    shown = StartPage(member, _chosen(code), typed, special=code == SPECIAL, follows=follows)
    extra: dict[str, Any] = {"query": request.args.get("q", ""), "under": request.args.get("under", ""), "to": code}
    extra["provinces"] = orgs.province_rank()
    extra["region"] = region(extra["under"])
    if request.method == "POST":
        return _submit(shown, "desks/many/transfer_out.html", found=None, **extra)
    extra["found"] = find(extra["query"], extra["under"]) if extra["query"] else None
    return render_template("desks/many/transfer_out.html", start=shown, **extra)


def _followed(member: Member) -> Application | None:
    """The ended application of this member that is started again (A-23)."""
    number = request.values.get("follows", "")
    if not (number.isdecimal() and len(number) < DIGITS):
        return None
    found = queries.application(current_seat(), int(number))
    return found if found.member_id == member.id and not found.state.is_open else None


def _code_of(ended: Application | None) -> str:
    """What stands for the destination of an ended application in the address."""
    if ended is None:
        return ""
    return SPECIAL if ended.track is Track.SPECIAL else ended.to_org.code


def _as_before(ended: Application) -> dict[str, str]:
    """What an ended application said; what has to be confirmed or typed twice is asked again."""
    again = {"confirmed": "", "external_name_again": "", "unable": ""}
    return {name: getattr(ended, name) or "" for name in FIELDS if name not in again} | again


def region(code: str) -> Organisation | None:
    """The region of this code, if it keeps a system of its own."""
    found = _chosen(code)
    return found if found is not None and found.system is not Region.NATIONAL else None


def find(text: str, under: str) -> SearchResult:
    """Organisations found by words, inside the one with the code ``under``."""
    return search(session, text, within=_chosen(under))


@routes.desk.route("/transfer-in", methods=["GET", "POST"])
@requires(Permission.TRANSFER_IN)
def transfer_in() -> AnyResponse | str:
    """办理转入: name and full ID number lead to organisation and contact, nothing else (A-04, A-05)."""
    if request.method == "GET":
        may_admit = mass_starts.may_admit(current_seat(), own_organisation())
        return render_template("desks/many/transfer_in.html", typed={}, start=None, may_admit=may_admit)
    token = request.form.get("person", "")
    if token:
        return _transfer_in_submit(token)
    typed = {key: request.form.get(key, "").strip() for key in ("name", "id_number")}
    try:
        member = _look_up(current_seat(), typed)
    except _Archived as found:
        return make_response(_archived(found.record), found.status)
    except TooMany:
        raise
    except DomainError as error:
        page = render_template("desks/many/transfer_in.html", typed=typed, error=error, start=None)
        return make_response(page, error.status)
    return render_template("desks/many/transfer_in.html", **_found(member, dict.fromkeys(FIELDS, "")))


class _Archived(DomainError):  # noqa: N818 - no mistake of whoever asks
    """Whoever is looked for was archived."""

    def __init__(self, record: ArchivedRecord) -> None:
        super().__init__(record.says, fix=record.way_out, field="id_number", rule="PD-61")
        self.record = record


def _archived(record: ArchivedRecord, text: str = "", error: DomainError | None = None) -> str:
    """Who archived him, whom to call, and the request to restore him."""
    return render_template(
        "desks/many/transfer_in_archived.html",
        record=record,
        person=_signer().dumps([record.member.id, current_seat().account_id]),
        text=text,
        error=error,
        longest=kind_of(restoration.KEY).field("text").width,
        hint=kind_of(restoration.KEY).field("text").hint,
    )


@routes.desk.post("/transfer-in/restoration", endpoint="transfer_in_restoration")
@requires(Permission.TRANSFER_IN)
def ask_restoration() -> AnyResponse:
    """Ask where somebody was archived to restore him (PD-61)."""
    seat, text = current_seat(), request.form.get("text", "")
    member = _person_of(request.form.get("person", ""))
    try:
        with unit_of_work():
            case = cases.raise_case(kind_of(restoration.KEY), seat, f"#{member.id}", {"text": text})
            number, holder = case.id, case.holder.short_name if case.holder else ""
    except DomainError as error:
        session.expire_all()
        member = _person_of(request.form.get("person", ""))
        if member.archived_at is None:
            raise
        return make_response(_archived(archived.record(member), text, error), error.status)
    flash(f"已向{holder}提出，恢复后会通知您。", "success")
    return redirect(url_for(".case", case_id=number), 303)


def _look_up(seat: ActiveSeat, typed: Mapping[str, str]) -> Member:
    if not typed["name"] or not typed["id_number"]:
        raise DomainError("请填写姓名和完整的身份证号码。", field="name", rule="A-04")
    policy = policy_of(own_organisation())
    limits.hit("lookup", str(seat.account_id), policy.lookup_limit, 3600)
    member = people.find_exactly(typed["name"], typed["id_number"].upper())
    with unit_of_work():
        audit.record("member.look_up", "member", member.id if member else 0, found=member is not None)
    known = None if member else archived.find(typed["name"], typed["id_number"].upper())
    if known is not None:
        raise _Archived(known)
    if member is None:
        raise DomainError(
            "没有找到这位团员。",
            fix="请核对姓名和身份证号码；本人可能还没有录入系统，或组织关系在北京、广东、福建的系统中。",
            field="id_number",
        )
    return people.find_exactly(typed["name"], typed["id_number"].upper()) or member


def _found(member: Member, typed: Mapping[str, str], destination: Organisation | None = None) -> dict[str, Any]:
    return {
        "start": StartPage(member, destination, typed),
        "person": _signer().dumps([member.id, current_seat().account_id]),
        "targets": orgs.transfer_targets(own_organisation()),
        # where they are and whom to ring up, and nothing else.
        "contact": member.org.office,
        "typed": {},
    }


def _person_of(token: str) -> Member:
    """Whoever a moment ago was found by name and full number, in this account. Raises DomainError."""
    try:
        number, account = _signer().loads(token, max_age=FOUND_FOR)
    except BadSignature as error:
        raise DomainError("查询结果已过期。", fix="请重新查询。") from error
    member = session.get(Member, number)
    if member is None or account != current_seat().account_id:
        raise DomainError("查询结果已过期。", fix="请重新查询。")
    return member


def _transfer_in_submit(token: str) -> AnyResponse:
    member = _person_of(token)
    destination = _chosen(request.form.get("to", ""))
    shown = StartPage(member, destination, _typed())
    found = _found(member, shown.typed, destination)
    del found["start"]
    return _submit(shown, "desks/many/transfer_in.html", **found)


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="transfer-in")
