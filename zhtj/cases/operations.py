"""Writes of cases: raise, pass up, decide, take back - each step guarded, recorded and told (PD-34, PD-38)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from zhtj.cases import file_rules, lines, messages, subjects
from zhtj.cases.kind import BEFORE, REASON_AT_LEAST, About, CaseKind, CaseMatter
from zhtj.cases.kinds import kind_of
from zhtj.cases.models import Case, CaseEvent, CaseFile
from zhtj.cases.queries import about_himself, parties
from zhtj.cases.workflow import CaseAction, CaseParty, CaseState, next_state
from zhtj.kernel import attachments, audit, clock
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member
from zhtj.policy.seasons import season_of
from zhtj.transfers.applying import drafts

MANY = 500
_TITLE = 240
SIGNED = "signed_name"
"""What says that the member signs the form in the same transaction (``signing.raise_signed``)."""


def raise_case(
    kind: CaseKind, seat: ActiveSeat, subject: str, typed: Mapping[str, str], uploads: Sequence[Upload] = ()
) -> Case:
    """Raise a case; it lies with the first level above at once.

    Args:
        kind: what is asked.
        seat: who asks.
        subject: what it is about, as typed (``subjects.subject``).
        typed: the answers.
        uploads: attachments.

    Raises:
        Forbidden: this kind of seat may not raise it.
        Invalid: fields that are wrong, all of them.
        DomainError: the kind's own check, or an attachment.
        Conflict: one such case about the same subject is open.
    """
    if seat.kind not in kind.raised_by:
        raise Forbidden(f"当前任职不能提出“{kind.label}”。", rule=kind.rule)
    if seat.kind is SeatKind.MEMBER and kind.paper is not None and not typed.get(SIGNED):
        raise DomainError("请先填写并签名。", fix="请在专门的申请页面办理。", rule="PD-35")
    case = _raise(kind, seat, subject, typed, uploads)
    if case.state.is_open:
        messages.tell([(case, CaseAction.RAISE, "")])
    return case


def raise_many(kind: CaseKind, seat: ActiveSeat, wanted: Sequence[tuple[str, Mapping[str, str]]]) -> list[Case]:
    """Raise many of one kind, each as ``raise_case``; whoever has to act is told once."""
    if seat.kind not in kind.raised_by:
        raise Forbidden(f"当前任职不能提出“{kind.label}”。", rule=kind.rule)
    raised = [_raise(kind, seat, subject, typed, ()) for subject, typed in wanted]
    messages.tell([(case, CaseAction.RAISE, "") for case in raised if case.state.is_open])
    return raised


def _raise(kind: CaseKind, seat: ActiveSeat, subject: str, typed: Mapping[str, str], uploads: Sequence[Upload]) -> Case:
    about = _read(kind, seat, subject, typed)
    media_types = file_rules.check(list(uploads), kind.files)
    if kind.file_needed and not uploads:
        raise DomainError("请上传证明材料。", fix=f"可以是{kind.files.words}。", field="files", rule=kind.rule)
    kind.check(about)
    line = lines.of(kind, seat, about)
    moment = clock.now()
    case = Case(
        kind=kind.key,
        season=season_of(clock.today()),
        subject_type=None if kind.about is About.NOTHING else kind.about.value,
        subject_id=_subject_id(about),
        title=_title(kind, about),
        data=about.answers | {f"{name}{BEFORE}": text for name, text in kind.before(about).items()},
        raised_by_id=seat.account_id,
        raised_org_id=seat.org_id,
        raised_member_id=seat.member_id if seat.kind is SeatKind.MEMBER else None,
        raised_at=moment,
        line=line,
        level=0,
        holder_id=line[0],
        waiting_since=moment,
        state=CaseState.WAITING,
    )
    _insert(case)
    _attach(case, seat, uploads, media_types)
    _record(case, CaseAction.RAISE, None, CaseState.WAITING, from_org=None, to_org=case.holder_id, remark="")
    if kind.settled(about):
        _settle(case, kind, about)
    # PD-10: who is to stay applies for no transfer; what he had begun to fill in goes.
    if kind.personal and about.member is not None:
        drafts.drop(about.member)
    kind.raised(about, case)
    return case


def _settle(case: Case, kind: CaseKind, about: CaseMatter) -> None:
    """Let a case take effect that nobody has to look at (E-04)."""
    held = case.holder_id
    case.state, case.holder_id, case.ended_at = CaseState.APPROVED, None, clock.now()
    case.version += 1
    case.outcome = kind.effect(about, case)
    session.flush()
    _record(
        case, CaseAction.APPROVE, CaseState.WAITING, CaseState.APPROVED, from_org=held, to_org=None, remark="不需审核"
    )


def _read(kind: CaseKind, seat: ActiveSeat, subject: str, typed: Mapping[str, str]) -> CaseMatter:
    """Subject and answers; what is wrong with both is said at once."""
    errors: dict[str, str] = {}
    near: dict[str, list[Organisation]] = {}
    found: Member | Organisation | None = None
    answers: dict[str, str] = {}
    try:
        found = subjects.subject(kind, seat, subject)
    except Forbidden:
        raise
    except subjects.Invalid as error:
        errors, near = error.errors, error.near
    except DomainError as error:
        errors["subject"] = str(error)
    try:
        answers = subjects.read(kind, typed)
    except subjects.Invalid as error:
        errors |= error.errors
        near |= error.near
    if errors:
        raise subjects.Invalid(errors, near)
    member = found if isinstance(found, Member) else None
    organisation = found if isinstance(found, Organisation) else None
    return CaseMatter(session.get_one(Organisation, seat.org_id), answers, member, organisation)


def _subject_id(about: CaseMatter) -> int | None:
    found = about.member or about.organisation
    return found.id if found is not None else None


def _title(kind: CaseKind, about: CaseMatter) -> str:
    what = ""
    if about.member is not None:
        what = f"{about.member.name}（{about.member.org.short_name}）"
    elif about.organisation is not None:
        what = about.organisation.short_name
    return " · ".join(part for part in (what, kind.short(about)) if part)[:_TITLE]


def _insert(case: Case) -> None:
    """The row, unless a case of this kind about this subject is open already - even at this very moment."""
    try:
        with session.begin_nested():
            session.add(case)
            session.flush()
    except IntegrityError as error:
        known = session.scalars(
            select(Case).where(
                Case.kind == case.kind,
                Case.subject_type == case.subject_type,
                Case.subject_id == case.subject_id,
                Case.state == CaseState.WAITING,
            )
        ).first()
        if known is None:
            raise
        raise Conflict(
            f"这件事已经提出过（编号 {known.number}），正在办理。", fix="请等它办结，或先撤回。", rule="PD-34"
        ) from error


def _attach(case: Case, seat: ActiveSeat, uploads: Sequence[Upload], media_types: Sequence[str]) -> None:
    for upload, media_type in zip(uploads, media_types, strict=True):
        attach(case, seat, upload, media_type)


def attach(case: Case, seat: ActiveSeat, upload: Upload, media_type: str) -> CaseFile:
    """Keep a file, which has been checked, with a case."""
    kept = CaseFile(
        case_id=case.id,
        account_id=seat.account_id,
        filename=file_rules.name_of(upload),
        media_type=media_type,
        size=len(upload.content),
        content=attachments.pack(upload.content),
        added_at=clock.now(),
    )
    session.add(kept)
    session.flush()
    return kept


def decide(
    cases: Sequence[Case], seat: ActiveSeat | None, action: CaseAction, remark: str = ""
) -> dict[int, DomainError]:
    """Do ``action`` to each of these cases; what goes wrong with one undoes that one alone.

    Args:
        cases: as they were read; the write checks again where they lie.
        seat: who acts; None: the operator, who stands for the centre.
        action: forward, approve, refuse or withdraw.
        remark: needed to refuse.

    Returns:
        Why not, by id, for those that were not done.
    """
    if len(cases) > MANY:
        raise DomainError(f"一次最多办理 {MANY} 件。", fix="请分几次办理。")
    remark = remark.strip()
    if action is CaseAction.REFUSE and len("".join(remark.split())) < REASON_AT_LEAST:
        raise DomainError(
            f"请写明不同意的原因，至少 {REASON_AT_LEAST} 个字。", fix="提出的一方会看到。", field="remark", rule="PD-34"
        )
    errors: dict[int, DomainError] = {}
    done: list[tuple[Case, CaseAction, str]] = []
    for case in cases:
        number = case.id
        try:
            with session.begin_nested():
                _step(case, seat, action, remark)
            done.append((case, action, remark))
        except DomainError as error:
            session.expire(case)
            errors[number] = error
    messages.tell(done)
    return errors


def act(case: Case, seat: ActiveSeat | None, action: CaseAction, remark: str = "") -> None:
    """``decide`` for one case. Raises what went wrong."""
    number = case.id
    errors = decide([case], seat, action, remark)
    if errors:
        raise errors[number]


def _step(case: Case, seat: ActiveSeat | None, action: CaseAction, remark: str) -> None:
    before, level = case.state, case.level
    after = _allowed(case, seat, action)
    moment = clock.now()
    values: dict[str, Any] = {"state": after, "version": Case.version + 1}
    if after is CaseState.WAITING:
        values |= {"level": level + 1, "holder_id": case.line[level + 1], "waiting_since": moment}
    else:
        who = audit.actor()
        values |= {"holder_id": None, "ended_at": moment, "ended_by_id": who.account_id, "ended_org_id": who.org_id}
    taken = session.execute(
        update(Case)
        .where(Case.id == case.id, Case.state == before, Case.level == level)
        .values(**values)
        .returning(Case.id),
        execution_options={"synchronize_session": False},
    ).all()
    from_org = case.holder_id
    session.expire(case)
    if not taken:
        raise stale(case)
    if action is CaseAction.APPROVE:
        kind, about = kind_of(case.kind), subjects.matter(case)
        kind.check(about)
        kind.ready(about, case)
        case.outcome = kind.effect(about, case)
        session.flush()
    _record(case, action, before, after, from_org=from_org, to_org=case.holder_id, remark=remark)


def obstacle(case: Case) -> str:
    """Why an open case could not be approved right now, in words; "" if nothing is in the way. Writes nothing."""
    kind, about = kind_of(case.kind), subjects.matter(case)
    try:
        kind.check(about)
        kind.ready(about, case)
    except DomainError as error:
        return str(error)
    return ""


def _allowed(case: Case, seat: ActiveSeat | None, action: CaseAction) -> CaseState:
    """Where the action leads. Raises why it does not."""
    if (
        seat is not None
        and action in {CaseAction.APPROVE, CaseAction.REFUSE, CaseAction.FORWARD}
        and about_himself(seat, case)
    ):
        raise Forbidden("不能办理与本人有关的事项，由直接上级办理。", fix="请联系上级团组织。", rule="PD-02")
    roles = parties(seat, case)
    found = (next_state(case.state, action, party, last=case.is_last) for party in roles)
    after = next((state for state in found if state is not None), None)
    if after is not None:
        return after
    if not case.state.is_open or (action is not CaseAction.WITHDRAW and _has_passed(case, seat)):
        raise stale(case)
    if action is CaseAction.APPROVE and CaseParty.HOLDER in roles:
        raise Forbidden("这件事由上级决定，请上报。", rule="PD-34")
    raise Forbidden("这一步不由当前任职办理。")


def _has_passed(case: Case, seat: ActiveSeat | None) -> bool:
    """Whether the case lay with this seat's office before: then somebody was faster."""
    if seat is None:
        return False
    return any(event.org_id == seat.org_id and event.action is CaseAction.FORWARD for event in case.events)


def stale(case: Case) -> Conflict:
    """What to tell somebody who came too late: what happened meanwhile, and when."""
    last = session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id.desc())).first()
    if last is None:
        return Conflict("这件事刚刚被办理过。", fix="请刷新页面查看。")
    who = last.account.name if last.account else "系统"
    when = f"{clock.local(last.at):%m月%d日 %H:%M}"
    where = f"在{case.holder.short_name}" if case.holder else case.state.label
    return Conflict(f"{who}已在 {when} 办理了“{last.action.label}”，这件事现在{where}。", fix="您这次的操作没有生效。")


def _record(
    case: Case,
    action: CaseAction,
    before: CaseState | None,
    after: CaseState,
    *,
    from_org: int | None,
    to_org: int | None,
    remark: str,
) -> None:
    """History and log of one step (PD-38)."""
    who = audit.actor()
    session.add(
        CaseEvent(
            case_id=case.id,
            action=action,
            from_state=before,
            to_state=after,
            from_org_id=from_org,
            to_org_id=to_org,
            account_id=who.account_id,
            org_id=who.org_id,
            remark=remark or None,
            at=clock.now(),
        )
    )
    session.flush()
    session.expire(case, ["events"])
    audit.record(
        f"case.{action.value}",
        "case",
        case.id,
        kind=case.kind,
        before=before.value if before else None,
        after=after.value,
        from_org=from_org,
        to_org=to_org,
        why=remark or None,
    )


def file_content(case: Case, number: int) -> tuple[CaseFile, bytes]:
    """One attachment of a case that the reader may see, and its bytes; the look is noted. Raises NotFound."""
    found = session.get(CaseFile, number)
    if found is None or found.case_id != case.id:
        raise NotFound
    audit.record("case.file_seen", "case", case.id, file=number)
    return found, attachments.unpack(found.content)
