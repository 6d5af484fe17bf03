"""ID numbers (公民身份号码): check, read what they say, mask. Pure but for the default of ``today``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from operator import mul

from zhtj.kernel import clock
from zhtj.kernel.errors import DomainError
from zhtj.people.models import Sex

LENGTH = 18
OLD_LENGTH = 15  # issued until 1999, without century and check sign
MOBILE_LENGTH = 11
_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_SIGNS = "10X98765432"
_FIRST_YEAR = 1900
_FIX = "请对照身份证核对。"
# Name, number and joining month are corrected by this case alone; nothing is deleted for it (U-14, K-19).
CORRECTION = "更正姓名、身份证号、入团年月"
WRONG_HERE = f"系统里的有误时，请申请“{CORRECTION}”，不用删除。"


class IdentityError(DomainError):
    """The text cannot be an ID number."""

    def __init__(self, message: str, fix: str = _FIX) -> None:
        super().__init__(message, fix=fix, field="id_number")


@dataclass(frozen=True, slots=True)
class Identity:
    """What an ID number says: number of 18 signs (X as a capital), day of birth, sex."""

    number: str
    born: date
    sex: Sex

    def age_on(self, day: date) -> int:
        """Completed years on ``day`` (周岁)."""
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))


def read(text: str, *, today: date | None = None) -> Identity:
    """Check an ID number and read it.

    Args:
        text: 18 half-width signs without blanks; a small x is accepted.
        today: no later day can be a birthday; by default the clock's.

    Raises:
        IdentityError: wrong length or signs, no such day, a day to come, wrong check sign; in this order.
    """
    number = text.upper()
    if len(number) == OLD_LENGTH and number.isascii() and number.isdigit():
        raise IdentityError("这是 15 位的旧身份证号码。", "请填写现在的 18 位号码。")
    if len(number) != LENGTH:
        raise IdentityError(f"身份证号码应为 18 位，这里是 {len(number)} 位。")
    if not _SHAPE.fullmatch(number):
        raise IdentityError("身份证号码只能是数字，最后一位可以是 X。")
    born = _birthday(number)
    if born is None:
        raise IdentityError("身份证号码中的出生日期不存在。")
    if born > (today or clock.today()):
        raise IdentityError("身份证号码中的出生日期还没有到。")
    if number[-1] != check_sign(number[:-1]):
        raise IdentityError("身份证号码的校验码不对，其中至少有一位写错了。")
    return Identity(number, born, Sex.MALE if int(number[16]) % 2 else Sex.FEMALE)


def check_sign(body: str) -> str:
    """The 18th sign that belongs to the first 17 digits."""
    return _CHECK_SIGNS[sum(map(mul, map(int, body), _WEIGHTS)) % 11]


def _birthday(number: str) -> date | None:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    return born if born.year >= _FIRST_YEAR else None


def born(number: str) -> date | None:
    """The day of birth in a number of 18 signs that need not be right otherwise; None where there is none."""
    return _birthday(number) if len(number) == LENGTH and number[6:14].isdecimal() else None


def masked(number: str) -> str:
    """110***********1234: first three and last four signs (PD-37)."""
    if len(number) != LENGTH:
        return "*" * len(number)
    return number[:3] + "*" * (LENGTH - 7) + number[-4:]


def masked_mobile(number: str) -> str:
    """138****1234 (PD-37)."""
    return number[:3] + "****" + number[-4:] if len(number) == MOBILE_LENGTH else "*" * len(number)
