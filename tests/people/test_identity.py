"""ID numbers: what is accepted, what is refused and with which words, what they say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhtj.people.identity import IdentityError, check_sign, masked, masked_mobile, read
from zhtj.people.models import Sex

TODAY = date(2026, 10, 14)
GOOD = "341204200404074586"

birthdays = st.dates(date(1900, 1, 1), TODAY)
areas = st.integers(110000, 659999).map(str)
orders = st.integers(0, 999).map("{:03d}".format)


@st.composite
def numbers(draw: st.DrawFn) -> tuple[str, date, int]:
    born, order = draw(birthdays), draw(orders)
    body = draw(areas) + f"{born:%Y%m%d}".zfill(8) + order
    return body + check_sign(body), born, int(order)


@given(numbers())
def test_a_right_number_says_birthday_and_sex(made: tuple[str, date, int]) -> None:
    number, born, order = made
    found = read(number, today=TODAY)
    assert (found.number, found.born) == (number, born)
    assert found.sex is (Sex.MALE if order % 2 else Sex.FEMALE)


@given(numbers(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_no_single_wrong_sign_passes(made: tuple[str, date, int], position: int, sign: str) -> None:
    number = made[0]
    changed = number[:position] + sign + number[position + 1 :]
    if changed == number:
        return
    with pytest.raises(IdentityError):
        read(changed, today=TODAY)


@pytest.mark.slow("hundreds of invented texts")
@given(st.text(max_size=20))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        number = read(text, today=TODAY).number
    except IdentityError as error:
        refusal = error
    else:
        assert number == text.upper()
        return
    assert refusal.message
    assert refusal.fix
    assert refusal.field == "id_number"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("341204040407458", "15 位"),
        ("34120420040407458", "17 位"),
        ("3412042004040745861", "19 位"),
        ("34120420040407458A", "只能是数字"),
        ("341204200402304586", "出生日期不存在"),
        ("341204189904074586", "出生日期不存在"),
        ("341204202704074586", "还没有到"),
        ("341204200404074587", "校验码"),
        ("３４１２０４２００４０４０７４５８６", "只能是数字"),
    ],
)
def test_a_wrong_number_is_refused_with_its_reason(text: str, words: str) -> None:
    with pytest.raises(IdentityError, match=words):
        read(text, today=TODAY)


def test_a_small_x_is_accepted() -> None:
    assert read("51010720050119279x", today=TODAY).number == "51010720050119279X"


def test_the_clock_says_what_is_still_to_come(clock_at: Callable[[str], None]) -> None:
    body = "34120420261015458"
    number = body + check_sign(body)
    with pytest.raises(IdentityError, match="还没有到"):
        read(number)
    clock_at("2026-10-15T00:00")
    assert read(number).born == date(2026, 10, 15)


@pytest.mark.rule("PD-31")
@pytest.mark.parametrize(
    ("day", "age"),
    [(date(2018, 4, 1), 13), (date(2018, 4, 7), 14), (date(2018, 5, 1), 14), (date(2017, 4, 1), 12)],
)
def test_age_is_completed_years(day: date, age: int) -> None:
    assert read(GOOD, today=TODAY).age_on(day) == age


@pytest.mark.rule("PD-37")
def test_masks_hide_all_but_the_ends() -> None:
    assert masked(GOOD) == "341***********4586"
    assert masked("12345") == "*****"
    assert masked_mobile("13912169593") == "139****9593"
    assert masked_mobile("") == ""
