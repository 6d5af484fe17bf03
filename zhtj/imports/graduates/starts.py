"""Files that start applications for many: 办理转出 of one's own members, 办理转入 by a freshman list (PD-23).

What a row says is only read here, and why it cannot be read; who it is and what would come of it is for the transfers.
"""

from __future__ import annotations

from typing import Any

from zhtj.imports.files.layouts import ID_NUMBER, NAME
from zhtj.imports.files.problems import FileError
from zhtj.imports.files.reading import Reading
from zhtj.imports.files.row_numbers import label
from zhtj.imports.files.tables import ImportTable, Layout, LayoutColumn, TableRow
from zhtj.imports.members.rules import person_identity, person_name
from zhtj.kernel import clock
from zhtj.policy.seasons import policy_for
from zhtj.policy.vocabulary import PlaceTie

AT_MOST = 5000
REASON, DESTINATION, UNIT, ADDRESS = "转接原因", "转入组织", "单位或学校", "详细地址"
PLACE, PHONE, REMARK, BRANCH = "与转入地的关系", "联系电话", "备注", "编入支部"
_PERSON = (
    LayoutColumn(NAME, required=True, width=60),
    LayoutColumn(ID_NUMBER, required=True, aliases=("身份证号", "公民身份号码", "居民身份证号码"), width=18),
)


def out_layout() -> Layout:
    """Columns of a file of people to be transferred out; the reasons are those of this season's policy."""
    policy = policy_for(clock.today().year, ())
    reasons = tuple(spec.label or policy.special_unit_label for spec in policy.reasons.values())
    return Layout(
        "办理转出名单",
        (
            *_PERSON,
            LayoutColumn(REASON, aliases=("原因",), width=40, choices=reasons),
            LayoutColumn(DESTINATION, aliases=("转入组织全称", "转往组织")),
            LayoutColumn(UNIT, aliases=("工作单位", "录取学校", "单位名称")),
            LayoutColumn(ADDRESS, aliases=("单位地址",), width=160),
            LayoutColumn(PLACE, width=20, choices=tuple(place.label for place in PlaceTie)),
            LayoutColumn(PHONE, aliases=("手机号码", "手机号"), width=11),
            LayoutColumn(REMARK, width=300),
        ),
        (
            "带 * 的列必须填写。转入组织填写系统内的全称，也可填写组织编码；转往特殊单位的不填。",
            "各行相同的转接原因、转入组织可以不填，上传后统一选择。",
        ),
    )


IN = Layout(
    "办理转入名单",
    (*_PERSON, LayoutColumn(BRANCH, aliases=("编入团支部", "所在团支部", "团支部"))),
    ("带 * 的列必须填写。编入支部填写全称、简称或组织编码，可不填，上传后统一选择。",),
)
# What the transfers call what a column says.
_FIELDS = {
    REASON: "reason",
    DESTINATION: "to",
    BRANCH: "to",
    UNIT: "unit_name",
    ADDRESS: "unit_address",
    PLACE: "place",
    REMARK: "remark",
}


def read(table: ImportTable, layout: Layout) -> list[dict[str, Any]]:
    """The rows of a file as lines of a run; ``problem`` and ``fix`` where a row cannot be read.

    Raises:
        FileError: more rows than one file may have.
    """
    if len(table.rows) > AT_MOST:
        raise FileError(
            f"文件里有 {len(table.rows):,} 行，一次最多 {AT_MOST:,} 行。", "请按学院或班级拆成几个文件，分次上传。"
        )
    columns = {column.name for column in layout.columns}
    earlier: dict[str, int] = {}
    return [_line(row, layout, columns, earlier, typed=table.typed) for row in table.rows]


def _line(row: TableRow, layout: Layout, columns: set[str], earlier: dict[str, int], *, typed: bool) -> dict[str, Any]:
    reading = Reading(row, layout, typed=typed)
    who = person_identity(reading, clock.today())
    number = who.number if who else ""
    line: dict[str, Any] = {"row": row.number, "name": person_name(reading), "id_number": number}
    line |= {name: reading.text(column) for column, name in _FIELDS.items() if column in columns}
    if PHONE in columns:
        line["contact_mobile"] = reading.mobile(PHONE, reading.compact(PHONE))
    if number and number in earlier:
        reading.error(ID_NUMBER, f"与{label(earlier[number])}是同一人。", "请只留一行。")
    elif number:
        earlier[number] = row.number
    if reading.errors:
        first = reading.errors[0]
        line |= {"problem": f"“{first.column}”：{first.cause}", "fix": first.fix}
    return {name: value for name, value in line.items() if value}
