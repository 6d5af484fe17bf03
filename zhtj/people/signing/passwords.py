"""Passwords: how they are kept, and which ones are refused (PD-03, PD-04).

argon2id with two passes over 19 MiB: strong enough for the purpose and quick enough that a whole campus can sign in on
one morning. A password is NFKC-normalised first, because a Chinese input method easily types full-width digits that
nobody sees behind the dots.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 10, 128
PERSONAL_RUN = 6
"""This many digits in a row of one's own ID or mobile number are too many."""
SHORTEST_PINYIN = 5
DIFFERENT = 5
"""A password has at least so many different signs."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# Long enough, and yet the first that anybody tries.
_COMMON = """
qwertyuiop qwerty12345 qwerty123456 1qaz2wsx3edc 1q2w3e4r5t 1q2w3e4r5t6y zaq12wsxcde q1w2e3r4t5 asdfghjkl1
asdfghjkl; zxcvbnm123 asdf1234qwer qwer1234asdf password01 password12 password123 password1234 passw0rd123
p@ssw0rd123 p@ssword123 iloveyou123 iloveyou1314 woaini1314 woaini520 woaini1314520 woaini5201314 5201314520
5201314woaini 1314520woaini woaizhongguo woaizuguo woaizuguo123 tuanyuan123 gongqingtuan gongqingtuan123
qingnian123 tuanzhibu123 admin12345 admin123456 adminadmin administrator welcome123 letmein123 abc123456789
abcd123456 abc1234567 a123456789 aa123456789 aaa123456 aaa1234567 zz123456789 qq123456789 wang123456 zhang123456
li123456789 1234qwerasdf 123qweasdzxc 123456789a 123456789abc 1234567890a 147258369a 1472583690 7894561230
0123456789a woaibeijing woaijiaxiang xuexi12345 xuexiqiangguo
"""
_ROWS = ("0123456789012345678901234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


@cache
def _common() -> frozenset[str]:
    return frozenset(_COMMON.split())


@cache
def _dummy() -> str:
    """A hash that fits nothing, so that an unknown name costs as much time as a wrong password."""
    return _hasher.hash("no such account")


def _plain(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def make_hash(password: str) -> str:
    """The hash to keep."""
    return _hasher.hash(_plain(password))


def verify(kept: str | None, password: str) -> bool:
    """Whether ``password`` fits the hash ``kept``; takes the same time when there is none."""
    try:
        _hasher.verify(kept or _dummy(), _plain(password))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether ``kept`` was made with other parameters than today's and should be made anew."""
    return _hasher.check_needs_rehash(kept)


def problem(password: str, *, name: str = "", numbers: tuple[str | None, ...] = ()) -> str:
    """Why ``password`` is refused, in one sentence; "" if it is good.

    Args:
        password: as typed.
        name: the person's name.
        numbers: ID and mobile number (PD-03: nothing derived from them).
    """
    plain = _plain(password).casefold()
    if len(plain) < SHORTEST:
        return f"密码至少 {SHORTEST} 位，例如四个不相干的词连在一起。"
    if len(plain) > LONGEST:
        return f"密码最多 {LONGEST} 位。"
    if any(_shares_run(plain, number.casefold()) for number in numbers if number):
        return "密码不能含有身份证号码或手机号码中的连续数字。"
    if _contains_name(plain, name):
        return "密码不能含有本人姓名。"
    if plain in _common() or len(set(plain)) < DIFFERENT or _is_pattern(plain):
        return "这个密码太容易被猜到，请换一个。"
    return ""


def _shares_run(plain: str, number: str) -> bool:
    return any(number[start : start + PERSONAL_RUN] in plain for start in range(len(number) - PERSONAL_RUN + 1))


def _contains_name(plain: str, name: str) -> bool:
    from pypinyin import lazy_pinyin  # noqa: PLC0415 - its dictionaries cost 0.3 s; few processes judge a password

    pinyin = "".join(lazy_pinyin(name)).casefold()
    return bool(name) and (name.casefold() in plain or (len(pinyin) >= SHORTEST_PINYIN and pinyin in plain))


def _is_pattern(plain: str) -> bool:
    """A run along the alphabet, the digits or the keyboard, either way; or a short piece over and over."""
    if any(plain in row or plain[::-1] in row for row in _ROWS):
        return True
    return re.fullmatch(r"(.{1,4}?)\1{2,}.{0,3}", plain) is not None
