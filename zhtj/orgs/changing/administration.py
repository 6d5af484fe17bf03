"""An organisation looks after itself: its own data, and what is missing (O-05, O-21, U-03)."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.orgs import operations, queries
from zhtj.orgs.models import LEADING_TIERS, Category, Organisation, Purpose
from zhtj.orgs.rules import PURPOSE_ENDINGS

# What an administrator changes himself. Names in full, category and flag go another way (O-06).
OWN_DATA = {
    "short_name": ("组织简称", 80),
    "phone": ("联系电话", 40),
    "address": ("通讯地址", 120),
    "postcode": ("邮政编码", 6),
    "online_community": ("网上团支部", 200),
}
_PHONE = re.compile(r"[0-9]{3,4}-?[0-9]{7,8}(?:-[0-9]{1,6})?|1[3-9][0-9]{9}|400-?[0-9]{3}-?[0-9]{4}")
_POSTCODE = re.compile(r"[0-9]{6}")
# O-21: their members are scattered and meet online.
_ONLINE = frozenset({Purpose.FLOATING, Purpose.OVERSEAS})


class Gap(StrEnum):
    """What is missing in an organisation's data."""

    PHONE = "phone"
    ADDRESS = "address"
    ADMINISTRATOR = "administrator"
    BRANCH = "branch"
    COMMUNITY = "community"
    FLAG = "flag"

    @property
    def label(self) -> str:
        """What is missing, what for, and what to do."""
        return _GAPS[self]


_GAPS = {
    Gap.PHONE: "没有联系电话：对方组织和团员找不到人，请补填。",
    Gap.ADDRESS: "没有通讯地址或邮政编码：介绍信和材料无处可寄，请补填。",
    Gap.ADMINISTRATOR: "没有已激活账号的管理员：事项由上级代办，请任命管理员、生成管理员注册码或激活码。",
    Gap.BRANCH: "下面没有团支部：团员无处编入，请建立团支部。",
    Gap.COMMUNITY: "没有网上团支部：团员分散在各地，请建立微信群或 QQ 群并填写。",
    Gap.FLAG: "“是否乡镇街道团委”为空：确是乡镇街道团委的，请上报更正。",
}


def seen(organisation: Organisation, names: Iterable[str] = OWN_DATA) -> str:
    """A mark of the data as it is shown, so that a change of what somebody else changed meanwhile is noticed."""
    values = "\n".join(str(getattr(organisation, name) or "") for name in names)
    return hashlib.sha256(values.encode()).hexdigest()[:16]


def change_own_data(organisation: Organisation, typed: Mapping[str, str], shown: str) -> bool:
    """Change what an organisation keeps about itself.

    Args:
        organisation: whose.
        typed: new values of ``OWN_DATA``; "" takes one away.
        shown: what ``seen`` said when the form was made.

    Returns:
        Whether anything was different.

    Raises:
        DomainError: a value that cannot be, with its ``field``.
        Conflict: somebody else changed it meanwhile.
    """
    session.refresh(organisation, with_for_update=True)
    if shown != seen(organisation):
        raise Conflict("资料刚刚被其他管理员改过。", fix="下面是现在的内容，请核对后再改。")
    values = {name: tidy(typed.get(name, "")) for name in OWN_DATA}
    check_own_data(organisation, values)
    changes = {name: value or None for name, value in values.items() if (value or None) != getattr(organisation, name)}
    if changes:
        operations.amend(organisation, **changes)
    return bool(changes)


def tidy(text: str) -> str:
    """What was typed, with composed signs and single blanks."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def check_own_data(organisation: Organisation, values: Mapping[str, str]) -> None:
    """Raise DomainError for a value of ``OWN_DATA`` that cannot be, at its field."""
    for name, (label, longest) in OWN_DATA.items():
        if len(values[name]) > longest:
            raise DomainError(f"{label}最多 {longest} 个字。", field=name)
    if not values["short_name"]:
        raise DomainError("组织简称不能为空。", field="short_name")
    # A name that stays as it is may be of an older fashion.
    if values["short_name"] != organisation.short_name:
        check_purpose_name(organisation.purpose, values["short_name"], "short_name")
    if values["phone"] and not _PHONE.fullmatch(values["phone"]):
        raise DomainError("联系电话请填写固定电话（可带区号）或手机号码。", field="phone", rule="O-24")
    if values["postcode"] and not _POSTCODE.fullmatch(values["postcode"]):
        raise DomainError("邮政编码应为 6 位数字。", field="postcode")


def check_purpose_name(purpose: Purpose | None, name: str, field: str) -> None:
    """Raise DomainError if a purpose-built branch would be called otherwise (O-07, O-12)."""
    ending = PURPOSE_ENDINGS.get(purpose) if purpose else None
    if purpose is not None and ending is not None and not name.endswith(ending):
        rule = "O-07" if purpose is Purpose.FLOATING else "O-12"
        raise DomainError(f"{purpose.label}的全称和简称都应以“{ending}”结尾。", field=field, rule=rule)


@dataclass(frozen=True, slots=True)
class Flag:
    """是否乡镇街道团委 as it is shown; nobody edits it here (O-05, O-06).

    Args:
        shown: whether an organisation of this category shows it at all.
        value: 是, 否 or 空.
    """

    shown: bool
    value: str


def flag(organisation: Organisation) -> Flag:
    """The township flag of 团委, 团工委 and 团总支 (O-05)."""
    kinds = {Category.COMMITTEE, Category.WORKING_COMMITTEE, Category.GENERAL_BRANCH}
    return Flag(organisation.category in kinds, FLAG_VALUES[organisation.township_flag])


FLAG_VALUES: Mapping[bool | None, str] = {True: "是", False: "否", None: "空"}


def flag_words(organisation: Organisation) -> str:
    """The flag as a list shows it; — where organisations of this category have none (O-05)."""
    found = flag(organisation)
    return found.value if found.shown else "—"


def gaps(organisation: Organisation) -> list[Gap]:
    """What is missing, most pressing first; nothing of a closed organisation."""
    if organisation.closed_at is not None:
        return []
    missing = {
        Gap.ADMINISTRATOR: organisation.office_id != organisation.id,
        Gap.BRANCH: not organisation.is_branch and not queries.has_branch(organisation),
        Gap.PHONE: not organisation.phone,
        Gap.ADDRESS: not organisation.is_branch and not (organisation.address and organisation.postcode),
        Gap.COMMUNITY: organisation.purpose in _ONLINE and not organisation.online_community,
        Gap.FLAG: _flag_wanted(organisation),
    }
    return [gap for gap, is_missing in missing.items() if is_missing]


def _flag_wanted(organisation: Organisation) -> bool:
    """A basic committee in town or village directly below a leading organ, without the flag (O-04, O-06)."""
    above = organisation.parent
    return (
        flag(organisation).shown
        and organisation.township_flag is None
        and organisation.industry in {"城市社区", "农村"}
        and above is not None
        and above.tier in LEADING_TIERS
    )
