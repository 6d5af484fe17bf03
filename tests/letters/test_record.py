"""What a record must carry before it becomes a letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.letters.samples import ALL, ORDINARY
from zhtj.letters.record import FileDisposition, LetterReason, LetterRecord, problems


def fields(record: LetterRecord) -> set[str]:
    return {problem.field for problem in problems(record)}


@pytest.mark.parametrize("name", ALL)
def test_every_sample_is_in_order(name):
    assert problems(ALL[name]) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("issuer", "", marks=pytest.mark.rule("L-12")),
        pytest.param("receiver", " ", marks=pytest.mark.rule("L-17")),
        pytest.param("name", "", marks=pytest.mark.rule("L-10")),
        pytest.param("ethnicity", "", marks=pytest.mark.rule("L-18")),
        pytest.param("sex", "", marks=pytest.mark.rule("L-18")),
        pytest.param("dev_number", "", marks=pytest.mark.rule("L-20")),
        pytest.param("dev_number", "2018340100", marks=pytest.mark.rule("L-20")),
        pytest.param("handler", "", marks=pytest.mark.rule("L-14")),
        pytest.param("handler_mobile", "", marks=pytest.mark.rule("L-25")),
        pytest.param("issuer_phone", "", marks=pytest.mark.rule("L-25")),
        pytest.param("member_phones", (), marks=pytest.mark.rule("L-15")),
        ("member_phones", ("",)),
        ("member_phones", ("不详",)),
        ("id_number", "3401042004051200"),
        ("age", 0),
        ("postcode", "2300"),
        ("number", 0),
        ("name", "李\n明"),
        ("address", "长" * 121),
        ("joined_month", date(2026, 11, 1)),
        ("dues_until", date(2018, 4, 30)),
        ("dues_until", date(2028, 1, 1)),
    ],
)
def test_a_field_that_is_blank_or_wrong_is_named(field, value):
    # given a record in order but for one field
    record = replace(ORDINARY, **{field: value})
    # then that field alone is complained about
    assert fields(record) == {field}


@pytest.mark.rule("L-20")
def test_without_a_number_stands_none():
    assert problems(replace(ORDINARY, dev_number="无")) == []


@pytest.mark.rule("L-11")
def test_another_reason_has_to_be_concrete():
    assert fields(replace(ORDINARY, reason=LetterReason.OTHER)) == {"reason_text"}
    assert replace(ORDINARY, reason=LetterReason.OTHER, reason_text="随军").reason_label == "随军"


@pytest.mark.rule("L-13")
def test_another_place_of_the_file_has_to_be_concrete():
    assert fields(replace(ORDINARY, file_disposition=FileDisposition.OTHER)) == {"file_note"}


@pytest.mark.rule("L-06")
def test_no_letter_inside_one_committee():
    assert fields(replace(ORDINARY, receiver=ORDINARY.issuer)) == {"receiver"}


@pytest.mark.rule("L-09", "PD-27")
@pytest.mark.parametrize(("number", "text"), [(1, "2026年001号"), (999, "2026年999号"), (1000, "2026年1000号")])
def test_the_number_grows_in_width(number, text):
    assert replace(ORDINARY, number=number).serial == text


@pytest.mark.rule("L-07")
def test_the_last_valid_day_is_ninety_days_on():
    assert replace(ORDINARY, issued_on=date(2026, 10, 14)).last_valid_day == date(2027, 1, 12)


@pytest.mark.parametrize("name", ALL)
def test_a_record_survives_being_kept(name):
    record = ALL[name]
    assert LetterRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize("text", ["{}", "[]", '{"year": 2026}', "3"])
def test_what_is_no_record_is_not_read(text):
    with pytest.raises(ValueError, match="letter record"):
        LetterRecord.from_json(text)


def test_an_older_record_keeps_its_meaning():
    # given a record kept before a field was added
    kept = ORDINARY.to_json().replace('"number_width": 3, ', "")
    # then it reads as it was printed
    assert LetterRecord.from_json(kept) == ORDINARY
