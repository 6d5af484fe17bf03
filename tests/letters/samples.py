"""Invented records: ordinary, long, at every limit, rare characters, a special unit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.world import id_number
from zhtj.letters.record import LIMITS, FileDisposition, LetterReason, LetterRecord
from zhtj.people.models import Sex

SITE = "https://zhtj.example.cn"

ORDINARY = LetterRecord(
    year=2026,
    number=1,
    issuer="共青团江淮示范大学委员会",
    receiver="共青团安徽省合肥市蜀山区井岗镇委员会",
    name="李明",
    sex="女",
    age=22,
    ethnicity="汉族",
    id_number=id_number(2, born=date(2004, 5, 12), sex=Sex.FEMALE),
    joined_month=date(2018, 5, 1),
    dev_number="201834010012",
    reason=LetterReason.GRADUATION,
    dues_until=date(2026, 9, 1),
    file_disposition=FileDisposition.WITH_PERSONAL_FILE,
    handler="王建国",
    handler_mobile="13900000001",
    member_phones=("13800000002",),
    issuer_phone="0551-65500000",
    address="安徽省合肥市蜀山区示范路1号",
    postcode="230031",
    issued_on=date(2026, 10, 14),
    check_code="ABCD-EFGH-JKMN",
)

# 40 characters in each organisation's name, a long name, every free text used.
LONG = replace(
    ORDINARY,
    number=1234,
    issuer="共青团中国示范科学技术集团有限公司西南区域新能源装备制造分公司第二工程项目委员会",
    receiver="共青团中国示范工程技术集团有限公司西北区域水资源综合利用分公司第九工程项目委员会",
    name="阿卜杜热合曼·买买提吐尔逊",
    sex="男",
    ethnicity="维吾尔族",
    reason=LetterReason.OTHER,
    reason_text="因工作单位整体搬迁随迁",
    file_disposition=FileDisposition.OTHER,
    file_note="由人力资源市场代为保管后另行寄出",
    handler="迪丽努尔·阿卜杜拉",
    member_phones=("13800000002", "0551-65500001"),
    address="新疆维吾尔自治区巴音郭楞蒙古自治州库尔勒市示范街道人民东路一百二十三号示范大厦二十层团委办公室",
)


def full(field: str, sign: str = "龘") -> str:
    """The longest text a field takes, in the widest characters."""
    return sign * LIMITS[field]


MOST = replace(
    LONG,
    number=123456,
    issuer=full("issuer")[:-1] + "甲",
    receiver=full("receiver")[:-1] + "乙",
    name=full("name"),
    ethnicity=full("ethnicity"),
    reason_text=full("reason_text"),
    file_note=full("file_note"),
    handler=full("handler"),
    handler_mobile="3" * LIMITS["handler_mobile"],
    member_phones=("1" * 20, "2" * 20),
    issuer_phone="0" * 39,
    address=full("address"),
)

RARE = replace(
    ORDINARY,
    name="𬭊喆玥龑·堃",
    handler="䶮㛃",
    receiver="共青团示范市㙦垸镇委员会",
    dev_number="无",
    joined_month=date(2015, 5, 1),
)

SPECIAL = replace(
    ORDINARY,
    receiver="参军入伍",
    special=True,
    reason=LetterReason.OTHER,
    reason_text="参军入伍",
    address="",
    postcode="",
)

ALL = {"ordinary": ORDINARY, "long": LONG, "most": MOST, "rare": RARE, "special": SPECIAL}
