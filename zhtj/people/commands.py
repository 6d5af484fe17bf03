"""``flask admin create``: the first administrator of an organisation, from the command line."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from zhtj.kernel import audit, names
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.orgs import queries as orgs
from zhtj.people import operations as people
from zhtj.people import queries
from zhtj.people.models import CodeKind, Post
from zhtj.people.signing import codes
from zhtj.people.signing.accounts import find_by_username, read_mobile

group = AppGroup("admin", help="管理员账号。", short_help="管理员账号")


@group.command("create", help="为组织任命第一位管理员，显示账号激活码。", short_help="任命第一位管理员")
@click.option("--org", "organisation", required=True, help="组织编码或组织全称。")
@click.option("--name", required=True, help="姓名。")
@click.option("--mobile", required=True, help="手机号码，用来登录。")
def create(organisation: str, name: str, mobile: str) -> None:
    """Appoint the first administrator; prints his activation code, or says that his account is open already."""
    try:
        with audit.acting(None), unit_of_work():
            issued = _appoint(organisation, name, read_mobile(mobile))
    except DomainError as error:
        click.echo(str(error), err=True)
        raise SystemExit(1) from None
    if issued is None:
        click.echo("账号早已激活，请本人直接登录；新的任职已经加上。", err=True)
        return
    click.echo(issued.plain)
    click.echo(f"{issued.name}的账号激活码，{issued.deadline} 前有效，请到本系统的 /activate 页面使用。", err=True)


def _appoint(organisation: str, name: str, mobile: str) -> codes.IssuedCode | None:
    """The seat, on a new account or on the one the mobile number belongs to; its activation code if it needs one."""
    found = orgs.by_code_or_name(organisation)
    if found is None or found.closed_at is not None:
        raise DomainError(f"没有在用的组织“{organisation}”。", fix="请填写组织编码或组织全称。")
    account = find_by_username(mobile)
    if account is None:
        account = people.create_account(names.read(name), mobile=mobile)
    elif names.key(account.name) != names.key(name):
        raise DomainError("这个手机号码是另一个人的。", fix="请核对姓名和手机号码。", rule="U-03")
    if not any(seat.account_id == account.id for seat in queries.posts(found)):
        people.start_seat(account, found, Post.ADMINISTRATOR)
    return None if account.activated_at else codes.issue_as_operator(CodeKind.ACTIVATION, account)


def register(app: Flask) -> None:
    """Add the group."""
    app.cli.add_command(group)
