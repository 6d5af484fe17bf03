"""Encrypted fields and look-up hashes, and how keys are changed (PD-37)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhtj.kernel import crypto

OLD, NEW = crypto.generate_key(), crypto.generate_key()
PLAIN = "340104200403140017"


@given(st.text())
def test_what_was_encrypted_comes_back(text: str) -> None:
    crypto.use_keys((OLD,))
    assert crypto.decrypt(crypto.encrypt(text)) == text


def test_a_token_neither_shows_nor_repeats_its_content() -> None:
    crypto.use_keys((OLD,))
    first, second = crypto.encrypt(PLAIN), crypto.encrypt(PLAIN)
    assert first != second
    assert PLAIN not in first


@pytest.mark.rule("PD-37")
def test_after_a_rotation_the_newest_key_encrypts_and_every_key_decrypts() -> None:
    crypto.use_keys((OLD,))
    before = crypto.encrypt(PLAIN)
    # When a newer key is put in front
    crypto.use_keys((NEW, OLD))
    after = crypto.encrypt(PLAIN)
    # Then both can be read
    assert crypto.decrypt(before) == crypto.decrypt(after) == PLAIN
    # And what is written now needs the new key alone
    crypto.use_keys((NEW,))
    assert crypto.decrypt(after) == PLAIN
    with pytest.raises(ValueError, match="no data key"):
        crypto.decrypt(before)


@pytest.mark.rule("PD-37")
def test_a_newer_key_leaves_every_look_up_hash_as_it_was() -> None:
    crypto.use_keys((OLD,))
    before = crypto.keyed_hash("id_number", PLAIN)
    crypto.use_keys((NEW, OLD))
    assert crypto.keyed_hash("id_number", PLAIN) == before
    crypto.use_keys((NEW,))
    assert crypto.keyed_hash("id_number", PLAIN) != before


def test_a_hash_is_another_for_another_purpose_or_value() -> None:
    crypto.use_keys((OLD,))
    hashes = {crypto.keyed_hash(purpose, value) for purpose in ("mobile", "id_number") for value in ("1", "2")}
    assert len(hashes) == 4
    assert all(len(value) == 64 and PLAIN not in value for value in hashes)


@pytest.mark.parametrize("keys", [(), ("short",), (OLD, "x" * 44)])
def test_unusable_keys_are_refused_at_the_start(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own words
        crypto.use_keys(keys)


@pytest.mark.parametrize("token", ["", "nonsense", "gAAAAA", "汉字"])
def test_what_is_no_token_is_a_value_error(token: str) -> None:
    crypto.use_keys((OLD,))
    with pytest.raises(ValueError, match="no data key"):
        crypto.decrypt(token)
