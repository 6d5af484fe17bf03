"""The record behind a letter: the union of every field of the form and of its filling rules (K-28, PD-27).

Pure: no database, no clock. All three slips are drawn from one record, so what must agree between them cannot differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Self

# F-09: the form's three slips are drawn from one record of this kind by `templates/letters/2022.html`.
FORM_NAME = "中国共产主义青年团团员组织关系介绍信"
VALID_DAYS = 90
TEMPLATE_VERSION = "2022"
NUMBER_WIDTH = 3
MOST_PHONES = 2
PLAUSIBLE_AGES = range(10, 100)
NO_NUMBER = "无"
SPECIAL_ADDRESSEE = "接收单位团组织"

# No longer than what fits on the page in the smallest type; `tests/letters` prints every field at its limit.
LIMITS = {
    "issuer": 120,
    "receiver": 120,
    "name": 60,
    "ethnicity": 20,
    "reason_text": 40,
    "file_note": 40,
    "handler": 40,
    "issuer_phone": 40,
    "address": 120,
    "handler_mobile": 20,
}


class LetterReason(StrEnum):
    """转接原因 as the form words it (L-11)."""

    FURTHER_STUDY = "further_study"
    SCHOOL_CHANGE = "school_change"
    GRADUATION = "graduation"
    UNIT_CHANGE = "unit_change"
    RESIDENCE_CHANGE = "residence_change"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The term on the form."""
        return REASON_LABELS[self]


# L-11: what may stand there; anything else is 其他 with its text.
REASON_LABELS = {
    LetterReason.FURTHER_STUDY: "升学",
    LetterReason.SCHOOL_CHANGE: "转学",
    LetterReason.GRADUATION: "毕业",
    LetterReason.UNIT_CHANGE: "单位变更",
    LetterReason.RESIDENCE_CHANGE: "居住地变更",
    LetterReason.OTHER: "其他",
}


class FileDisposition(StrEnum):
    """团员档案去向: the boxes of slip one, in print order (L-13)."""

    KEPT = "kept"
    WITH_PERSONAL_FILE = "with_personal_file"
    BY_POST = "by_post"
    BY_MEMBER = "by_member"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The term on the form."""
        return FILE_LABELS[self]


# L-13: the boxes; whoever ticks the last writes where the file goes.
FILE_LABELS = {
    FileDisposition.KEPT: "继续保存",
    FileDisposition.WITH_PERSONAL_FILE: "随学籍（人事）档案转递",
    FileDisposition.BY_POST: "邮寄转递",
    FileDisposition.BY_MEMBER: "本人自带",
    FileDisposition.OTHER: "其他",
}


@dataclass(frozen=True, slots=True)
class RecordProblem:
    """Why a record may not become a letter: the field, a sentence, what to do, the rule."""

    field: str
    message: str
    fix: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRecord:
    """Everything one letter says.

    Args:
        year, number, number_width: running number of the issuing committee in that year, and its least width (L-09).
        issuer, receiver: full names of out- and in-committee (L-06, L-12).
        special: the receiver is the generic destination of a special unit (PD-28).
        name, sex, ethnicity, id_number: as on the ID card (L-10, L-18); sex is 男 or 女.
        age: completed years on the day of issue.
        joined_month, dues_until: any day of the month meant (L-19, L-22).
        dev_number: 12 digits, or 无 (L-20).
        reason, reason_text: the text only where the reason is 其他 (L-11).
        file_disposition, file_note: the note only where the file goes elsewhere (L-13).
        handler, handler_mobile: who issues it (L-14, L-24, L-25).
        member_phones: reachable after leaving, mobile first (L-15, L-23).
        issuer_phone: landline of the out-committee (L-25). address, postcode: may be empty, the form has no rule.
        issued_on, valid_days: from these the last valid day (L-07).
        template_version: which template draws it, for ever. check_code: for the public check page (PD-29).
    """

    year: int
    number: int
    number_width: int = NUMBER_WIDTH
    issuer: str
    receiver: str
    special: bool = False
    name: str
    sex: str
    age: int
    ethnicity: str
    id_number: str
    joined_month: date
    dev_number: str = NO_NUMBER
    reason: LetterReason
    reason_text: str = ""
    dues_until: date
    file_disposition: FileDisposition
    file_note: str = ""
    handler: str
    handler_mobile: str
    member_phones: tuple[str, ...]
    issuer_phone: str
    address: str = ""
    postcode: str = ""
    issued_on: date
    valid_days: int = VALID_DAYS
    template_version: str = TEMPLATE_VERSION
    check_code: str

    @property
    def number_text(self) -> str:
        """The running number as printed: three digits or what the policy says, growing (L-09, PD-27)."""
        # L-09: as wide as the policy says, wider where a committee issues more.
        return f"{self.number:0{self.number_width}d}"

    @property
    def serial(self) -> str:
        """Year and number as printed on all three slips."""
        # L-16, L-26: one record, so slips two and three carry slip one's number.
        return f"{self.year}年{self.number_text}号"

    @property
    def last_valid_day(self) -> date:
        """The last day on which the letter counts (L-07, PD-29)."""
        return self.issued_on + timedelta(days=self.valid_days)

    @property
    def addressee(self) -> str:
        """First line of slips one and two (L-17)."""
        # L-17: the in-committee's full name; a secret unit's is never written.
        return SPECIAL_ADDRESSEE if self.special else self.receiver

    @property
    def reason_label(self) -> str:
        """The reason as printed."""
        return self.reason_text if self.reason is LetterReason.OTHER else self.reason.label

    @property
    def people(self) -> str:
        """民族 as printed before or with 族."""
        plain = self.ethnicity.removesuffix("族")
        return plain if plain.endswith("人") else f"{plain}族"

    def to_json(self) -> str:
        """The record as JSON text, for keeping."""
        return json.dumps(asdict(self), ensure_ascii=False, default=date.isoformat)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read back what ``to_json`` wrote. Raises ValueError for anything else."""
        data: Any = json.loads(text)
        try:
            for key in ("joined_month", "dues_until", "issued_on"):
                data[key] = date.fromisoformat(data[key])
            data["reason"] = LetterReason(data["reason"])
            data["file_disposition"] = FileDisposition(data["file_disposition"])
            data["member_phones"] = tuple(data["member_phones"])
            return cls(**data)
        except (KeyError, TypeError) as error:
            raise ValueError("not a letter record") from error

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every printed text with its field's name, for checks of the typeface."""
        for field in fields(self):
            value = getattr(self, field.name)
            for text in value if isinstance(value, tuple) else (value,):
                if isinstance(text, str) and not isinstance(text, StrEnum):
                    yield field.name, text


LABELS = {
    "issuer": "转出团委全称",
    "receiver": "转入团委全称",
    "name": "姓名",
    "sex": "性别",
    "age": "年龄",
    "ethnicity": "民族",
    "id_number": "身份证号码",
    "joined_month": "入团时间",
    "dev_number": "团员发展编号",
    "reason_text": "转接原因",
    "dues_until": "团费交至",
    "file_note": "团员档案去向",
    "handler": "转出经办人",
    "handler_mobile": "经办人手机",
    "member_phones": "团员本人联系电话",
    "issuer_phone": "转出团委固定电话",
    "address": "转出团委通讯地址",
    "postcode": "邮编",
    "number": "介绍信编号",
    "check_code": "核验码",
}
_IN_MEMBER_FILE = "请先在团员资料中补全。"
_IN_ORGANISATION = "请先在组织资料中补全。"
_ON_THIS_FORM = "请在开具页面填写。"

# Field, where to mend it, rule. What stands here is never printed blank.
REQUIRED = (
    ("issuer", _IN_ORGANISATION, "L-12"),
    ("receiver", _IN_ORGANISATION, "L-17"),
    ("name", _IN_MEMBER_FILE, "L-10"),
    ("ethnicity", _IN_MEMBER_FILE, "L-18"),
    ("id_number", _IN_MEMBER_FILE, "L-10"),
    ("dev_number", "没有发展团员编号的填“无”。", "L-20"),
    ("handler", _ON_THIS_FORM, "L-14"),
    ("handler_mobile", _ON_THIS_FORM, "L-25"),
    ("member_phones", _IN_MEMBER_FILE, "L-15"),
    ("issuer_phone", _IN_ORGANISATION, "L-25"),
    ("check_code", "", "PD-29"),
)
_PHONE = re.compile(r"\+?[(（]?[0-9][0-9()（） 、/转-]{4,38}")


def problems(record: LetterRecord) -> list[RecordProblem]:
    """Everything that keeps ``record`` from being issued, in the order of the form; empty if it is in order."""
    return [
        *_blanks(record),
        *_too_long(record),
        *_identity(record),
        *_contacts(record),
        *_choices(record),
        *_dates(record),
    ]


def _blanks(record: LetterRecord) -> Iterator[RecordProblem]:
    for name, fix, rule in REQUIRED:
        value = getattr(record, name)
        if not value or (isinstance(value, str) and not value.strip()) or (isinstance(value, tuple) and not all(value)):
            yield RecordProblem(name, f"介绍信缺少{LABELS[name]}。", fix, rule)


def _too_long(record: LetterRecord) -> Iterator[RecordProblem]:
    for name, limit in LIMITS.items():
        length = len(getattr(record, name))
        if length > limit:
            yield RecordProblem(
                name, f"{LABELS[name]}有 {length} 个字，介绍信上最多写 {limit} 个字。", "请改用规范的全称。"
            )
    for name, text in record.texts():
        if any(not sign.isprintable() for sign in text):
            yield RecordProblem(name, f"{LABELS.get(name, name)}中有换行或控制字符。", "请删去后重试。")
    if len(record.member_phones) > MOST_PHONES:
        yield RecordProblem("member_phones", "团员本人联系电话最多填两个：手机和固定电话。", _IN_MEMBER_FILE, "L-15")


def _identity(record: LetterRecord) -> Iterator[RecordProblem]:
    if record.sex not in {"男", "女"}:
        yield RecordProblem("sex", "性别须为男或女。", _IN_MEMBER_FILE, "L-18")
    if record.id_number and not re.fullmatch(r"[0-9]{17}[0-9X]", record.id_number):
        yield RecordProblem("id_number", "身份证号码须为 18 位。", _IN_MEMBER_FILE, "L-10")
    if record.age not in PLAUSIBLE_AGES:
        yield RecordProblem("age", f"年龄 {record.age} 岁不合常理。", "请核对身份证号码。", "L-10")
    if record.dev_number and record.dev_number != NO_NUMBER and not re.fullmatch(r"[0-9]{12}", record.dev_number):
        yield RecordProblem("dev_number", "团员发展编号须为 12 位数字。", "没有编号的填“无”。", "L-20")


def _contacts(record: LetterRecord) -> Iterator[RecordProblem]:
    for name, phones in (
        ("handler_mobile", (record.handler_mobile,)),
        ("member_phones", record.member_phones),
        ("issuer_phone", (record.issuer_phone,)),
    ):
        for phone in phones:
            if phone and not _PHONE.fullmatch(phone):
                yield RecordProblem(
                    name, f"{LABELS[name]}“{phone}”不是电话号码。", "两个号码用顿号隔开，分机写作“转8001”。"
                )
    if record.postcode and not re.fullmatch(r"[0-9]{6}", record.postcode):
        yield RecordProblem("postcode", "邮编须为 6 位数字。", _IN_ORGANISATION)


def _choices(record: LetterRecord) -> Iterator[RecordProblem]:
    if record.number < 1:
        yield RecordProblem("number", "介绍信编号从 1 开始。", "", "L-09")
    if record.reason is LetterReason.OTHER and not record.reason_text.strip():
        yield RecordProblem("reason_text", "转接原因选“其他”时须写明具体原因。", _ON_THIS_FORM, "L-11")
    if record.file_disposition is FileDisposition.OTHER and not record.file_note.strip():
        yield RecordProblem("file_note", "团员档案选“其他”时须写明具体去向。", _ON_THIS_FORM, "L-13")
    if record.issuer.strip() and record.issuer == record.receiver:
        yield RecordProblem(
            "receiver", "转出团委与转入团委相同，无需开具介绍信。", "在本团委内部调整支部即可。", "L-06"
        )


def _dates(record: LetterRecord) -> Iterator[RecordProblem]:
    if record.joined_month > record.issued_on:
        yield RecordProblem("joined_month", "入团时间晚于开具日期。", _IN_MEMBER_FILE, "L-19")
    elif (record.dues_until.year, record.dues_until.month) < (record.joined_month.year, record.joined_month.month):
        # L-22: a month that can be, between joining and a year ahead.
        yield RecordProblem("dues_until", "团费交至的月份早于入团时间。", _ON_THIS_FORM, "L-22")
    if record.dues_until > record.issued_on + timedelta(days=366):
        yield RecordProblem("dues_until", "团费交至的月份比开具日期晚一年以上。", "请核对年份。", "L-22")
    if record.year != record.issued_on.year:
        yield RecordProblem("number", "编号年份须与开具日期的年份一致。", "", "L-09")
