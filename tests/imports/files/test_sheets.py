"""Every visible sheet is accounted for: read, or named as passed over; nobody is lost in silence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imports.making import workbook
from zhtj.imports.files import cells, finding, fixed_values, workbooks
from zhtj.imports.files.headings import LIKELY, SURE
from zhtj.imports.files.layouts import DESTINATIONS, FLOATING, ORGANISATIONS, ROSTER
from zhtj.imports.files.problems import FileError
from zhtj.imports.files.row_numbers import label
from zhtj.imports.files.tables import ImportTable, Layout, Meanings, heading_of

HEADINGS = ["姓名", "身份证号码", "手机号码", "所在团支部"]
PERSON = ["甘晓禾", "340104200503127018", "19955000000", "一班团支部"]
OTHER = ["鲍子墨", "340104200503127034", "19955000001", "一班团支部"]


def find(layout: Layout = ROSTER, hidden: tuple[str, ...] = (), **sheets: list[list[Any]]) -> ImportTable:
    return finding.find(workbooks.read(workbook(sheets, hidden=hidden)), layout)


def names(table: ImportTable) -> list[Any]:
    return [row.cells["姓名"] for row in table.rows]


def passed(table: ImportTable) -> str:
    return "".join(one.cause for one in table.remarks() if one.column == "工作表")


def test_a_second_sheet_with_other_words_in_its_headings_is_read_too() -> None:
    second = [["姓名", "证件号码", "联系电话", "班级"], OTHER]
    table = find(一班=[HEADINGS, PERSON], 二班=second)

    assert names(table) == ["甘晓禾", "鲍子墨"]
    assert table.rows[1].cells == dict(zip(HEADINGS, OTHER, strict=True))
    assert label(table.rows[1].number) == "第 2 张表第 2 行"


def test_a_sheet_that_goes_on_without_headings_is_read_with_those_of_the_one_before() -> None:
    table = find(一班=[HEADINGS, PERSON], 二班=[OTHER])

    assert names(table) == ["甘晓禾", "鲍子墨"]
    assert "工作表“二班”没有表头，按上一张表的列读取了" in passed(table)


@pytest.mark.parametrize(
    ("name", "rows", "why"),
    [
        ("填写样例", [HEADINGS, OTHER], "样例或说明"),
        ("填写说明", [["请按模板填写"], ["不要改表头"]], "样例或说明"),
        ("二班", [["姓名", "手机号码"], OTHER[::2]], "缺少必需的列“身份证号码”、“所在团支部”"),
        ("值班表", [["周一", "王老师"], ["周二", "李老师"]], "没有找到表头行，共 2 行有内容"),
    ],
)
def test_a_sheet_that_is_not_read_is_named_with_the_reason(name: str, rows: list[list[Any]], why: str) -> None:
    more: dict[str, Any] = {name: rows}
    table = find(一班=[HEADINGS, PERSON], **more)

    assert names(table) == ["甘晓禾"]
    assert f"工作表“{name}”没有读取" in passed(table)
    assert why in passed(table)


def test_a_filled_in_template_is_read_whatever_its_sheet_is_called() -> None:
    assert names(find(导入模板=[HEADINGS, PERSON])) == ["甘晓禾"]


def test_a_hidden_sheet_is_named_and_never_read() -> None:
    table = find(名单=[HEADINGS, PERSON], 旧名单=[HEADINGS, OTHER], hidden=("旧名单",))
    assert names(table) == ["甘晓禾"]
    assert "隐藏的工作表“旧名单”没有读取" in passed(table)

    with pytest.raises(FileError, match="缺少必需的列") as refused:
        find(封面=[["姓名", "手机号码"], ["王老师", "19955000099"]], 旧名单=[HEADINGS, OTHER], hidden=("旧名单",))
    assert "隐藏的工作表“旧名单”没有读取，需要的请先取消隐藏" in refused.value.fix


def test_a_hidden_column_is_read_and_said() -> None:
    (sheet,) = workbooks.read(workbook({"名单": [[*HEADINGS, "备注"], [*PERSON, "班长"]]}))
    sheet.hidden_columns = frozenset({2, 4, 9})
    table = finding.find([sheet], ROSTER)
    assert "列“手机号码”、“备注”在表格里是隐藏的，一并读取了" in passed(table)
    assert table.rows[0].cells["手机号码"] == PERSON[2]


def test_f01_with_a_sheet_a_college_is_read_whole() -> None:
    heads = [column.name for column in FLOATING.columns]
    row = ["计算机学院", "软工1班", "吴老师", "0551-6360000", "甘晓禾", "19955000053", "二战考研", "继续准备升学", ""]
    table = find(FLOATING, 计算机学院=[["附件"], heads, row], 经济管理学院=[["附件"], heads, row])
    assert [label(one.number) for one in table.rows] == ["第 3 行", "第 2 张表第 3 行"]


TWO_ROWS = [
    (
        [["姓名", "身份证号码", "联系方式", "所在团支部"], ["姓名", "身份证号码", "手机号码", "所在团支部"]],
        "merged downwards",
    ),
    ([["姓名", "身份证号码", "联系方式", "所在团支部"], ["", "", "手机号码", ""]], "only where it differs"),
    ([["基本信息", "", "联系方式", "组织"], HEADINGS], "groups above"),
]


@pytest.mark.parametrize("heads", [rows for rows, _ in TWO_ROWS], ids=[what for _, what in TWO_ROWS])
def test_headings_over_two_rows_are_one(heads: list[list[str]]) -> None:
    table = find(名单=[["团员花名册"], *heads, PERSON, OTHER])
    assert [row.cells for row in table.rows] == [dict(zip(HEADINGS, one, strict=True)) for one in (PERSON, OTHER)]
    assert table.skipped == []


def test_a_person_below_the_headings_is_none_of_them() -> None:
    table = find(名单=[HEADINGS, ["手机", *PERSON[1:]], OTHER])
    assert names(table) == ["手机", "鲍子墨"]


NOBODY = [
    ["必填", "必填，18位", "必填，11位", "格式：全称"],
    ["name", "id_card", "mobile", "branch"],
    ["1", "2", "3", "4"],
    ["示例", "340104200503127050", "19955000002", "一班团支部"],
    ["卫一宁（示例）", "340104200503127050", "19955000002", "一班团支部"],
    ["例", "张三", "", ""],
    ["", "", "", "一班团支部"],
    ["制表人", "王老师", "", ""],
    ["负责人签字", "", "", ""],
    ["合计", "2", "", ""],
    ["注：本表一式两份", "", "", ""],
    ["以下空白", "", "", ""],
    ["填表日期：2026年6月1日", "", "", ""],
    HEADINGS,
]


@pytest.mark.parametrize("row", NOBODY, ids=lambda row: row[0] or "defaults")
def test_a_row_about_nobody_neither_stops_the_file_nor_enters_it(row: list[str]) -> None:
    table = find(名单=[HEADINGS, row, PERSON, OTHER])

    assert names(table) == ["甘晓禾", "鲍子墨"]
    assert [label(number) for number, _ in table.skipped] == ["第 2 行"]


@pytest.mark.parametrize("name", ["例小禾", "合计", "共英", "注小明", "示小例"])
def test_a_person_with_a_number_stays_whatever_his_name(name: str) -> None:
    assert names(find(名单=[HEADINGS, [name, *PERSON[1:]]])) == [name]


@pytest.mark.parametrize("layout", [ROSTER, ORGANISATIONS, DESTINATIONS, FLOATING], ids=lambda one: one.title)
def test_every_word_of_the_dictionary_means_its_column(layout: Layout) -> None:
    sure, likely = layout.by_heading(), layout.likely()
    own = {column.name for column in layout.columns}
    for column in layout.columns:
        for heading in SURE.get(column.name, ()):
            words = heading_of(heading)
            assert sure[words] == column.name or words in own, heading
        assert len(likely[column.name]) == len(LIKELY.get(column.name, ()))


def test_a_likely_heading_gives_way_to_a_surer_one() -> None:
    table = find(名单=[[*HEADINGS, "联系电话", "班级"], [*PERSON, "0551-6360000", "软工1班"]])
    assert table.rows[0].cells["手机号码"] == "19955000000"
    assert table.unknown == ["联系电话", "班级"]
    assert table.rows[0].others == {"联系电话": "0551-6360000", "班级": "软工1班"}


VALUES = [
    (ROSTER, "政治面貌", "团员", "共青团员"),
    (ROSTER, "政治面貌", "03", "共青团员"),
    (ROSTER, "政治面貌", 3.0, "共青团员"),
    (ROSTER, "政治面貌", "预备党员", "中共预备党员"),
    (ROSTER, "性别", "1", "男"),
    (ROSTER, "性别", "F", "女"),
    (ROSTER, "学历", "本科生毕业", "本科"),
    (ROSTER, "民族", "维吾尔", "维吾尔族"),
    (ROSTER, "民族", "01", "汉族"),
    (ORGANISATIONS, "组织类别", "团总支部委员会", "团总支"),
    (ORGANISATIONS, "单位所属行业类别", "高职院校", "高等职业（专科）院校"),
    (ORGANISATIONS, "单位所属行业类别", "民企", "非公企业"),
    (FLOATING, "转出人毕业去向", "考研", "继续准备升学"),
    (FLOATING, "转出人毕业去向", "其它", "其他（请填写备注）"),
    (DESTINATIONS, "毕业去向类别", "应征义务兵", "转往特殊单位（参军入伍/涉密）"),
    (DESTINATIONS, "毕业去向类别", "待就业", "未落实就业去向"),
    (DESTINATIONS, "毕业去向类别", "境内升学", "升学"),
]


def lines(layout: Layout, column: str, *typed: Any) -> list[list[Any]]:
    """A file with what it must have, and ``typed`` in one column, a row each."""
    must = {one.name: (*one.choices, "甲")[0] for one in layout.columns if one.required and one.name != column}
    return [[*must, "学号", column], *([*must.values(), "2301", words] for words in typed)]


@pytest.mark.parametrize(("layout", "column", "typed", "value"), VALUES)
def test_what_can_only_mean_one_of_a_fixed_list_is_taken_for_it_and_said(
    layout: Layout, column: str, typed: Any, value: str
) -> None:
    table = find(layout, 名单=lines(layout, column, typed))

    assert table.rows[0].cells[column] == value
    assert table.folded == [(column, cells.text(typed), value, 1)]
    assert any(f"按“{value}”登记" in one.cause for one in table.remarks())


@pytest.mark.parametrize(
    ("layout", "column", "words"),
    [
        (DESTINATIONS, "毕业去向类别", "签就业协议形式就业"),
        (DESTINATIONS, "毕业去向类别", "出国、出境"),
        (DESTINATIONS, "毕业去向类别", "自由职业"),
        (ORGANISATIONS, "单位所属行业类别", "高校"),
        (ORGANISATIONS, "单位所属行业类别", "企业"),
        (ROSTER, "政治面貌", "群众"),
    ],
)
def test_what_may_mean_several_is_asked_about_once_for_the_file(layout: Layout, column: str, words: str) -> None:
    table = find(layout, 名单=lines(layout, column, words, words))
    assert table.asked == [(column, words, 2)]

    choice = layout.columns[[one.name for one in layout.columns].index(column)].choices[0]
    table = finding.applied(table, layout, Meanings(values={(column, words): choice}))
    assert [row.cells[column] for row in table.rows] == [choice, choice]
    assert table.asked == []


@pytest.mark.parametrize("layout", [ROSTER, ORGANISATIONS, DESTINATIONS, FLOATING], ids=lambda one: one.title)
def test_every_fixed_list_has_its_words_and_each_means_one_value(layout: Layout) -> None:
    for column in layout.columns:
        known = fixed_values.known(column.name)
        assert bool(known) == bool(column.choices), column.name
        values = {choice.partition("（")[0] for choice in column.choices}
        assert {value.partition("（")[0] for value in known.values()} <= values, column.name


# Every cell is either in the table, or listed as not read

EXAMPLES, BRIEFLY = 300, 60
WORDS = st.text(st.characters(categories=["Lo", "Lu"], max_codepoint=0x9FFF), min_size=1, max_size=8)
KNOWN = st.sampled_from([*HEADINGS, "学号", "班级", "联系电话", "家庭住址", "籍贯", "备注", "证件号码", "民族", "专业"])
CELL = st.one_of(st.none(), WORDS, st.integers(0, 10**12), st.sampled_from([*PERSON, "合计", "示例", "必填"]))
SHEET = st.tuples(
    st.lists(st.one_of(KNOWN, WORDS), min_size=1, max_size=7, unique=True),
    st.lists(st.lists(CELL, min_size=1, max_size=8), max_size=6),
    st.booleans(),
)


def said(table: ImportTable, sheet: int, row: int) -> bool:
    """Whether a row of a sheet that was read is in the table, or among those passed over."""
    wanted = "" if not sheet else f"第 {sheet + 1} 张表"
    known = [label(one.number) for one in table.rows] + [label(number) for number, _ in table.skipped]
    return f"{wanted}第 {row} 行" in known


def written(value: Any) -> str:
    return cells.key(cells.text(float(value) if isinstance(value, int) else value))


@pytest.mark.slow("writes and reads hundreds of workbooks")
def test_every_cell_of_a_visible_sheet_is_read_or_listed(*, brief: bool) -> None:
    books = given(st.lists(SHEET, min_size=1, max_size=3), st.sampled_from([ROSTER, DESTINATIONS, ORGANISATIONS]))
    settings(max_examples=BRIEFLY if brief else EXAMPLES, deadline=None)(books(read_or_listed))()


def read_or_listed(sheets: list[Any], layout: Layout) -> None:
    made = {f"表{number}": [head, *rows] for number, (head, rows, _) in enumerate(sheets)}
    hidden = [f"表{number}" for number, (*_, seen) in enumerate(sheets) if not seen and number]
    try:
        table = finding.find(workbooks.read(workbook(made, hidden=hidden)), layout, ask=True)
    except FileError:
        return  # the file as a whole is refused, with a reason
    told = " ".join(table.passed)
    for name, rows in made.items():
        if name not in table.sheets:
            assert f"“{name}”" in told or not any(cell is not None for row in rows for cell in row)
            continue
        sheet = table.sheets.index(name)
        found = {label(one.number): one for one in table.rows}
        for number, row in enumerate(rows[1:], start=2):
            filled = [cell for cell in row if cell is not None and str(cell).strip()]
            here = found.get(("" if not sheet else f"第 {sheet + 1} 张表") + f"第 {number} 行")
            if here is None:
                assert said(table, sheet, number) or all(str(cell).isdigit() or not filled for cell in filled)
                continue
            kept = [written(cell) for cell in (*here.cells.values(), *here.others.values())]
            folded = [words for _, words, *_ in table.folded]
            assert all(written(cell) in kept or written(cell) in folded for cell in filled)
            assert set(here.others) <= set(table.unknown)
