"""Keyset paging: every row once, in both directions, whatever is added meanwhile."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tests.browsing import Browser
from tests.world import World
from zhtj.kernel import clock
from zhtj.kernel.errors import DomainError
from zhtj.kernel.sql import paging
from zhtj.kernel.sql.listing import Listing, ReadyListing
from zhtj.kernel.sql.paging import Page, decode, encode
from zhtj.people.models import Account

KEYS = (Account.name, Account.id)
NAMES = st.lists(st.text("甲乙丙 丁AbZ~0", min_size=1, max_size=3), max_size=25)
GENTLE = effort(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def accounts(session: Session, names: list[str]) -> Iterator[list[int]]:
    """These accounts and no others, for the time of the block; yields their ids in the order of the list."""
    session.rollback()
    with session.begin_nested() as undo:
        session.execute(delete(Account))
        add(session, names)
        yield list(session.scalars(select(Account.id).order_by(*KEYS)))
        undo.rollback()


def add(session: Session, names: list[str]) -> None:
    session.add_all(Account(name=name, created_at=clock.now()) for name in names)
    session.flush()


def listing(size: int = 20, *, descending: bool = False) -> Listing[Account]:
    return Listing(select(Account), KEYS, descending=descending, size=size)


def one(size: int, *, after: str = "", before: str = "", descending: bool = False) -> Page[Account]:
    return listing(size, descending=descending).page(after=after, before=before)


def forward(size: int, *, descending: bool = False) -> tuple[list[int], Page[Account]]:
    """Every id as one turns the pages, and the last page."""
    page = one(size, descending=descending)
    found = [row.id for row in page.rows]
    while page.after:
        page = one(size, after=page.after, descending=descending)
        assert 0 < len(page.rows) <= size
        found += [row.id for row in page.rows]
    return found, page


@GENTLE
@given(names=NAMES, size=st.integers(1, 7), descending=st.booleans())
def test_forward_and_back_every_row_comes_once_and_in_order(session, names, size, descending) -> None:
    with accounts(session, names) as ids:
        expected = ids[::-1] if descending else ids
        found, page = forward(size, descending=descending)
        assert found == expected
        back = [row.id for row in page.rows]
        while page.before:
            page = one(size, before=page.before, descending=descending)
            back = [row.id for row in page.rows] + back
        assert back == expected
        assert one(size, descending=descending).before == ""


@GENTLE
@given(names=NAMES, more=NAMES, size=st.integers(1, 7))
def test_what_is_added_meanwhile_neither_doubles_nor_hides_a_row(session, names, more, size) -> None:
    with accounts(session, names) as ids:
        page = one(size)
        found = [row.id for row in page.rows]
        for name in [*more, "~", "0"]:
            add(session, [name])
            if not page.after:
                break
            page = one(size, after=page.after)
            found += [row.id for row in page.rows]
        while page.after:
            page = one(size, after=page.after)
            found += [row.id for row in page.rows]
        assert len(found) == len(set(found))
        assert [number for number in found if number in set(ids)] == ids


@GENTLE
@given(names=NAMES, size=st.integers(1, 4), data=st.data())
def test_what_disappears_meanwhile_hides_no_other_row(session, names, size, data) -> None:
    with accounts(session, names) as ids:
        page = one(size)
        found = [row.id for row in page.rows]
        gone = data.draw(st.sets(st.sampled_from(ids))) if ids else set()
        session.execute(delete(Account).where(Account.id.in_(gone)))
        while page.after:
            page = one(size, after=page.after)
            found += [row.id for row in page.rows]
        assert set(ids) - gone <= set(found)


@GENTLE
@given(names=NAMES, size=st.integers(1, 7), most=st.integers(0, 7), descending=st.booleans())
def test_walked_counted_and_picked_from_it_is_the_list_of_its_pages(session, names, size, most, descending) -> None:
    with accounts(session, names) as ids:
        shown = ids[::-1] if descending else ids
        found = listing(descending=descending)
        chunks = list(found.walk(size))
        assert [row.id for chunk in chunks for row in chunk] == shown
        assert all(len(chunk) == size for chunk in chunks[:-1])
        assert found.count() == len(ids)
        assert found.count(most) == min(len(ids), most + 1)
        assert found.take(most, Account.id) == shown[:most]
        assert [tuple(row) for row in found.take(2, Account.id, Account.name)] == [
            (row.id, row.name) for row in found.page().rows[:2]
        ]


@GENTLE
@given(names=NAMES)
def test_narrowed_reordered_and_dressed_it_is_still_one_list(session, names) -> None:
    with accounts(session, names) as ids:
        few = listing(3).where(Account.id.in_(ids[::2])).dressed(lambda rows: [row.id for row in rows])
        assert list(few) == ids[::2]
        assert few.count() == len(ids[::2])
        assert list(few.ordered(Account.id)) == sorted(ids[::2])
        twice = few.dressed(lambda numbers: [-number for number in numbers])
        assert list(twice.page().rows) == [-number for number in ids[::2]][:3]


@given(numbers=st.lists(st.integers(0, 99), unique=True, max_size=25), size=st.integers(1, 7))
def test_a_list_that_is_known_already_is_turned_like_any_other(numbers: list[int], size: int) -> None:
    texts = lambda rows: list(map(str, rows))  # noqa: E731 - short
    ready: ReadyListing[str] = ReadyListing(sorted(numbers), lambda row: (row,), [int], texts, size)
    expected = list(map(str, sorted(numbers)))
    page = ready.page()
    forth = list(page.rows)
    while page.after:
        page = ready.page(after=page.after)
        assert 0 < len(page.rows) <= size
        forth += page.rows
    back = list(page.rows)
    while page.before:
        page = ready.page(before=page.before)
        back = [*page.rows, *back]
    assert forth == back == list(ready) == expected
    assert ready.count() == len(numbers)


@given(st.text(), st.integers(-(2**31) + 1, 2**31 - 1))
def test_a_cursor_brings_its_values_back_and_fits_an_address(name: str, number: int) -> None:
    if paging.UNSTORABLE.search(name):
        return
    cursor = encode([name, number])
    assert decode(cursor, [str, int]) == (name, number)
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


TAMPERED = {
    "no base64": "!!!",
    "half a cursor": encode(["甲", 1])[:-3],
    "no text": base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    "no list": packed({"a": 1}),
    "too short": packed([1]),
    "too long": packed(["甲", 1, 2]),
    "swapped": packed([1, "甲"]),
    "a list inside": packed(["甲", [1]]),
    "nothing": packed(["甲", None]),
    "a fraction": packed(["甲", 1.5]),
    "yes": packed(["甲", True]),
    "larger than the database knows": packed(["甲", 2**31]),
    "a sign no text may hold": packed(["\0", 1]),
    "half a sign": packed(["\ud800", 1]),
    "bottomless": base64.urlsafe_b64encode(b"[" * 50_000).decode(),
    "endless": base64.urlsafe_b64encode(b"9" * 5_000).decode(),
}


@pytest.mark.parametrize("cursor", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_tampered_cursor_is_refused_in_words(cursor: str) -> None:
    with pytest.raises(DomainError, match="翻页地址不完整"):
        decode(cursor, [str, int])


@given(st.binary(max_size=60))
def test_no_bytes_whatever_crash_it(noise: bytes) -> None:
    try:
        values = decode(base64.urlsafe_b64encode(noise).decode(), [int])
    except DomainError:
        return
    assert len(values) == 1


@pytest.mark.parametrize("direction", ["after", "before"])
def test_a_tampered_address_is_422_and_never_a_crash(world: World, client, direction: str) -> None:
    browser = Browser(client).login(world.accounts["university"])
    fitting = {"too short", "beyond the end"}  # for this list, whose one key is a number
    for why, cursor in {**TAMPERED, "beyond the end": packed([2**31 - 1])}.items():
        page = browser.get(f"/school/applications?{direction}={cursor[:4000]}")
        assert page.status == (200 if why in fitting else 422), why
