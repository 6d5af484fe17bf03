"""Brings the database up to date and, in demonstration, fills an empty one; what it prints is for the operator.

One process for all of it, as loading the application is the slow part.
"""

from __future__ import annotations

import sys

import click
from flask import Flask
from flask.cli import ScriptInfo
from flask_migrate import upgrade
from sqlalchemy import exists, select

from zhtj.factory import create_app
from zhtj.kernel.database import session
from zhtj.people.models import Account


def prepare(app: Flask) -> None:
    """Do what is to be done before the servers start.

    Raises:
        click.ClickException: the demonstration world could not be loaded.
    """
    with app.app_context():
        upgrade()
    if not app.config["ZHTJ"].is_demo:
        return
    with app.app_context():
        is_empty = not session.scalar(select(exists().where(Account.id.is_not(None))))
        session.remove()
    if is_empty:
        click.echo("正在生成演示数据（首次约一分钟）……")
        _command(app, "demo", "load")
    _command(app, "demo", "accounts")


def _command(app: Flask, *arguments: str) -> None:
    with app.app_context():
        app.cli.main(list(arguments), prog_name="flask", standalone_mode=False, obj=ScriptInfo(create_app=lambda: app))


if __name__ == "__main__":
    try:
        prepare(create_app())
    except click.ClickException as error:
        error.show()
        sys.exit(1)
