"""The words on the three slips, read back out of the PDF."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest

from tests.letters.printing.reading import Page, pages, squeeze
from tests.letters.samples import LONG, ORDINARY, RARE, SITE, SPECIAL
from zhtj.letters.printing.pages import sheet
from zhtj.letters.printing.render import render_letter, render_letters
from zhtj.letters.record import FORM_NAME, FileDisposition, LetterRecord

STUB, ORIGINAL, RECEIPT = range(3)


@cache
def printed(record: LetterRecord) -> Page:
    (page,) = pages(render_letter(record, site=SITE))
    return page


@pytest.mark.rule("L-05")
@pytest.mark.parametrize("record", [ORDINARY, LONG])
def test_three_slips_with_title_and_name(record):
    page = printed(record)
    for number, (label, part) in enumerate([("存根", "第一联"), ("正本", "第二联"), ("回执", "第三联")]):
        assert FORM_NAME in page.slip(number)
        assert page.slip(number).replace("(加盖骑缝章)", "").startswith(label)
        assert part in page.slip(number)


# The form's own words, slip by slip, in print order.
FORM = (
    (
        "存根",
        "同志系中国共产主义青年团团员",
        "团组织关系由",
        "转到",
        "团员档案：",
        "继续保存",
        "随学籍（人事）档案转递",
        "邮寄转递",
        "本人自带",
        "其他：",
        "转出经办人：",
        "团员本人联系电话：",
        "第一联",
    ),
    (
        "正本",
        "同志（",
        "岁",
        "族",
        "系中国共产主义青年团团员",
        "身份证号码",
        "团员发展编号",
        "（12位）",
        "因",
        "原因",
        "由",
        "转入你处，请接收其团组织关系，该同志团费交至",
        "（有效期90天）",
        "（转出团委盖章）",
        "团员本人联系电话：",
        "转出团委联系电话：",
        "转出团委通讯地址：",
        "第二联",
    ),
    ("回执", "同志的团员组织关系已转达我处，特此回复。", "转入经办人：", "联系电话：", "（转入团委盖章）", "第三联"),
)


@pytest.mark.rule("F-09")
@pytest.mark.parametrize("record", [ORDINARY, LONG])
def test_every_word_of_the_form_stands_on_its_slip(record):
    page = printed(record)
    for number, words in enumerate(FORM):
        text = page.slip(number)
        assert [word for word in words if word not in text] == []
    assert "转出经办人：" in page.slip(ORIGINAL)
    assert "邮编：" in page.slip(ORIGINAL)
    # and what is asked for is filled in: none of the lines of slips one and two is empty
    assert record.name in page.slip(STUB)
    assert record.addressee in page.slip(ORIGINAL)


@pytest.mark.rule("L-09", "L-16", "L-26")
@pytest.mark.parametrize("record", [ORDINARY, LONG])
def test_the_three_numbers_are_equal(record):
    found = [re.findall(r"(?<!\d)\d{4}年\d+号", printed(record).slip(number)) for number in (STUB, ORIGINAL, RECEIPT)]
    assert found == [[record.serial]] * 3


@pytest.mark.rule("L-26")
def test_the_receipts_number_stands_at_the_foot():
    pieces = [piece for piece in printed(ORDINARY).pieces if piece.slip == RECEIPT]
    number = next(piece for piece in pieces if piece.text.strip() == "001")
    assert number.base > max(piece.base for piece in pieces) - 1


@pytest.mark.rule("L-10", "L-11", "L-12")
@pytest.mark.parametrize("record", [ORDINARY, LONG, RARE])
def test_the_stub_says_who_why_from_where_to_where(record):
    assert squeeze(
        f"{record.receiver}：{record.name}同志系中国共产主义青年团团员，因{record.reason_label}原因，"
        f"团组织关系由{record.issuer}转到{record.receiver}。"
    ) in printed(record).slip(STUB)


@pytest.mark.rule("L-13")
@pytest.mark.parametrize("chosen", FileDisposition)
def test_exactly_the_chosen_box_is_ticked(chosen):
    # given a letter with one of the five places of the file
    note = "市人才中心" if chosen is FileDisposition.OTHER else ""
    text = printed(replace(ORDINARY, file_disposition=chosen, file_note=note)).slip(STUB)
    # then that one has no empty box any more, its tick being drawn, and all others have
    words = text[text.index("团员档案") : text.index("转出经办人")]
    for choice in FileDisposition:
        assert (f"□{choice.label}" in words) is (choice is not chosen)
    assert words.endswith(f"其他：{note}")


@pytest.mark.rule("L-14", "L-15")
@pytest.mark.parametrize("record", [ORDINARY, LONG])
def test_the_stub_ends_with_handler_phones_and_day(record):
    phones = "、".join(record.member_phones)
    assert f"转出经办人：{record.handler}团员本人联系电话：{phones}2026年10月14日" in printed(record).slip(STUB)


@pytest.mark.rule("L-17", "L-18", "L-19", "L-20", "L-21", "L-22", "L-07")
@pytest.mark.parametrize("record", [ORDINARY, LONG, RARE])
def test_the_original_says_everything_about_the_member(record):
    assert squeeze(
        f"{record.receiver}：{record.name}同志（{record.sex}），{record.age}岁，{record.ethnicity}，"
        f"系中国共产主义青年团团员，{record.joined_month.year}年{record.joined_month.month}月入团，"
        f"身份证号码{record.id_number}，团员发展编号{record.dev_number}（12位），因{record.reason_label}原因，"
        f"由{record.issuer}转入你处，请接收其团组织关系，该同志团费交至2026年9月。（有效期90天）"
    ) in printed(record).slip(ORIGINAL)


@pytest.mark.rule("L-07", "L-23", "L-24", "L-25")
@pytest.mark.parametrize("record", [ORDINARY, LONG])
def test_the_original_ends_with_seal_day_and_contacts(record):
    text = printed(record).slip(ORIGINAL)
    assert "（转出团委盖章）2026年10月14日" in text
    assert f"团员本人联系电话：{'、'.join(record.member_phones)}" in text
    assert f"转出经办人：{record.handler}" in text
    assert f"转出团委联系电话：{record.issuer_phone}、{record.handler_mobile}" in text
    assert f"转出团委通讯地址：{record.address}" in text
    assert f"邮编：{record.postcode}" in text


@pytest.mark.rule("L-27", "L-28")
@pytest.mark.parametrize("record", [ORDINARY, LONG, RARE])
def test_the_receipt_is_for_the_receiver_to_fill(record):
    text = printed(record).slip(RECEIPT)
    assert f"{record.issuer}：{record.name}同志的团员组织关系已转达我处，特此回复。" in text
    assert "转入经办人：联系电话：（转入团委盖章）年月日" in text


@pytest.mark.rule("L-08")
def test_the_seam_stamp_goes_across_slips_one_and_two():
    (seam,) = [piece for piece in printed(ORDINARY).pieces if "骑缝章" in piece.text]
    assert abs(seam.base - seam.size * 0.35 - 95) < 1


@pytest.mark.rule("PD-28")
def test_a_special_unit_is_named_generically():
    page = printed(SPECIAL)
    assert "转到参军入伍。" in page.slip(STUB)
    assert "接收单位团组织：" in page.slip(ORIGINAL)


def test_the_check_code_leads_to_the_public_page():
    assert "核验码ABCD-EFGH-JKMN" in printed(ORDINARY).slip(ORIGINAL)
    assert sheet(ORDINARY, SITE + "/").code.url == f"{SITE}/v/ABCD-EFGH-JKMN"


@pytest.mark.slow("prints letters")
def test_letters_of_one_file_stand_one_a_page_in_order():
    # given three letters of which the middle one is long
    records = [replace(record, number=number) for number, record in enumerate([ORDINARY, LONG, RARE], start=7)]
    # when they are printed in one file
    found = pages(render_letters(records, site=SITE))
    # then each has its page
    assert [record.serial in page.slip(STUB) for record, page in zip(records, found, strict=True)] == [True] * 3


def test_the_same_letter_is_the_same_file():
    assert render_letter(ORDINARY, site=SITE) == render_letter(ORDINARY, site=SITE)
