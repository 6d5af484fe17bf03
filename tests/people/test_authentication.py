"""Signing in: by which names, what a failure tells, how it slows down and locks (PD-04)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select

from tests.world import World
from zhtj.kernel import audit, clock
from zhtj.kernel.database import db, unit_of_work
from zhtj.kernel.errors import DomainError, TooMany
from zhtj.people.models import Account, CodeKind
from zhtj.people.signing import accounts, authentication, codes, passwords
from zhtj.people.signing.authentication import WrongCredentialsError, address_key, sign_in

GOOD = "山高月小水落石出真好看"
WRONG = "correct horse battery"
HOME = "10.0.0.1"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def account(world: World) -> Account:
    """An open account with a password."""
    account = world.graduate.account
    accounts.set_password(account, GOOD)
    db.session.commit()
    return account


def fail(username: str | None, address: str = HOME, times: int = 1, clock_at=None) -> list[str]:
    """What a wrong password is answered with; with ``clock_at`` patiently, after the pause asked for."""
    said = []
    for _ in range(times):
        while True:
            with pytest.raises(DomainError) as caught:
                sign_in(username or "", WRONG, address)
            if clock_at is None or not isinstance(caught.value, TooMany) or caught.value.retry_after > 600:
                break
            clock_at(clock.now() + MINUTE)
        said.append(str(caught.value))
    return said


def events(action: str) -> list[audit.AuditEvent]:
    return list(db.session.scalars(select(audit.AuditEvent).where(audit.AuditEvent.action == action)))


@pytest.mark.rule("PD-04")
def test_by_mobile_or_id_number_however_typed(account: Account) -> None:
    number, mobile = account.id_number or "", account.mobile or ""
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in mobile)
    for name in (
        number,
        number.lower(),
        f" {number[:6]} {number[6:]} ",
        mobile,
        wide,
        f"+86 {mobile}",
        f"86{mobile}",
        "-".join((mobile[:3], mobile[3:])),
    ):
        assert sign_in(name, GOOD, HOME).id == account.id


def test_a_small_x_at_the_end_is_a_capital_one(world: World) -> None:
    account = world.graduate.account
    account.set_id_number("11010119900101001X")
    accounts.set_password(account, GOOD)
    db.session.commit()
    for name in ("11010119900101001x", "１１０１０１１９９００１０１００１ｘ"):
        assert sign_in(name, GOOD, HOME).id == account.id


@pytest.mark.rule("PD-04")
def test_the_refusal_never_says_which_half_was_wrong(world: World, account: Account) -> None:
    # given an open account, one not activated yet, and names nobody has
    inactive = world.classmate.account
    inactive.activated_at = None
    accounts.set_password(inactive, WRONG)
    db.session.commit()

    # then all are answered alike, and with a hint to the door of activation
    said = {
        fail(name)[0] for name in (account.mobile, account.id_number, inactive.mobile, "13999999999", "不是号码", "")
    }
    assert len(said) == 1
    assert "激活" in said.pop()


@pytest.mark.rule("PD-04")
def test_an_account_that_is_not_activated_does_not_open(world: World) -> None:
    account = world.graduate.account
    accounts.set_password(account, GOOD)
    account.activated_at = None
    db.session.commit()
    with pytest.raises(WrongCredentialsError):
        sign_in(account.mobile or "", GOOD, HOME)


@pytest.mark.rule("PD-04")
def test_failures_slow_down(account: Account, clock_at) -> None:
    # given three failures
    fail(account.mobile, times=3)

    # then even the right password must wait a second first
    with pytest.raises(TooMany, match="请等 1 秒"):
        sign_in(account.mobile or "", GOOD, HOME)
    clock_at("2026-10-14T09:00:01")
    sign_in(account.mobile or "", GOOD, HOME)


@pytest.mark.rule("PD-04")
def test_failures_lock_the_account_until_a_stated_time(account: Account, clock_at) -> None:
    # given eight failures, by both names and from several networks
    for number in range(7):
        fail(account.mobile if number % 2 else account.id_number, f"10.0.0.{number}", clock_at=clock_at)
        clock_at(clock.now() + MINUTE)
    clock_at("2026-10-14T09:10")
    [said] = fail(account.mobile)

    # then it says until when, and the right password is refused too
    assert "09:25 以后再试" in said
    clock_at("2026-10-14T09:24:59")
    with pytest.raises(TooMany):
        sign_in(account.id_number or "", GOOD, "10.9.9.9")

    # and then it opens
    clock_at("2026-10-14T09:25")
    sign_in(account.mobile or "", GOOD, HOME)
    assert [event.subject_id for event in events("account.locked")] == [account.id]


@pytest.mark.rule("PD-04")
def test_a_name_nobody_has_is_locked_just_the_same(account: Account, clock_at) -> None:
    known = fail(account.mobile, times=8, clock_at=clock_at)
    clock_at("2026-10-14T09:00")
    unknown = fail("13999999999", "10.0.0.2", times=8, clock_at=clock_at)
    assert known == unknown
    assert "以后再试" in known[-1]


@pytest.mark.slow("a hundred wrong passwords")
@pytest.mark.rule("PD-04")
def test_an_address_is_locked_whichever_names_it_tries(account: Account, clock_at) -> None:
    # given a hundred failures of one network, each with another name
    for number in range(100):
        fail(f"1390000{number:04d}")

    # then it is locked, others are not
    with pytest.raises(TooMany, match="这个网络"):
        sign_in(account.mobile or "", GOOD, HOME)
    sign_in(account.mobile or "", GOOD, "10.0.0.2")
    clock_at("2026-10-14T09:15")
    sign_in(account.mobile or "", GOOD, HOME)
    assert len(events("address.locked")) == 1


@pytest.mark.slow("hundreds sign in")
def test_a_campus_behind_one_address_signs_in_as_often_as_it_likes(account: Account) -> None:
    for _ in range(110):
        sign_in(account.mobile or "", GOOD, HOME)


def test_success_forgets_the_failures(account: Account) -> None:
    fail(account.mobile, times=2)
    sign_in(account.mobile or "", GOOD, HOME)
    fail(account.mobile, times=2)
    sign_in(account.mobile or "", GOOD, HOME)


@pytest.mark.rule("PD-38")
def test_logins_and_failures_are_recorded_without_what_was_typed(account: Account) -> None:
    fail(account.mobile)
    fail("13999999999")
    sign_in(account.mobile or "", GOOD, HOME)
    assert [event.subject_id for event in events("account.login_failed")] == [account.id, 0]
    [event] = events("account.login")
    assert (event.subject_id, event.detail) == (account.id, {"address": HOME})
    assert "13999999999" not in str([one.detail for one in events("account.login_failed")])


def test_an_old_hash_is_made_anew_at_the_next_login(account: Account) -> None:
    account.password_hash = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD)
    db.session.commit()
    sign_in(account.mobile or "", GOOD, HOME)
    assert not passwords.is_outdated(account.password_hash or "")
    sign_in(account.mobile or "", GOOD, HOME)


def test_a_reset_unlocks(world: World, account: Account, clock_at) -> None:
    fail(account.mobile, times=8, clock_at=clock_at)
    with unit_of_work():
        issued = codes.issue(CodeKind.RESET, account=account, seat=world.seat("class1"))
    with unit_of_work():
        codes.reset(account.mobile or "", issued.plain, WRONG)
    sign_in(account.mobile or "", WRONG, HOME)


def test_many_guesses_at_the_same_moment_do_not_slip_through(live: Flask) -> None:
    # given
    with live.app_context(), audit.acting(None):
        world = World.build()
        accounts.set_password(world.graduate.account, GOOD)
        db.session.commit()
        mobile = world.graduate.account.mobile or ""
        db.session.remove()

    def guess(_: int) -> bool:
        with live.app_context(), audit.acting(None):
            try:
                sign_in(mobile, WRONG, HOME)
            except TooMany:
                return False
            except WrongCredentialsError:
                return True
            raise AssertionError("let in")

    # when sixteen come at once, then no more are looked at than before the first pause
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(guess, range(16))) == 3


def test_own_password_is_changed_with_the_present_one(account: Account) -> None:
    before = account.session_version
    with pytest.raises(WrongCredentialsError) as caught:
        authentication.change_password(account.id, WRONG, "another fine password")
    assert caught.value.field == "current"
    with pytest.raises(DomainError, match="姓名"):
        authentication.change_password(account.id, GOOD, "我是丁一我怕谁呀你说")
    authentication.change_password(account.id, GOOD, WRONG)
    assert account.session_version == before + 1
    sign_in(account.mobile or "", WRONG, HOME)


def test_guessing_the_present_password_locks_as_the_login_does(account: Account, clock_at) -> None:
    for minute in range(8):
        clock_at(f"2026-10-14T09:0{minute}")
        with pytest.raises(WrongCredentialsError):
            authentication.change_password(account.id, WRONG, "another fine password")
    clock_at("2026-10-14T09:08")
    with pytest.raises(TooMany):
        sign_in(account.mobile or "", GOOD, HOME)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("", "unknown"),
    ],
)
def test_one_visitor_is_one_address_or_one_ipv6_network(address: str | None, key: str) -> None:
    assert address_key(address) == key
