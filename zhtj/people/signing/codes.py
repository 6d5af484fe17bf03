"""Activation, reset and registration codes: three kinds of one mechanism (PD-03, U-04, U-06, U-07).

A code is random, bound to one account or organisation, good for one use within its days, kept only as a keyed hash and
shown once. A newer one of its kind takes the place of the older.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import joinedload

from zhtj.kernel import audit, clock, dates, names
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import insert_rows, session
from zhtj.kernel.errors import Conflict, DomainError, NotFound
from zhtj.kernel.ids import ALPHABET, random_code
from zhtj.kernel.limits import Limit, count, take_back
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.models import Organisation
from zhtj.people import operations as people
from zhtj.people.models import Account, Code, CodeKind, Member, Post, Seat
from zhtj.people.signing import code_authority as authority
from zhtj.people.signing import passwords
from zhtj.people.signing.accounts import check_password, find_by_username, rules_now, set_password
from zhtj.people.signing.authentication import unlock

# Upper and lower case, but of the small letters only those that do not look like their capital or like a figure.
MIXED_ALPHABET = ALPHABET + "abdefghmnqrt"
HOUR = 3600
ASK_AGAIN = "请联系给您代码的组织重新生成。"


class WrongCodeError(DomainError):
    """What was typed opens nothing; counts against the limit of attempts."""


# ---- the code itself


def make_plain(kind: CodeKind) -> str:
    """A new code: 58 bits; registration codes tell upper from lower case (U-07), 64 bits."""
    # PD-03: random, of one length for all three kinds; only its keyed hash is kept.
    return random_code(alphabet=MIXED_ALPHABET if kind is CodeKind.REGISTRATION else ALPHABET)


def normalise(kind: CodeKind, typed: str) -> str:
    """The signs that were meant, without blanks, hyphens and full-width forms; case counts for registration (U-07)."""
    signs = "".join(sign for sign in unicodedata.normalize("NFKC", typed) if sign.isalnum())
    return signs if kind is CodeKind.REGISTRATION else signs.upper()


def _hash(kind: CodeKind, typed: str) -> str:
    return keyed_hash(f"code:{kind.value}", normalise(kind, typed))


def days(kind: CodeKind) -> int:
    """For how many days a code is good (PD-03)."""
    rules = rules_now()
    return {
        CodeKind.RESET: rules.reset_code_days,
        CodeKind.REGISTRATION: rules.registration_code_days,
        CodeKind.ACTIVATION: rules.activation_code_days,
    }[kind]


# ---- issuing


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A new code, the only time it is in plain sight.

    Args:
        name: whom or, for registration, which organisation it is for.
        plain: the code in its groups.
        subject_id: the account's or organisation's id.
        organisation_code: of that organisation.
    """

    kind: CodeKind
    name: str
    plain: str
    expires_at: datetime
    subject_id: int
    organisation_code: str = ""

    @property
    def deadline(self) -> str:
        """Until when it is good, in words."""
        local = clock.local(self.expires_at)
        return f"{dates.full(local)} {local:%H:%M}"

    def message(self, address: str) -> str:
        """The full text to pass on (U-06).

        Args:
            address: of the page where the code is entered.
        """
        what, how = {
            CodeKind.ACTIVATION: ("账号激活码", "输入激活码并设置密码"),
            CodeKind.RESET: ("重置密码验证码", "填写身份证号或手机号、验证码和新密码"),
            CodeKind.REGISTRATION: ("管理员注册码（区分大小写）", f"选择组织“{self.name}”，填写注册码和本人信息"),
        }[self.kind]
        return (
            f"【团员组织关系转接】{self.name}：{what} {self.plain}\n"
            f"请在 {self.deadline} 前打开 {address} ，{how}。\n"
            f"只能使用一次，请勿告诉他人；过期或遗失请联系发码的组织重新生成。"
        )


@dataclass(frozen=True, slots=True)
class CodeBatch:
    """Codes for a selection.

    Args:
        issued: one for each person who could get one.
        refusals: name and reason of everybody else.
    """

    issued: list[IssuedCode]
    refusals: list[tuple[str, DomainError]]


def issue(
    kind: CodeKind, seat: ActiveSeat, *, account: Account | None = None, organisation: Organisation | None = None
) -> IssuedCode:
    """Issue one code; the older one of its kind for the same subject is void from now on.

    Args:
        kind: which of the three.
        seat: who issues.
        account: for whom, activation and reset.
        organisation: for which, registration.

    Raises:
        NotFound, Forbidden: the seat is neither the own organisation nor the direct superior (U-04, K-23).
        DomainError: the account is open already, or not yet.
    """
    if kind is CodeKind.REGISTRATION:
        if organisation is None:
            raise ValueError("a registration code needs an organisation")
        batch = issue_registrations([organisation.id], seat)
        if batch.refusals:
            raise batch.refusals[0][1]
        return batch.issued[0]
    if account is None:
        raise ValueError("an activation or reset code needs an account")
    batch = issue_many(kind, [account.id], seat)
    if batch.refusals:
        raise batch.refusals[0][1]
    return batch.issued[0]


def issue_many(kind: CodeKind, account_ids: Sequence[int], seat: ActiveSeat) -> CodeBatch:
    """Issue activation or reset codes for a class; who cannot get one of this kind is left out, with the reason.

    Raises:
        NotFound: one of them lies outside the seat's part of the tree.
    """
    # Locked in one order, so that two who issue at the same moment follow each other and the later one's code holds.
    query = select(Account).where(Account.id.in_(account_ids)).order_by(Account.id).with_for_update(key_share=True)
    accounts = session.scalars(query).all()
    places = authority.places_of([account.id for account in accounts])
    any_superior = rules_now().reset_code_by == "any_superior"
    wanted, refusals = [], []
    for account in accounts:
        try:
            authority.check_person(seat, account.id, places[account.id], any_superior=any_superior)
            _check_fits(kind, account)
        except NotFound:
            raise
        except DomainError as error:
            refusals.append((account.name, error))
        else:
            wanted.append((account.id, account.name))
    return CodeBatch(_write(kind, wanted, seat.seat_id), refusals)


def kinds_needed(member_ids: Sequence[int]) -> dict[CodeKind, list[int]]:
    """Accounts of these members: those that need an activation code, and those that need a reset code."""
    query = (
        select(Account.id, Account.activated_at)
        .join(Member, Member.account_id == Account.id)
        .where(Member.id.in_(member_ids))
        .order_by(Member.id)
    )
    needed: dict[CodeKind, list[int]] = {CodeKind.ACTIVATION: [], CodeKind.RESET: []}
    for number, activated_at in session.execute(query):
        needed[CodeKind.RESET if activated_at else CodeKind.ACTIVATION].append(number)
    return needed


def issue_registrations(organisation_ids: Sequence[int], seat: ActiveSeat) -> CodeBatch:
    """Issue a registration code for each of these organisations; who is not its direct superior gets none for it.

    Raises:
        NotFound: one of them lies outside the seat's part of the tree.
    """
    # In one order, as for persons; each row stays where it is until its code is written.
    query = select(Organisation).where(Organisation.id.in_(organisation_ids)).order_by(Organisation.id)
    query = query.options(joinedload(Organisation.parent)).with_for_update(key_share=True, of=Organisation)
    found = session.scalars(query).all()
    wanted, refusals = [], []
    for organisation in found:
        try:
            authority.check_registration(seat, organisation)
        except NotFound:
            raise
        except DomainError as error:
            refusals.append((organisation.short_name, error))
        else:
            wanted.append(organisation)
    issued = _write(CodeKind.REGISTRATION, [(one.id, one.full_name) for one in wanted], seat.seat_id)
    codes = {one.id: one.code for one in wanted}
    return CodeBatch([replace(one, organisation_code=codes[one.subject_id]) for one in issued], refusals)


def issue_as_operator(kind: CodeKind, account: Account) -> IssuedCode:
    """Issue a code from the command line, where no seat decides. Raises DomainError as ``issue`` does."""
    _check_fits(kind, account)
    return _write(kind, [(account.id, account.name)], None)[0]


def _check_fits(kind: CodeKind, account: Account) -> None:
    if kind is CodeKind.ACTIVATION and account.activated_at is not None:
        raise DomainError("账号已经激活。", fix="忘记密码的，请生成重置密码验证码。", rule="PD-03")
    if kind is CodeKind.RESET and account.activated_at is None:
        raise DomainError("账号还没有激活。", fix="请生成账号激活码。", rule="PD-03")


def _write(kind: CodeKind, subjects: Sequence[tuple[int, str]], seat_id: int | None) -> list[IssuedCode]:
    if not subjects:
        return []
    now = clock.now()
    expires = now + timedelta(days=days(kind))
    column, subject = (Code.org_id, "organisation") if kind is CodeKind.REGISTRATION else (Code.account_id, "account")
    ids = [subject_id for subject_id, _ in subjects]
    session.execute(update(Code).where(_live(kind), column.in_(ids)).values(revoked_at=now))
    issued = [IssuedCode(kind, name, make_plain(kind), expires, subject_id) for subject_id, name in subjects]
    rows = [
        {
            "kind": kind,
            "code_hash": _hash(kind, one.plain),
            column.key: one.subject_id,
            "issued_by_seat_id": seat_id,
            "issued_at": now,
            "expires_at": expires,
        }
        for one in issued
    ]
    insert_rows(Code, rows)
    detail = {"kind": kind.value, "expires": expires.isoformat()}
    audit.record_many("code.issue", subject, [(subject_id, detail) for subject_id in ids])
    return issued


def _live(kind: CodeKind) -> ColumnElement[bool]:
    live: ColumnElement[bool] = (Code.kind == kind) & Code.used_at.is_(None) & Code.revoked_at.is_(None)
    return live


# ---- using


@contextmanager
def attempt(address: str, name: str = "") -> Iterator[None]:
    """Limit wrong codes; stands around the unit of work in which a code is used.

    Args:
        address: network address of the visitor.
        name: what he signs in with, where he has to say it.

    Raises:
        TooMany: too many wrong ones from this address or for this account within the hour (PD-03).
    """
    limit = Limit("code", rules_now().code_attempts, HOUR)
    keys = [f"address:{address}", *([f"name:{name}"] if name else [])]
    for key in keys:
        count(limit, key)
    try:
        yield
    except WrongCodeError:
        raise
    except DomainError:
        _take_back(limit, keys)
        raise
    else:
        _take_back(limit, keys)


def _take_back(limit: Limit, keys: Sequence[str]) -> None:
    for key in keys:
        take_back(limit, key)


def peek(typed: str) -> Account:
    """Whose activation code this is; uses nothing up. Raises WrongCodeError."""
    return _account_of(_find(CodeKind.ACTIVATION, typed))


def activate(typed: str, password: str) -> Account:
    """Open an account with its activation code and the first password.

    Raises:
        WrongCodeError: unknown, used, replaced or expired; the message says which and what to do.
        DomainError: the password is too weak (``field`` is ``password``).
        Conflict: the same code was used at the same moment.
    """
    code = _find(CodeKind.ACTIVATION, typed)
    account = _account_of(code)
    check_password(account, password)
    _use(code)
    account.activated_at = clock.now()
    set_password(account, password)
    unlock(account)
    people.take_up_posts([account.id])
    audit.record("account.activate", "account", account.id)
    return account


def reset(username: str, typed: str, password: str) -> Account:
    """Set a new password with a reset code; signs the account out everywhere (U-04). Raises as ``activate`` does."""
    known = find_by_username(username)
    code = _find(CodeKind.RESET, typed, account_id=known.id if known else 0)
    account = _account_of(code)
    check_password(account, password)
    _use(code)
    set_password(account, password)
    unlock(account)
    audit.record("account.reset", "account", account.id)
    return account


def use_registration(typed: str, organisation: Organisation, *, name: str, mobile: str, password: str) -> Seat:
    """Register an administrator of ``organisation``: a new account, open at once, and its seat (U-07, U-08).

    Raises:
        WrongCodeError: not this organisation's code (U-07), used, replaced or expired.
        DomainError: no name, weak password, or a mobile number that is someone's already (PD-55, U-03).
        Conflict: the same code was used at the same moment.
    """
    code, name = _find_registration(typed, organisation), names.read(name)
    if reason := passwords.problem(password, name=name, numbers=(mobile,)):
        raise DomainError(reason, field="password", rule="PD-03")
    if known := find_by_username(mobile):
        fix = (
            "请先登录，再用注册码增加任职。"
            if known.activated_at
            else "请先用账号激活码激活，登录后再用注册码增加任职。"
        )
        raise DomainError("这个手机号码已有账号。", fix=fix, field="mobile", rule="U-03")
    _use(code)
    account = people.create_account(name, mobile=mobile)
    account.activated_at = clock.now()
    set_password(account, password)
    return people.start_seat(account, organisation, Post.ADMINISTRATOR)


def take_seat(typed: str, organisation: Organisation, account: Account) -> Seat:
    """Add the seat a registration code stands for to an open account (PD-02). Raises as ``use_registration``."""
    code = _find_registration(typed, organisation)
    held = select(Seat.id).where(
        Seat.account_id == account.id,
        Seat.org_id == organisation.id,
        Seat.post == Post.ADMINISTRATOR,
        Seat.ended_at.is_(None),
    )
    if session.scalar(held) is not None:
        raise DomainError("您已经是这个组织的管理员。", field="organisation", rule="PD-02")
    _use(code)
    return people.start_seat(account, organisation, Post.ADMINISTRATOR)


def _find(kind: CodeKind, typed: str, *, account_id: int | None = None) -> Code:
    """The code, if it can be used. Raises WrongCodeError."""
    # U-06: the kind is part of what is compared, so no code opens another kind's door.
    query = select(Code).where(Code.code_hash == _hash(kind, typed))
    if account_id is not None:
        query = query.where(Code.account_id == account_id)
    code = session.scalars(query).first()
    if code is None:
        fix = _other_door(kind, typed) or "请对照完整文字检查拼写；仍不对时，" + ASK_AGAIN
        who = "账号或" if kind is CodeKind.RESET else ""
        raise WrongCodeError(f"{who}{kind.label}不正确。", fix=fix, field="code", rule="U-06")
    _check_usable(code)
    return code


def _find_registration(typed: str, organisation: Organisation) -> Code:
    kind = CodeKind.REGISTRATION
    # U-07: bound to one organisation, whose name must be the chosen one.
    query = select(Code).where(Code.code_hash == _hash(kind, typed), Code.org_id == organisation.id)
    code = session.scalars(query).first()
    if code is None:
        raise WrongCodeError(
            f"您所填写的管理员注册码不是{organisation.full_name}的注册码。",
            fix=_other_door(kind, typed)
            or "请检查拼写（区分大小写）；再核对所选的组织是否正确；仍不对时，请上级组织管理员重新生成。",
            field="code",
            rule="U-07",
        )
    _check_usable(code)
    if organisation.closed_at is not None:
        raise WrongCodeError("该组织已停用。", fix="请联系上级组织。", field="organisation", rule="PD-06")
    return code


def _other_door(kind: CodeKind, typed: str) -> str:
    """Where a code of another kind belongs (U-06: they are not interchangeable)."""
    doors = {
        CodeKind.ACTIVATION: "这是账号激活码，请到“激活账号”页面使用。",
        CodeKind.RESET: "这是重置密码验证码，请到“忘记密码”页面使用。",
        CodeKind.REGISTRATION: "这是管理员注册码，请到“管理员注册”页面使用。",
    }
    hashes = {_hash(other, typed): text for other, text in doors.items() if other is not kind}
    found = session.scalar(select(Code.code_hash).where(Code.code_hash.in_(hashes)))
    return hashes[found] if found else ""


def _check_usable(code: Code) -> None:
    again = "请上级组织管理员重新生成。" if code.kind is CodeKind.REGISTRATION else ASK_AGAIN
    rule = "U-07" if code.kind is CodeKind.REGISTRATION else "U-06"
    if code.used_at is not None:
        own = "如果是您本人用过的，请直接登录；否则" if code.kind is CodeKind.ACTIVATION else ""
        raise WrongCodeError(f"该{code.kind.label}已被使用。", fix=own + again, field="code", rule=rule)
    if code.revoked_at is not None:
        raise WrongCodeError(
            f"该{code.kind.label}已被新的代替。", fix="请使用最近收到的一个。", field="code", rule=rule
        )
    if code.expires_at <= clock.now():
        raise WrongCodeError(f"该{code.kind.label}已过期。", fix=again, field="code", rule=rule)


def _account_of(code: Code) -> Account:
    account = session.get(Account, code.account_id)
    if account is None:
        raise LookupError(f"code {code.id} without account")
    return account


def _use(code: Code) -> None:
    """Use a code up; of two at the same moment one gets it."""
    usable = (Code.id == code.id) & _live(code.kind) & (Code.expires_at > clock.now())
    used = session.execute(update(Code).where(usable).values(used_at=clock.now()).returning(Code.id))
    if used.first() is None:
        raise Conflict(f"该{code.kind.label}刚刚已被使用。", fix=ASK_AGAIN)
    subject, subject_id = ("organisation", code.org_id) if code.org_id else ("account", code.account_id)
    audit.record("code.use", subject, subject_id or 0, kind=code.kind.value)
