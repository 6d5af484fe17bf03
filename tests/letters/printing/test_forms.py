"""The other printed forms: F-07, F-08, sheets of codes, the register of stubs, the direction chart (PD-35, H-11)."""

from __future__ import annotations

import itertools
import re

import pytest
from pypdf import PdfReader

from tests.letters.printing.reading import reader, squeeze
from zhtj.kernel.errors import DomainError
from zhtj.letters.printing import forms
from zhtj.letters.printing.chart import chart
from zhtj.letters.printing.forms import CodeSlip, SignedPaper
from zhtj.letters.stub_register import HEADINGS
from zhtj.policy.layers import policy_named
from zhtj.policy.vocabulary import Audience, CountsAs, Reason, StayingCase

COLLEGE = "共青团江淮示范大学计算机学院总支部委员会"
ROWS = (
    ("姓名", "丁一"),
    ("性别", "男"),
    ("民族", "汉族"),
    ("出生年月", "2004年3月"),
    ("政治面貌", "共青团员"),
    ("入团年月", "2019年5月"),
    ("身份证号", "34010420040314001X"),
    ("学院", COLLEGE),
    ("专业", "软件工程"),
    ("届别", "2026届"),
    ("层次", "本科毕业生"),
    ("毕业时间", "2026年6月"),
    ("前往国家（地区）", "英国"),
    ("学校", "某示范大学"),
    ("攻读专业", "计算机科学"),
    ("攻读学位", "硕士"),
    ("计划学习时间", "2026年9月至2028年6月"),
    ("团组织关系保留在", COLLEGE),
    ("国内联系人", "丁大（父亲）"),
    ("联系电话", "13700000001"),
    ("签名", "丁一"),
    ("日期", "2026年06月14日"),
)
F07 = SignedPaper("F-07", "关于保留团组织关系的申请", ("本人毕业后前往境外学习。",), ROWS, "以登录密码确认签名。")
NOTICES = tuple(f"{number}. 第{number}条告知事项，请遵守。" for number in range(1, 7))
F08 = SignedPaper(
    "F-08",
    "流动团员管理服务告知书",
    NOTICES,
    (
        ("团组织联系人", "钱老师"),
        ("联系电话", "0551-65500000"),
        ("团费交纳", "每季度一次"),
        ("团员身份证号码", "34010420040314001X"),
        ("本人手机号码", "13800000002"),
        ("签名", "丁一"),
        ("日期", "2026年06月14日"),
    ),
    "以登录密码确认签名。",
)


def text_of(pdf: bytes) -> str:
    return squeeze("".join(page.extract_text() for page in reader(pdf).pages))


def is_tagged(document: PdfReader) -> bool:
    root = document.trailer["/Root"]
    return bool(root["/MarkInfo"]["/Marked"]) and root["/Lang"] == "zh-CN"


@pytest.mark.rule("F-07", "PD-35")
def test_f07_says_everything_the_document_names_in_its_own_words():
    pdf = forms.signed_paper(F07)
    text = text_of(pdf)
    # given every answer, then each stands in the running text
    for label, answer in ROWS:
        assert squeeze(answer) in text, label
    assert "特申请将团组织关系保留在" in text
    assert text.index("特此申请") < text.index("申请人：丁一") < text.index("2026年06月14日")
    document = reader(pdf)
    assert len(document.pages) == 1
    assert is_tagged(document)
    assert document.metadata is not None
    assert document.metadata.title == "关于保留团组织关系的申请 丁一"


@pytest.mark.rule("F-08", "PD-35")
def test_f08_has_six_notices_whom_to_ring_and_the_slip():
    pdf = forms.signed_paper(F08)
    text = text_of(pdf)
    positions = [text.index(squeeze(words)) for words in NOTICES]
    assert positions == sorted(positions)
    slip = text.index("回执信息栏")
    assert text.index("团组织联系人：钱老师") < text.index("0551-65500000") < slip
    for answer in ("34010420040314001X", "13800000002", "团员签名：丁一", "2026年06月14日"):
        assert text.index(answer) > slip
    assert len(reader(pdf).pages) == 1
    assert is_tagged(reader(pdf))


@pytest.mark.parametrize("paper", [F07, F08])
def test_long_answers_stay_on_one_page(paper):
    # given a college whose name has forty characters, a long name and a long answer
    long = {
        "学院": "共" * 40,
        "团组织关系保留在": "青" * 40,
        "团费交纳": "每季度" * 12,
        "姓名": "阿卜杜热合曼·买买提吐尔逊",
    }
    rows = tuple((label, long.get(label, answer)) for label, answer in paper.rows)
    pdf = forms.signed_paper(SignedPaper(paper.form, paper.title, paper.text, rows, paper.confirmed))
    assert len(reader(pdf).pages) == 1


def test_a_character_no_face_draws_is_an_error_before_printing():
    rows = tuple((label, "李𰻝" if label == "姓名" else answer) for label, answer in ROWS)
    with pytest.raises(DomainError, match="𰻝"):
        forms.signed_paper(SignedPaper("F-07", "申请", (), rows))
    with pytest.raises(DomainError, match="𰻝"):
        forms.stub_register("某团委", 2026, [["2026年001号", "李𰻝"]])


def test_markup_in_an_answer_prints_as_text():
    rows = tuple((label, "<b>李</b>" if label == "姓名" else answer) for label, answer in ROWS)
    assert "<b>李</b>" in text_of(forms.signed_paper(SignedPaper("F-07", "申请", (), rows)))


@pytest.mark.rule("PD-03")
def test_a_sheet_has_ten_slips_a_page_each_with_its_code_and_qr():
    slips = [
        CodeSlip(
            "李明",
            "软工1班团支部",
            "激活码",
            f"ABCD-EFGH-{position:04d}",
            f"https://x.example/activate/{position}",
            "7月14日",
        )
        for position in range(13)
    ]
    document = reader(forms.code_sheet("软工1班团支部激活码", slips))
    texts = [squeeze(page.extract_text()) for page in document.pages]
    assert [len(re.findall(r"ABCD-EFGH-\d{4}", text)) for text in texts] == [10, 3]
    assert is_tagged(document)


@pytest.mark.slow("prints a register of many pages")
@pytest.mark.rule("L-05")
def test_the_register_repeats_its_headings_and_loses_no_row():
    row = [
        "",
        "李明",
        COLLEGE,
        "共" * 40,
        "毕业",
        "2026-09",
        "随学籍（人事）档案转递",
        "王建国",
        "13800000002",
        "a",
        "b",
        "有效",
        "",
    ]
    rows = [[f"2026年{number:03d}号", *row[1:]] for number in range(1, 121)]
    document = reader(forms.stub_register("共青团江淮示范大学委员会", 2026, rows))
    texts = [squeeze(page.extract_text()) for page in document.pages]
    assert len(texts) > 2
    assert all(heading in text for text in texts for heading in HEADINGS)
    assert sum(len(re.findall(r"2026年\d{3}号", text)) for text in texts) == 120


# -- the direction chart

POLICY = policy_named("2026-national", 2026)


def lead(label: str) -> dict[str, bool]:
    """Numbers of the receivers a situation leads to, and whether that is the way to go."""
    drawn = chart(POLICY)
    start = next(position for position, box in enumerate(drawn.situations) if label in box.text)
    return {box.text[0]: way.preferred for box, way in drawn.of(start)}


@pytest.mark.rule("H-11", "PD-12")
def test_every_receiver_stands_there_with_what_it_counts_as():
    drawn = chart(POLICY)
    assert "".join(box.text[0] for box in drawn.receivers) == "①②③④⑤⑥⑦"
    counts = [box.counts for box in drawn.receivers]
    assert counts == [CountsAs.COMPLETED] * 5 + [CountsAs.NOT_COMPLETED, CountsAs.OUT_OF_SCOPE]
    # every one of them is reached
    assert {way.end for way in drawn.ways} == set(range(7))


@pytest.mark.rule("H-11")
@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("单位有团组织", {"①": True}),
        ("单位无团组织", {"③": True, "④": False}),
        ("未落实", {"③": True, "④": False}),
        ("特殊单位", {"⑤": True}),
        ("保留团组织关系", {"⑥": True}),
        ("学习研究", {"⑦": True}),
        ("延迟毕业", {"⑦": True}),
        ("因公出国", {"①": True}),
        ("因私出国", {"③": True, "④": False, "⑦": False}),
        # Further study is always the admitting school's, whatever kind of organisation that is.
        ("升学", {"②": True}),
        ("校内专升本", {"②": True}),
    ],
)
def test_the_lines_are_those_of_the_destination_table(label, expected):
    assert lead(label) == expected


@pytest.mark.rule("H-11")
def test_whoever_graduates_finds_himself_on_it():
    labels = [box.text for box in chart(POLICY).situations]
    offered = [
        spec
        for reason, spec in POLICY.reasons.items()
        if Audience.GRADUATE in spec.audiences and reason is not Reason.OTHER
    ]
    assert labels == [spec.label or POLICY.special_unit_label for spec in offered] + [
        case.label for case in StayingCase
    ]


@pytest.mark.rule("H-11")
def test_another_places_table_draws_another_chart():
    # given the university that adds 经常居住地 for the employed, and words one reason its own way
    other = chart(policy_named("2022-nankai"))
    # then its chart says so
    assert {way.why for way in other.ways} != {way.why for way in chart(POLICY).ways}
    assert "转往特殊单位团组织" in {box.text for box in other.situations}


@pytest.mark.rule("H-11")
def test_the_chart_prints_on_one_page_in_our_own_face():
    document = reader(forms.direction_chart(chart(POLICY), 2026, "全国 2026"))
    assert len(document.pages) == 1
    text = squeeze(document.pages[0].extract_text())
    for box in (*chart(POLICY).situations, *chart(POLICY).receivers):
        assert squeeze(box.text) in text
    fonts = {str(font.get_object()["/BaseFont"]) for font in document.pages[0]["/Resources"]["/Font"].values()}
    assert {name.partition("+")[2] for name in fonts} == {"letter-song"}
    assert is_tagged(document)


@pytest.mark.rule("H-11")
def test_no_box_overlaps_another_and_every_text_fits_its_box():
    drawn = chart(POLICY)
    for column in (drawn.situations, drawn.receivers):
        for upper, lower in itertools.pairwise(column):
            assert upper.y + upper.height < lower.y
        for box in column:
            assert len(box.text) * 15 <= box.width
            assert all(len(line) * 10.5 + 26 <= box.width for line in box.small)
    assert max(box.y + box.height for box in (*drawn.situations, *drawn.receivers)) < drawn.height
