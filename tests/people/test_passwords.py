"""How passwords are kept and which are refused."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher, extract_parameters

from tests.conftest import HEAVY
from zhtj.people.signing import passwords

ID = "340104200403140017"
MOBILE = "13800001234"


@pytest.fixture(autouse=True)
def in_earnest(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the hashes of real accounts."""
    monkeypatch.setattr(passwords, "_hasher", HEAVY)


def refusal(password: str) -> str:
    return passwords.problem(password, name="李雨桐", numbers=(ID, MOBILE))


@pytest.mark.parametrize(
    "good", ["山高月小水落石出真好看", "correct horse battery", "Tie3-mu-niu-lan", "ёжик в тумане 7"]
)
def test_ordinary_good_passwords_are_accepted(good: str) -> None:
    assert refusal(good) == ""


@pytest.mark.rule("PD-03")
@pytest.mark.parametrize("part", [ID, ID[-8:], ID[-6:], "20040314", MOBILE, MOBILE[-8:]])
def test_nothing_derived_from_id_or_mobile_number_is_accepted(part: str) -> None:
    assert "连续数字" in refusal(f"Zx!{part}-q")


def test_full_width_digits_of_the_id_number_are_seen_through() -> None:
    assert "连续数字" in refusal("Zx！２００４０３１４－ｑ")


@pytest.mark.parametrize(
    ("weak", "because"),
    [
        ("kurz-9Zx!", "至少"),
        ("x" * 5 + "y" * 124, "最多"),
        ("李雨桐最喜欢的颜色是蓝", "姓名"),
        ("LiYuTong-2024!", "姓名"),
        ("woaini1314520", "容易"),
        ("Password123", "容易"),
        ("aaaaaaaaaaaa", "容易"),
        ("1234567890", "容易"),
        ("0987654321", "容易"),
        ("qwertyuiopas", "容易"),
        ("abc1abc1abc1", "容易"),
        ("ababababababc", "容易"),
    ],
)
def test_what_anybody_would_try_first_is_refused(weak: str, because: str) -> None:
    assert because in refusal(weak)


def test_a_hash_fits_its_password_alone_and_costs_what_was_measured() -> None:
    # given
    kept = passwords.make_hash("correct horse battery")

    # then
    assert passwords.verify(kept, "correct horse battery")
    assert not passwords.verify(kept, "correct horse batterz")
    parameters = extract_parameters(kept)
    assert (parameters.type.name, parameters.time_cost, parameters.memory_cost, parameters.parallelism) == (
        "ID",
        2,
        19 * 1024,
        1,
    )


def test_full_width_typing_opens_the_same_account() -> None:
    assert passwords.verify(passwords.make_hash("Tie3-mu-niu"), "Ｔｉｅ３－ｍｕ－ｎｉｕ")


def test_no_password_fits_an_account_without_one() -> None:
    assert not passwords.verify(None, "no such account")
    assert not passwords.verify("", "")
    assert not passwords.verify("not a hash", "anything")


def test_a_hash_with_other_parameters_is_outdated() -> None:
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("x"))
    assert not passwords.is_outdated(passwords.make_hash("x"))
