"""Printed forms, signed on the phone by name and password or on paper; kept with the member (PD-35, R-06, R-13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from zhtj.cases import file_rules, operations, subjects
from zhtj.cases.kind import CaseKind, CaseMatter, Paper
from zhtj.cases.kinds import kind_of
from zhtj.cases.models import Case, CaseFile, SignedForm
from zhtj.cases.workflow import CaseState
from zhtj.kernel import audit, clock, names
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import session, touched
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.kernel.permissions import ActiveSeat, SeatKind


@dataclass(frozen=True, slots=True)
class Signature:
    """What stands under a form.

    Args:
        name: as typed.
        account_id: whose password was confirmed for it, a moment ago (``authentication.confirm_password``).
    """

    name: str
    account_id: int


def paper_of(kind: CaseKind, matter: CaseMatter) -> Paper:
    """The form of a case with its present answers. Raises LookupError for a kind without one."""
    if kind.paper is None:
        raise LookupError(kind.key)
    return kind.paper(matter)


def of_case(case: Case) -> SignedForm | None:
    """The signed form of a case."""
    return session.scalars(select(SignedForm).where(SignedForm.case_id == case.id)).first()


def signed(case_ids: list[int]) -> set[int]:
    """Those of these cases whose form is signed."""
    return set(session.scalars(select(SignedForm.case_id).where(SignedForm.case_id.in_(case_ids))))


def of_member(member_id: int) -> list[SignedForm]:
    """Everything a member has signed, newest first; it lies with him wherever he goes (PD-35)."""
    query = select(SignedForm).where(SignedForm.member_id == member_id).options(joinedload(SignedForm.account))
    return list(session.scalars(query.order_by(SignedForm.id.desc())))


def agree(case: Case, typed: Mapping[str, str]) -> CaseMatter:
    """Fill in what is agreed with the signature, such as dues and organisational life (R-09).

    Args:
        case: open.
        typed: answers to the form's ``agreed`` fields; what is empty leaves the answer that is there.

    Raises:
        Invalid: one of them is still missing, or does not fit.
    """
    kind, matter = kind_of(case.kind), subjects.matter(case)
    names = paper_of(kind, matter).agreed
    answers = dict(case.data)
    answers |= {name: text for name in names if (text := typed.get(name, "").strip())}
    strict = replace(kind, fields=tuple(replace(one, required=True) for one in kind.fields if one.name in names))
    answers |= subjects.read(strict, answers)
    if answers != case.data:
        before, case.data = case.data, answers
        session.flush()
        changed = sorted(name for name in names if before.get(name) != answers.get(name))
        audit.record("case.agree", "case", case.id, fields=changed)
    return subjects.matter(case)


def raise_signed(kind: CaseKind, seat: ActiveSeat, typed: Mapping[str, str], signature: Signature) -> Case:
    """A member applies: the case is raised and its form signed in one stroke (PD-35, A-26).

    Raises:
        Invalid: answers that are missing or wrong.
        DomainError: the kind's own check, or the signature.
    """
    case = operations.raise_case(kind, seat, "", {**typed, operations.SIGNED: signature.name})
    sign(case, seat, signature, typed)
    return case


def sign(case: Case, seat: ActiveSeat, signature: Signature, typed: Mapping[str, str]) -> SignedForm:
    """The member signs his form: all of it is kept as he read it (PD-35).

    Args:
        case: about himself, open.
        seat: his own.
        signature: name and confirmed account.
        typed: what is agreed with it.

    Raises:
        Forbidden: somebody else's.
        DomainError: the name is not his, or something to be agreed is missing.
        Conflict: signed already, or the case has ended.
    """
    matter = _open(case)
    person = matter.person
    if seat.kind is not SeatKind.MEMBER or seat.member_id != person.id or signature.account_id != person.account_id:
        raise Forbidden("由本人签名。", rule="PD-35")
    if names.key(signature.name) != names.key(person.name):
        raise DomainError("签名与您的姓名不一致。", fix=f"请填写“{person.name}”。", field="signed_name", rule="PD-35")
    # PD-35: signed by name and password; the whole form is kept as it was read.
    return _keep(case, agree(case, typed), person.name, None)


def file_paper(case: Case, seat: ActiveSeat, upload: Upload, typed: Mapping[str, str]) -> SignedForm:
    """Whoever raised or holds the case files the form that was signed by hand, or sent as a picture (R-13).

    Raises:
        Forbidden: the person himself, who signs by name and password.
        DomainError: no picture or PDF, or something to be agreed is missing.
        Conflict: signed already, or the case has ended.
    """
    matter = _open(case)
    if seat.kind is SeatKind.MEMBER or seat.member_id == matter.person.id:
        raise Forbidden("本人请在手机上签名。", rule="PD-35")
    # signed by hand and sent in is as good as signed on the phone.
    (media_type,) = file_rules.check([upload])
    kept = operations.attach(case, seat, upload, media_type)
    return _keep(case, agree(case, typed), matter.person.name, kept)


def _open(case: Case) -> CaseMatter:
    if not case.state.is_open:
        raise Conflict(f"这件事{case.state.label}，不能再签名。", rule="PD-35")
    if of_case(case) is not None:
        raise Conflict("已经签过名。", rule="PD-35")
    return subjects.matter(case)


def _keep(case: Case, matter: CaseMatter, name: str, scan: CaseFile | None) -> SignedForm:
    # Whoever decides at this very moment has to decide again, and sees the signature (as ``operations`` does).
    seen = session.execute(
        update(Case).where(Case.id == case.id, Case.state == CaseState.WAITING).values(version=Case.version + 1),
        execution_options={"synchronize_session": False},
    )
    if touched(seen) != 1:
        raise Conflict("这件事刚刚办结，不能再签名。", rule="PD-35")
    paper = paper_of(kind_of(case.kind), matter)
    moment = clock.now()
    day = f"{clock.local(moment):%Y年%m月%d日}"
    rows = [*paper.rows, ("签名", name if scan is None else f"{name}（纸质签名，见附件）"), ("日期", day)]
    kept = SignedForm(
        case_id=case.id,
        member_id=matter.person.id,
        form=paper.form,
        content={"title": paper.title, "text": list(paper.text), "rows": [list(row) for row in rows]},
        name=name,
        account_id=audit.actor().account_id or matter.person.account_id,
        file_id=scan.id if scan else None,
        signed_at=moment,
    )
    session.add(kept)
    session.flush()
    session.expire(case)
    audit.record("case.sign", "case", case.id, form=paper.form, paper=scan is not None)
    return kept
