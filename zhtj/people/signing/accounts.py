"""One's own account: by which name one signs in, password, contact data."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from sqlalchemy import select

from zhtj.kernel import audit, clock
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.people import operations as people
from zhtj.people.models import Account, Member
from zhtj.people.signing import passwords
from zhtj.policy.model import Policy
from zhtj.policy.seasons import policy_for, season_of

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_PHONE = re.compile(r"[0-9+][0-9-]{5,19}")


def rules_now() -> Policy:
    """The policy whose days and limits for codes and logins hold today; the same for the whole installation."""
    return policy_for(season_of(clock.today()), ())


def tidy(text: str) -> str:
    """A number as it was meant: half-width, without blanks and hyphens, X as a capital, without +86."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", text) if sign.isalnum() or sign == "+").upper()
    return re.sub(r"^(?:\+|00)?86(?=1[3-9][0-9]{9}$)", "", plain)


def read_mobile(text: str) -> str:
    """The eleven digits of a mobile number. Raises DomainError if it is none."""
    number = tidy(text)
    if not _MOBILE.fullmatch(number):
        raise DomainError("手机号码应为 11 位数字，以 1 开头。", field="mobile", rule="U-03")
    return number


def find_by_username(text: str) -> Account | None:
    """The account of an ID or mobile number, however it was typed (PD-04)."""
    name = tidy(text)
    column, purpose = (Account.mobile_hash, "mobile") if _MOBILE.fullmatch(name) else (Account.id_hash, "id_number")
    return session.scalars(select(Account).where(column == keyed_hash(purpose, name))).first()


def check_password(account: Account, password: str) -> None:
    """Raise DomainError if ``password`` is too weak for this person (PD-03)."""
    reason = passwords.problem(password, name=account.name, numbers=(account.id_number, account.mobile))
    if reason:
        raise DomainError(reason, field="password", rule="PD-03")


def set_password(account: Account, password: str) -> None:
    """Keep a new password and sign the account out everywhere."""
    account.password_hash = passwords.make_hash(password)
    account.session_version += 1
    session.flush()


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """What everybody keeps up to date himself (U-03); the last three belong to members only."""

    mobile: str
    residence: str | None = None
    emergency_name: str | None = None
    emergency_phone: str | None = None


def change_contact(account: Account, member: Member | None, contact: ContactDetails) -> bool:
    """Change one's own contact data, at once (U-03).

    Returns:
        Whether anything was different.

    Raises:
        DomainError: a number that is none, or somebody else's mobile number.
    """
    mobile = read_mobile(contact.mobile)
    changed = mobile != account.mobile
    if changed:
        people.change_mobile(account, mobile)
    if member is None:
        return changed
    phone = "".join(unicodedata.normalize("NFKC", contact.emergency_phone or "").split()) or None
    if phone and not _PHONE.fullmatch(phone):
        raise DomainError("紧急联系电话只能是数字，可以带区号。", field="emergency_phone", rule="U-03")
    wanted = {
        "residence": (contact.residence or "").strip() or None,
        "emergency_name": (contact.emergency_name or "").strip() or None,
        "emergency_phone": phone,
    }
    different = [name for name, value in wanted.items() if getattr(member, name) != value]
    for name in different:
        setattr(member, name, wanted[name])
    session.flush()
    if different:
        # Which of them, not what they say: emergency contacts lie encrypted (PD-37).
        audit.record("member.contact", "member", member.id, fields=different)
    return changed or bool(different)
