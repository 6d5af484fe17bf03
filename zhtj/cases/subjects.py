"""Finds what a case is about, inside what the seat may see, and checks what was typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from zhtj.cases.kind import About, CaseKind, CaseMatter, FormField, Shape
from zhtj.cases.models import Case
from zhtj.kernel import names
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, SeatKind, check, scope
from zhtj.kernel.sql.paging import LARGEST
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import national_policy
from zhtj.orgs.queries import by_code_or_name
from zhtj.orgs.searching.search import named, search
from zhtj.people import identity
from zhtj.people.models import Account, Member
from zhtj.people.signing.accounts import read_mobile

_MONTH = re.compile(r"(20[0-9]{2})[-/.年]?(0?[1-9]|1[0-2])月?")
_SHOWN = 5
_NEAR = 3


class Invalid(DomainError):  # noqa: N818 - what was typed is
    """Several fields are wrong at once.

    Args:
        errors: the sentence of each field.
        near: organisations to pick from where a name fits none or several, by field (O-20).
    """

    def __init__(self, errors: Mapping[str, str], near: Mapping[str, Sequence[Organisation]] | None = None) -> None:
        name, message = next(iter(errors.items()))
        super().__init__(message, field=name)
        self.errors = dict(errors)
        self.near = {field: list(found) for field, found in (near or {}).items() if found}


class NoSuchOrganisation(DomainError):  # noqa: N818 - it is not there
    """A name fits no organisation, or several; ``near`` are those to pick from."""

    def __init__(self, message: str, near: Sequence[Organisation], *, otherwise: str) -> None:
        super().__init__(message, fix="请在下面选择，或填写组织编码。" if near else otherwise, rule="O-20")
        self.near = near


def read(kind: CaseKind, typed: Mapping[str, str]) -> dict[str, str]:
    """The answers as they are kept. Raises Invalid that names every wrong field."""
    answers, errors, near = {}, {}, {}
    for one in kind.fields:
        other, value = one.moot_with
        moot = bool(other) and typed.get(other, "").strip() == value
        text = "" if moot else unicodedata.normalize("NFC", typed.get(one.name, "")).strip()
        try:
            answers[one.name] = "" if moot else _read_one(one, text)
        except DomainError as error:
            errors[one.name] = str(error)
            near[one.name] = error.near if isinstance(error, NoSuchOrganisation) else ()
    if errors:
        raise Invalid(errors, near)
    return {name: text for name, text in answers.items() if text}


def _read_one(one: FormField, text: str) -> str:
    if not text:
        if one.required:
            raise DomainError(f"{'请选择' if one.shape is Shape.CHOICE else '请填写'}{one.label}。")
        return ""
    if len(text) > one.width:
        raise DomainError(f"最多 {one.width} 个字，现在是 {len(text)} 个。")
    if len("".join(text.split())) < one.at_least:
        raise DomainError(f"请写清楚，至少 {one.at_least} 个字。")
    return _READERS.get(one.shape, _plain)(one, text)


def _plain(one: FormField, text: str) -> str:
    return text if one.shape is Shape.LONG else " ".join(text.split())


def _choice(one: FormField, text: str) -> str:
    if text not in dict(one.choices):
        raise DomainError("请从列出的几项中选择。")
    return text


def _month(one: FormField, text: str) -> str:
    del one
    found = _MONTH.fullmatch(unicodedata.normalize("NFKC", text))
    if found is None:
        raise DomainError("请写成 2026-06。")
    return f"{found[1]}-{int(found[2]):02d}"


def _id_number(one: FormField, text: str) -> str:
    del one
    return identity.read("".join(unicodedata.normalize("NFKC", text).split())).number


def _dev_number(one: FormField, text: str) -> str:
    del one
    number = "".join(unicodedata.normalize("NFKC", text).split())
    length = national_policy().dev_number_length
    if not (len(number) == length and number.isascii() and number.isdigit()):
        raise DomainError(f"发展团员编号应为 {length} 位数字。")
    return number


def _mobile(one: FormField, text: str) -> str:
    del one
    return read_mobile(unicodedata.normalize("NFKC", text))


def _person(one: FormField, text: str) -> str:
    return names.read(text, field=one.name)


def _parent(one: FormField, text: str) -> str:
    del one
    found, near = named(session(), text)
    if found is None:
        raise NoSuchOrganisation("没有找到这个组织。", near, otherwise="请换一个关键词，或填写组织编码。")
    if found.closed_at is not None:
        raise DomainError(f"{found.full_name}已停用。", fix="请填写正在使用的组织。")
    return str(found.id)


_READERS = {
    Shape.CHOICE: _choice,
    Shape.MONTH: _month,
    Shape.ID_NUMBER: _id_number,
    Shape.DEV_NUMBER: _dev_number,
    Shape.MOBILE: _mobile,
    Shape.PERSON: _person,
    Shape.PARENT: _parent,
}


def subject(kind: CaseKind, seat: ActiveSeat, typed: str) -> Member | Organisation | None:
    """What the case is about, as somebody typed it; a member who asks is always his own subject.

    Args:
        kind: of the case.
        seat: who asks.
        typed: name, student or ID number of a member, full name or code of an organisation; ``#12`` is an id.

    Raises:
        DomainError: nobody, or several.
        NotFound: not in this part of the tree.
    """
    if kind.about is About.NOTHING:
        return None
    if seat.kind is SeatKind.MEMBER:
        if kind.about is not About.MEMBER or seat.member_id is None:
            raise Forbidden
        return session.get_one(Member, seat.member_id)
    typed = typed.strip()
    if not typed:
        what = "团员" if kind.about is About.MEMBER else "组织"
        raise DomainError(f"请填写是哪个{what}。", field="subject", rule=kind.rule)
    return _member(kind, seat, typed) if kind.about is About.MEMBER else _organisation(kind, seat, typed)


def _id(typed: str) -> int | None:
    """The id in ``#12``."""
    digits = typed[1:]
    fits = typed.startswith("#") and digits.isdecimal() and len(digits) <= len(str(LARGEST))
    return min(int(digits), LARGEST) if fits else None


def _member(kind: CaseKind, seat: ActiveSeat, typed: str) -> Member:
    query = (
        select(Member)
        .join(Account, Account.id == Member.account_id)
        .join(Organisation, Organisation.id == Member.org_id)
        .options(joinedload(Member.account), joinedload(Member.org))
    )
    if not kind.anywhere:
        query = query.where(scope(Organisation.path, seat, Permission.CASES))
    if not kind.archived:
        query = query.where(Member.archived_at.is_(None))
    if (known_id := _id(typed)) is not None:
        query = query.where(Member.id == known_id)
    else:
        number = "".join(unicodedata.normalize("NFKC", typed).split()).upper()
        known = (Member.student_no == typed) | (Account.id_hash == keyed_hash("id_number", number))
        query = query.where(known | (Account.name == names.tidy(typed)))
    found = list(session.scalars(query.order_by(Member.id).limit(_SHOWN)))
    if not found:
        raise DomainError(
            "本组织和下级没有这名团员。", fix="请核对姓名，或填写学号、身份证号码。", field="subject", rule=kind.rule
        )
    if len(found) > 1:
        said = "、".join(f"{one.org.short_name}{one.student_no or ''}" for one in found)
        raise DomainError(
            f"有几名同名的团员：{said}。", fix="请填写学号或身份证号码。", field="subject", rule=kind.rule
        )
    return found[0]


def _organisation(kind: CaseKind, seat: ActiveSeat, typed: str) -> Organisation:
    """By full name or code: a short name is not enough, whoever typed one picks (O-22)."""
    known_id = _id(typed)
    found = by_code_or_name(typed) if known_id is None else session.get(Organisation, known_id)
    if found is None or not seat.may(Permission.CASES, found.path):
        near = _nearest(kind, seat, typed)
        hint = f"是不是：{'、'.join(one.full_name for one in near)}？" if near else "请到“下级组织”页面核对。"
        words = f"没有找到“{typed}”。请填写系统内的全称或组织编码。{hint}"
        raise Invalid({"subject": words}, {"subject": near})
    check(seat, Permission.CASES, found.path)
    return found


def _nearest(kind: CaseKind, seat: ActiveSeat, typed: str) -> list[Organisation]:
    hits = search(session(), typed, within=session.get_one(Organisation, seat.org_id)).hits
    mine = [hit.organisation for hit in hits if seat.may(Permission.CASES, hit.organisation.path)]
    return [one for one in mine if one.closed_at is None and one.is_branch is kind.branches][:_NEAR]


def matter(case: Case) -> CaseMatter:
    """What a kept case says. Raises NotFound where its subject is gone."""
    return matters([case])[0]


def matters(cases: Sequence[Case]) -> list[CaseMatter]:
    """The same of many, with two reads for all of them."""
    members = {one.id: one for one in session.scalars(_people(_ids(cases, About.MEMBER)))}
    bodies = _ids(cases, About.ORGANISATION)
    organisations = {
        one.id: one
        for one in (session.scalars(select(Organisation).where(Organisation.id.in_(bodies))) if bodies else ())
    }
    return [_matter(case, members, organisations) for case in cases]


def _ids(cases: Sequence[Case], about: About) -> list[int]:
    return sorted({case.subject_id for case in cases if case.subject_type == about and case.subject_id is not None})


def _people(ids: Sequence[int]) -> Select[Member]:
    return (
        select(Member)
        .where(Member.id.in_(ids))
        .options(joinedload(Member.account).undefer(Account.id_number), joinedload(Member.org))
    )


def _matter(case: Case, members: Mapping[int, Member], organisations: Mapping[int, Organisation]) -> CaseMatter:
    if case.subject_id is None:
        return CaseMatter(case.raised_org, dict(case.data))
    member, organisation = None, None
    if case.subject_type == About.MEMBER:
        member = members.get(case.subject_id)
    else:
        organisation = organisations.get(case.subject_id)
    if member is None and organisation is None:
        raise NotFound
    return CaseMatter(case.raised_org, dict(case.data), member, organisation)
