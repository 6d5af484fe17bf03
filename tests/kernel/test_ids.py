"""Codes that people type carry enough chance; request ids tie a request together (PD-03)."""

from __future__ import annotations

import math
import re

import pytest

from zhtj.kernel import ids


@pytest.mark.rule("PD-03")
def test_a_code_carries_at_least_fifty_bits() -> None:
    code = ids.random_code()
    signs = code.replace("-", "")
    assert len(signs) * math.log2(len(set(ids.ALPHABET))) >= 50
    assert len(set(ids.ALPHABET)) == len(ids.ALPHABET)


def test_no_two_signs_look_alike() -> None:
    for alike in ("0O", "1IL", "UV"):
        assert len(set(alike) & set(ids.ALPHABET)) <= 1
    assert ids.ALPHABET.upper() == ids.ALPHABET


def test_a_code_comes_in_groups_and_never_twice() -> None:
    codes = {ids.random_code(3, 4) for _ in range(2000)}
    assert len(codes) == 2000
    assert all(re.fullmatch(rf"([{ids.ALPHABET}]{{4}}-){{2}}[{ids.ALPHABET}]{{4}}", code) for code in codes)
    assert {sign for code in codes for sign in code} == {*ids.ALPHABET, "-"}


def test_a_code_can_be_made_of_other_signs() -> None:
    assert re.fullmatch(r"\d{6}-\d{6}", ids.random_code(2, 6, alphabet="0123456789"))


def test_request_ids_fit_their_column() -> None:
    first, second = ids.request_id(), ids.request_id()
    assert first != second
    assert re.fullmatch(r"[0-9a-f]{32}", first)
