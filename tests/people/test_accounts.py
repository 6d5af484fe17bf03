"""One's own contact data (U-03) and the first administrator from the command line."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from tests.world import World
from zhtj.kernel import audit
from zhtj.kernel.database import db, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.people import operations as people
from zhtj.people import queries
from zhtj.people.models import Account, Member
from zhtj.people.signing import codes
from zhtj.people.signing.accounts import ContactDetails, change_contact, find_by_username, read_mobile

NEW = "13922223333"


def change(member: Member, **values: str | None) -> bool:
    contact = {
        "mobile": member.account.mobile,
        "residence": member.residence,
        "emergency_name": member.emergency_name,
        "emergency_phone": member.emergency_phone,
    }
    with unit_of_work():
        return change_contact(member.account, member, ContactDetails(**{**contact, **values}))  # type: ignore[arg-type]


@pytest.mark.rule("U-03")
def test_one_number_belongs_to_one_person(world: World) -> None:
    # given somebody else's number
    taken = world.classmate.account.mobile or ""

    # then neither a change nor a new account may take it
    with pytest.raises(DomainError, match="已被其他人使用") as caught:
        change(world.graduate, mobile=taken)
    assert caught.value.field == "mobile"
    with pytest.raises(DomainError, match="已被其他人使用"):
        people.create_account("新人", mobile=taken)


@pytest.mark.rule("U-03")
def test_a_changed_number_holds_at_once(world: World) -> None:
    old = world.graduate.account.mobile or ""
    assert change(world.graduate, mobile="139 2222 3333")
    assert find_by_username(NEW) is world.graduate.account
    assert find_by_username(old) is None
    people.create_account("新人", mobile=old)


@pytest.mark.rule("U-03")
@pytest.mark.parametrize("number", ["", "   ", "1392222333", "139222233333", "23922223333", "电话"])
def test_a_mobile_number_is_mandatory_and_must_be_one(world: World, number: str) -> None:
    with pytest.raises(DomainError, match="11 位"):
        change(world.graduate, mobile=number)


def test_however_it_is_typed_the_number_is_the_same() -> None:
    for text in ("+86 139-2222-3333", "8613922223333", "008613922223333", "１３９２２２２３３３３"):
        assert read_mobile(text) == NEW


def test_emergency_contact_and_residence_change_and_the_log_says_which_not_what(world: World) -> None:
    # when
    changed = change(
        world.graduate, residence=" 合肥市蜀山区 ", emergency_name="丁母", emergency_phone="0551-6555 0101"
    )

    # then
    member = world.graduate
    assert changed
    assert (member.residence, member.emergency_name, member.emergency_phone) == (
        "合肥市蜀山区",
        "丁母",
        "0551-65550101",
    )
    event = db.session.scalars(select(audit.AuditEvent).where(audit.AuditEvent.action == "member.contact")).one()
    assert event.detail == {"fields": ["residence", "emergency_name", "emergency_phone"]}


def test_nothing_new_changes_nothing(world: World) -> None:
    before = audit_count()
    assert not change(world.graduate)
    assert audit_count() == before


def audit_count() -> int:
    return len(db.session.scalars(select(audit.AuditEvent.id)).all())


def test_a_wrong_emergency_number_keeps_everything_as_it_was(world: World) -> None:
    with pytest.raises(DomainError, match="紧急联系电话"):
        change(world.graduate, mobile=NEW, emergency_phone="找我妈")
    assert world.graduate.account.mobile != NEW


# ---- flask admin create


def create(app: Flask, *, org: str = "340104001", name: str = "新书记", mobile: str = NEW):
    db.session.commit()
    return app.test_cli_runner().invoke(args=["admin", "create", "--org", org, "--name", name, "--mobile", mobile])


@pytest.mark.parametrize("org", ["340104001", "共青团安徽省合肥市蜀山区井岗镇委员会"])
def test_the_command_line_appoints_the_first_administrator(app: Flask, world: World, org: str) -> None:
    # when
    result = create(app, org=org)

    # then it prints the code and nothing else, and the code opens the account
    assert result.exit_code == 0, result.stderr
    with unit_of_work():
        account = codes.activate(result.stdout.strip(), "山高月小水落石出真好看")
    assert [choice.seat.org_id for choice in queries.seat_choices(account.id)] == [world.orgs["township"].id]


def test_twice_is_one_account_one_seat_and_a_new_code(app: Flask, world: World) -> None:
    first, second = create(app), create(app)
    assert first.stdout != second.stdout
    account = find_by_username(NEW)
    assert account is not None
    assert len(queries.seat_choices(account.id)) == 1


def test_an_open_account_only_gets_the_seat(app: Flask, world: World) -> None:
    account: Account = world.accounts["company"]
    result = create(app, name=account.name, mobile=account.mobile or "")
    assert (result.exit_code, result.stdout) == (0, "")
    assert len(queries.seat_choices(account.id)) == 2


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"org": "99"}, "没有在用的组织"),
        ({"mobile": "123"}, "11 位"),
        ({"mobile": "13800000010", "name": "别人"}, "另一个人"),
    ],
)
def test_what_cannot_be_is_said_in_one_line_with_status_one(
    app: Flask, world: World, values: dict[str, str], says: str
) -> None:
    result = create(app, **values)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_wrong_use_is_status_two(app: Flask) -> None:
    assert app.test_cli_runner().invoke(args=["admin", "create"]).exit_code == 2
