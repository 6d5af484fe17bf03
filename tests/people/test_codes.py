"""Activation, reset and registration codes: who issues them, what they open, how often (PD-03)."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from math import log2
from threading import Barrier, BrokenBarrierError

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from tests.world import World
from zhtj.kernel import audit, clock, ids
from zhtj.kernel.database import db, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound, TooMany
from zhtj.people import operations as people
from zhtj.people import queries
from zhtj.people.models import Account, Code, CodeKind, Member, Post, Seat
from zhtj.people.signing import accounts, codes, passwords
from zhtj.people.signing.codes import IssuedCode, WrongCodeError

GOOD = "山高月小水落石出真好看"
OTHER = "correct horse battery"


def issue(world: World, kind: CodeKind, by: str, account: Account) -> IssuedCode:
    with unit_of_work():
        return codes.issue(kind, account=account, seat=world.seat(by))


def inactive(member: Member) -> Account:
    member.account.activated_at = None
    db.session.commit()
    return member.account


def activation(world: World) -> IssuedCode:
    return issue(world, CodeKind.ACTIVATION, "class1", inactive(world.graduate))


def reset_code(world: World) -> IssuedCode:
    return issue(world, CodeKind.RESET, "class1", world.graduate.account)


def registration(world: World, org: str = "university", by: str = "province") -> IssuedCode:
    if by == "province":
        # The city has no administrator: the province, the nearest superior that has one, acts for it (PD-22).
        assert world.orgs["city"].office_id == world.orgs["province"].id
    with unit_of_work():
        return codes.issue(CodeKind.REGISTRATION, organisation=world.orgs[org], seat=world.seat(by))


def done(action: Callable[[], object]) -> None:
    with unit_of_work():
        action()


# ---- the code itself


@pytest.mark.rule("PD-03")
def test_a_code_is_random_grouped_and_long_enough() -> None:
    for kind in CodeKind:
        plain = codes.make_plain(kind)
        assert re.fullmatch(r"[0-9A-Za-z]{4}(-[0-9A-Za-z]{4}){2}", plain)
        alphabet = codes.MIXED_ALPHABET if kind is CodeKind.REGISTRATION else ids.ALPHABET
        assert set(plain) <= {*alphabet, "-"}
        assert 12 * log2(len(set(alphabet))) >= 50
        assert plain != codes.make_plain(kind)


@pytest.mark.rule("PD-03")
def test_only_a_keyed_hash_is_kept_and_the_log_does_not_know_the_code(world: World) -> None:
    # when
    issued = activation(world)

    # then no column of codes and no audit event shows it
    plain, bare = issued.plain, issued.plain.replace("-", "")
    for table in ("codes", "audit_events"):
        for row in db.session.execute(text(f"SELECT * FROM {table}")):
            assert plain not in str(row)
            assert bare not in str(row)
    event = db.session.scalars(select(audit.AuditEvent).where(audit.AuditEvent.action == "code.issue")).one()
    assert (event.subject_id, event.detail["kind"]) == (world.graduate.account_id, "activation")


@pytest.mark.parametrize("kind", [CodeKind.ACTIVATION, CodeKind.RESET])
def test_case_blanks_hyphens_and_full_width_do_not_matter(kind: CodeKind) -> None:
    for typed in (
        "k7qf-29xm-ht4w",
        "K7QF29XMHT4W",
        " k7qf 29xm ht4w ",
        "Ｋ７ＱＦ－２９ＸＭ－ＨＴ４Ｗ",
        "K7QF—29XM—HT4W",
    ):
        assert codes.normalise(kind, typed) == "K7QF29XMHT4W"


@pytest.mark.rule("U-07")
def test_registration_codes_are_case_sensitive(world: World) -> None:
    # given a code with letters in it
    issued = registration(world)
    while issued.plain.swapcase() == issued.plain:
        issued = registration(world)

    # then with the other case it is no code of this organisation
    with pytest.raises(WrongCodeError, match="不是共青团江淮示范大学委员会的注册码"):
        done(lambda: register(world, issued.plain.swapcase()))
    # and hyphens and blanks still do not matter
    done(lambda: register(world, issued.plain.replace("-", " ")))


@pytest.mark.rule("PD-03")
@pytest.mark.parametrize(
    ("kind", "days"), [(CodeKind.RESET, 2), (CodeKind.ACTIVATION, 30), (CodeKind.REGISTRATION, 20)]
)
def test_how_long_a_code_is_good(world: World, kind: CodeKind, days: int) -> None:
    issued = {CodeKind.RESET: reset_code, CodeKind.ACTIVATION: activation, CodeKind.REGISTRATION: registration}[kind](
        world
    )
    assert (issued.expires_at - clock.now()).days == days


@pytest.mark.rule("U-06")
def test_the_full_text_says_everything_one_needs(world: World) -> None:
    issued = reset_code(world)
    message = issued.message("https://league.example/password/reset")
    for part in (
        issued.plain,
        "丁一",
        "2026年10月16日 09:00",
        "https://league.example/password/reset",
        "重置密码验证码",
        "一次",
    ):
        assert part in message


# ---- who may issue


@pytest.mark.rule("U-04")
@pytest.mark.parametrize("by", ["class1", "college"])
def test_own_organisation_and_direct_superior_issue_a_reset_code(world: World, by: str) -> None:
    assert issue(world, CodeKind.RESET, by, world.graduate.account).name == "丁一"


@pytest.mark.rule("U-04")
@pytest.mark.parametrize("by", ["university", "province"])
def test_a_superior_further_up_does_not(world: World, by: str) -> None:
    with pytest.raises(Forbidden, match="直接上级"):
        issue(world, CodeKind.RESET, by, world.graduate.account)


@pytest.mark.rule("U-04")
@pytest.mark.parametrize("by", ["class2", "company", "county"])
def test_others_do_not_even_learn_that_the_person_exists(world: World, by: str) -> None:
    with pytest.raises(NotFound):
        issue(world, CodeKind.RESET, by, world.graduate.account)


@pytest.mark.rule("U-04")
def test_a_member_cannot_help_himself_or_another(world: World) -> None:
    for account in (world.graduate.account, world.classmate.account):
        with unit_of_work(), pytest.raises(Forbidden):
            codes.issue(CodeKind.RESET, account=account, seat=world.own_seat(world.graduate))


def test_nobody_issues_a_code_for_himself(world: World) -> None:
    with pytest.raises(Forbidden, match="不能为自己"):
        issue(world, CodeKind.RESET, "class1", world.accounts["class1"])


@pytest.mark.rule("U-04")
def test_where_the_direct_superior_has_no_administrator_the_nearest_that_has_one_acts(world: World) -> None:
    # given the college has lost its only administrator
    with unit_of_work():
        seat = db.session.scalars(select(Seat).where(Seat.org_id == world.orgs["college"].id)).one()
        people.end_seat(seat, "left")

    # then the university issues
    issue(world, CodeKind.RESET, "university", world.graduate.account)


@pytest.mark.rule("U-04")
def test_a_branch_cannot_open_the_account_of_somebody_with_a_post_higher_up(world: World) -> None:
    # given a student who is also deputy of his college
    with unit_of_work():
        people.start_seat(world.graduate.account, world.orgs["college"], Post.DEPUTY)

    # then his branch is sent on, and college and university may
    with pytest.raises(Forbidden, match="计算机学院团总支或其直接上级"):
        issue(world, CodeKind.RESET, "class1", world.graduate.account)
    issue(world, CodeKind.RESET, "college", world.graduate.account)
    issue(world, CodeKind.RESET, "university", world.graduate.account)


@pytest.mark.rule("U-04")
def test_with_posts_in_two_places_their_nearest_common_superior_may(world: World) -> None:
    # given a teacher in a class and in a township
    with unit_of_work():
        people.start_seat(world.accounts["class1"], world.orgs["township"], Post.DEPUTY)

    # then neither side alone; the city above both, or rather the province that acts for it, is too far: the city could
    with pytest.raises(Forbidden, match="团合肥市委"):
        issue(world, CodeKind.RESET, "college", world.accounts["class1"])
    world.appoint("city")
    db.session.commit()
    issue(world, CodeKind.RESET, "city", world.accounts["class1"])


@pytest.mark.rule("U-07")
def test_only_the_direct_superior_issues_a_registration_code(world: World) -> None:
    assert registration(world, "college", "university").name == "共青团江淮示范大学计算机学院总支部委员会"
    with pytest.raises(Forbidden):
        registration(world, "college", "college")
    with pytest.raises(Forbidden):
        registration(world, "college", "province")
    with pytest.raises(NotFound):
        registration(world, "college", "company")


def test_kind_and_state_of_the_account_must_fit(world: World) -> None:
    with pytest.raises(DomainError, match="已经激活"):
        issue(world, CodeKind.ACTIVATION, "class1", world.graduate.account)
    with pytest.raises(DomainError, match="没有激活"):
        issue(world, CodeKind.RESET, "class1", inactive(world.graduate))


def test_a_class_gets_its_codes_at_once_and_who_gets_none_is_named(world: World) -> None:
    # given one of two has activated his account already
    account = inactive(world.graduate)

    # when
    with unit_of_work():
        batch = codes.issue_many(CodeKind.ACTIVATION, [account.id, world.classmate.account_id], world.seat("class1"))

    # then
    assert [one.name for one in batch.issued] == ["丁一"]
    assert [(name, str(error)) for name, error in batch.refusals] == [
        ("卜喆", "账号已经激活。忘记密码的，请生成重置密码验证码。")
    ]


# ---- activation


@pytest.mark.rule("PD-03")
def test_an_activation_code_opens_the_account_once(world: World) -> None:
    # given
    issued = activation(world)
    account = world.graduate.account

    # when
    done(lambda: codes.activate(issued.plain.lower().replace("-", ""), GOOD))

    # then
    assert account.activated_at == clock.now()
    assert passwords.verify(account.password_hash, GOOD)
    with pytest.raises(WrongCodeError, match="已被使用"):
        done(lambda: codes.activate(issued.plain, OTHER))
    assert passwords.verify(account.password_hash, GOOD)


def test_looking_whose_code_it_is_uses_nothing_up(world: World) -> None:
    issued = activation(world)
    assert codes.peek(issued.plain).name == "丁一"
    done(lambda: codes.activate(issued.plain, GOOD))


@pytest.mark.rule("PD-03")
def test_a_newer_code_voids_the_older_of_its_kind_for_the_same_person(world: World) -> None:
    # given two for the same person and one for another
    older, newer = activation(world), activation(world)
    others = issue(world, CodeKind.ACTIVATION, "class1", inactive(world.classmate))

    # then
    with pytest.raises(WrongCodeError, match="新的代替"):
        done(lambda: codes.activate(older.plain, GOOD))
    done(lambda: codes.activate(others.plain, GOOD))
    done(lambda: codes.activate(newer.plain, GOOD))


@pytest.mark.rule("PD-03")
def test_an_expired_code_opens_nothing(world: World, clock_at) -> None:
    issued = activation(world)
    clock_at("2026-11-13T08:59:59")
    codes.peek(issued.plain)
    clock_at("2026-11-13T09:00")
    with pytest.raises(WrongCodeError, match=r"已过期.*重新生成"):
        done(lambda: codes.activate(issued.plain, GOOD))


def test_a_weak_password_does_not_use_the_code_up(world: World) -> None:
    issued = activation(world)
    with pytest.raises(DomainError, match="容易"):
        done(lambda: codes.activate(issued.plain, "1234567890"))
    done(lambda: codes.activate(issued.plain, GOOD))


@pytest.mark.rule("PD-03")
def test_of_two_who_use_a_code_at_the_same_moment_one_gets_in(live: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a code, and two who have both found it unused
    with live.app_context(), audit.acting(None):
        world = World.build()
        account_id = world.graduate.account_id
        plain = activation(world).plain
        before = world.graduate.account.session_version
        db.session.remove()
    barrier = Barrier(2)

    def meet(account: Account, password: str) -> None:
        with suppress(BrokenBarrierError):  # SQLite lets the second in only when the first has finished
            barrier.wait(0.5)

    monkeypatch.setattr(codes, "check_password", meet)

    def use(password: str) -> str:
        with live.app_context(), audit.acting(None):
            try:
                done(lambda: codes.activate(plain, password))
            except (Conflict, WrongCodeError):
                return ""
            return password

    # when
    with ThreadPoolExecutor(2) as pool:
        winners = [password for password in pool.map(use, [GOOD, OTHER]) if password]

    # then exactly one password was set, once
    assert len(winners) == 1
    with live.app_context():
        account = db.session.get_one(Account, account_id)
        assert passwords.verify(account.password_hash, winners[0])
        assert account.session_version == before + 1
        used = select(func.count()).select_from(audit.AuditEvent).where(audit.AuditEvent.action == "code.use")
        assert db.session.scalar(used) == 1


def test_of_two_who_issue_at_the_same_moment_one_code_is_left(live: Flask) -> None:
    with live.app_context(), audit.acting(None):
        world = World.build()
        account_id, seat = inactive(world.graduate).id, world.seat("class1")
        db.session.remove()

    def give(_: int) -> str:
        with live.app_context(), audit.acting(None), unit_of_work():
            return codes.issue_many(CodeKind.ACTIVATION, [account_id], seat).issued[0].plain

    with ThreadPoolExecutor(4) as pool:
        plains = list(pool.map(give, range(4)))

    with live.app_context():
        usable = select(Code).where(Code.used_at.is_(None), Code.revoked_at.is_(None))
        assert len(db.session.scalars(usable).all()) == 1
        assert sum(opens(plain) for plain in plains) == 1


def opens(plain: str) -> bool:
    try:
        return bool(codes.peek(plain))
    except WrongCodeError:
        return False


# ---- reset


@pytest.mark.rule("U-04")
def test_a_reset_code_sets_a_new_password_and_ends_every_session(world: World) -> None:
    # given
    account = world.graduate.account
    before = account.session_version
    issued = reset_code(world)

    # when
    done(lambda: codes.reset(account.mobile or "", issued.plain, GOOD))

    # then
    assert passwords.verify(account.password_hash, GOOD)
    assert account.session_version == before + 1


@pytest.mark.rule("U-06")
def test_a_reset_code_is_one_persons_alone(world: World) -> None:
    # given a code for one, used with the name of another
    issued = reset_code(world)
    for name in (world.classmate.account.mobile, world.classmate.account.id_number, "13999999999", ""):
        with pytest.raises(WrongCodeError, match="账号或重置密码验证码不正确"):
            done(partial(codes.reset, name or "", issued.plain, GOOD))

    # then it still works for its owner, by his ID number too
    done(lambda: codes.reset(world.graduate.account.id_number or "", issued.plain, GOOD))


@pytest.mark.rule("U-06")
def test_the_kinds_are_not_interchangeable(world: World) -> None:
    # given one code of each kind
    reset, registered = reset_code(world), registration(world)
    first = issue(world, CodeKind.ACTIVATION, "class1", inactive(world.classmate))
    mobile = world.graduate.account.mobile or ""

    # then none opens another's door, and the refusal says where it belongs
    with pytest.raises(WrongCodeError, match="管理员注册码，请到“管理员注册”"):
        done(lambda: codes.reset(mobile, registered.plain, GOOD))
    with pytest.raises(WrongCodeError, match="账号激活码，请到“激活账号”"):
        done(lambda: codes.reset(mobile, first.plain, GOOD))
    with pytest.raises(WrongCodeError, match="重置密码验证码，请到“忘记密码”"):
        done(lambda: codes.activate(reset.plain, GOOD))
    with pytest.raises(WrongCodeError, match="重置密码验证码，请到“忘记密码”"):
        done(lambda: register(world, reset.plain))


# ---- registration


def register(world: World, typed: str, org: str = "university", mobile: str = "13611110000") -> Seat:
    return codes.use_registration(typed, world.orgs[org], name="新任书记", mobile=mobile, password=GOOD)


@pytest.mark.rule("U-07", "U-08")
def test_a_registration_code_makes_an_administrator_of_its_organisation(world: World) -> None:
    # given
    issued = registration(world)

    # when
    done(lambda: register(world, issued.plain))

    # then
    account = accounts.find_by_username("13611110000")
    assert account is not None
    assert account.activated_at is not None
    assert [choice.seat.org_id for choice in queries.seat_choices(account.id)] == [world.orgs["university"].id]
    with pytest.raises(WrongCodeError, match=r"已被使用.*上级组织管理员重新生成"):
        done(lambda: register(world, issued.plain, mobile="13611110001"))


@pytest.mark.rule("U-07")
def test_for_another_organisation_the_refusal_is_the_documents_with_the_remedies(world: World) -> None:
    issued = registration(world)
    with pytest.raises(WrongCodeError) as caught:
        done(lambda: register(world, issued.plain, org="company"))
    assert caught.value.message == "您所填写的管理员注册码不是共青团示例科技有限公司委员会的注册码。"
    for remedy in ("拼写", "大小写", "核对所选的组织", "上级组织管理员重新生成"):
        assert remedy in caught.value.fix


@pytest.mark.rule("U-07")
def test_an_expired_registration_code_is_regenerated_by_the_superior(world: World, clock_at) -> None:
    issued = registration(world)
    clock_at("2026-11-03T09:00")
    with pytest.raises(WrongCodeError, match=r"已过期.*请上级组织管理员重新生成"):
        done(lambda: register(world, issued.plain))


@pytest.mark.rule("U-03")
def test_a_mobile_number_that_is_somebodys_is_not_registered_again(world: World) -> None:
    issued = registration(world)
    with pytest.raises(DomainError, match=r"已有账号.*先登录"):
        done(lambda: register(world, issued.plain, mobile=world.graduate.account.mobile or ""))
    done(lambda: register(world, issued.plain))


@pytest.mark.rule("PD-02")
def test_somebody_with_an_account_takes_the_seat_on_it(world: World) -> None:
    # given
    issued = registration(world)
    account = world.graduate.account

    # when
    done(lambda: codes.take_seat(issued.plain, world.orgs["university"], account))

    # then one account, two seats
    kinds = [choice.seat.kind.value for choice in queries.seat_choices(account.id)]
    assert kinds == ["school", "member"]
    again = registration(world)
    with pytest.raises(DomainError, match="已经是这个组织的管理员"):
        done(lambda: codes.take_seat(again.plain, world.orgs["university"], account))


def test_a_closed_organisation_takes_no_administrator(world: World) -> None:
    issued = registration(world, "college", "university")
    world.orgs["college"].closed_at = clock.now()
    db.session.commit()
    with pytest.raises(WrongCodeError, match="停用"):
        done(lambda: register(world, issued.plain, org="college"))
    with pytest.raises(DomainError, match="停用"):
        registration(world, "college", "university")


# ---- attempts


@pytest.mark.rule("PD-03")
def test_wrong_codes_are_limited_by_address_and_right_ones_are_not(world: World, clock_at) -> None:
    # given thirty wrong ones from one address
    def try_one(address: str = "10.0.0.1") -> None:
        with codes.attempt(address), unit_of_work():
            codes.activate("AAAA-AAAA-AAAA", GOOD)

    for _ in range(30):
        with pytest.raises(WrongCodeError):
            try_one()

    # then the address is closed for the rest of the hour, another is not, and afterwards it is open again
    with pytest.raises(TooMany):
        try_one()
    with pytest.raises(WrongCodeError):
        try_one("10.0.0.2")
    clock_at("2026-10-14T10:00")
    with pytest.raises(WrongCodeError):
        try_one()


def test_right_codes_and_weak_passwords_cost_no_attempt(world: World) -> None:
    issued = activation(world)
    for _ in range(40):
        with codes.attempt("10.0.0.1"):
            codes.peek(issued.plain)
        with pytest.raises(DomainError, match="容易"), codes.attempt("10.0.0.1"), unit_of_work():
            codes.activate(issued.plain, "1234567890")


@pytest.mark.rule("PD-03")
def test_wrong_codes_for_one_account_are_limited_from_all_addresses_together(world: World) -> None:
    mobile = world.graduate.account.mobile or ""
    for number in range(30):
        with pytest.raises(WrongCodeError), codes.attempt(f"10.0.0.{number}", mobile), unit_of_work():
            codes.reset(mobile, "AAAA-AAAA-AAAA", GOOD)
    with pytest.raises(TooMany), codes.attempt("10.0.1.1", mobile):
        raise AssertionError("let through")


def test_an_operator_issues_without_a_seat(world: World) -> None:
    account = inactive(world.graduate)
    with unit_of_work():
        issued = codes.issue_as_operator(CodeKind.ACTIVATION, account)
    done(lambda: codes.activate(issued.plain, GOOD))
