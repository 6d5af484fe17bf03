"""The Flask application, put together from the rooms; nothing below a door imports this."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from flask import Flask
from flask_migrate import Migrate
from sqlalchemy import inspect

from zhtj import commands, config, models, subscriptions, web
from zhtj.identity import verifiers
from zhtj.kernel import clock, crypto, settings
from zhtj.kernel.database import db
from zhtj.kernel.sql import planner, replica
from zhtj.policy import seasons

# A file of 20 MB and the form around it.
UPLOAD_LIMIT = 21 * 1024 * 1024

__all__ = ["create_app", "models"]


def create_app(environment: Mapping[str, str] | None = None) -> Flask:
    """Build the application.

    Args:
        environment: variables to read instead of the process's environment.

    Raises:
        config.ConfigError: a required variable is missing or wrong.
    """
    conf = config.load(environment)
    conf.instance.mkdir(parents=True, exist_ok=True)
    crypto.use_keys(conf.data_keys)
    _use_verifier(conf)
    _bind_policies(conf)
    app = Flask(
        "zhtj",
        root_path=str(config.ROOT),
        instance_path=str(conf.instance),
        template_folder="templates",
        static_folder="static",
    )
    app.config.update(
        ZHTJ=conf,
        SECRET_KEY=conf.secret_key,
        SQLALCHEMY_DATABASE_URI=conf.database_url,
        SQLALCHEMY_BINDS={replica.BIND: replica.options(conf.replica_url)} if conf.replica_url else {},
        MAX_CONTENT_LENGTH=UPLOAD_LIMIT,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=conf.env == "production",
        TESTING=conf.env == "test",
    )
    db.init_app(app)
    replica.init_app(app)
    planner.init_app(app)
    Migrate(app, db, directory=str(config.ROOT / "migrations"), compare_type=True, render_as_batch=True)
    with app.app_context():
        _set_clock(conf)
    subscriptions.subscribe_all()
    web.register(app)
    commands.register(app)
    return app


def _use_verifier(conf: config.Config) -> None:
    """What ID numbers and names are compared with (U-12)."""
    try:
        verifiers.use(conf.identity_verifier)
    except ValueError as error:
        raise config.ConfigError(f"ZHTJ_IDENTITY_VERIFIER 不正确：{error}") from error


def _bind_policies(conf: config.Config) -> None:
    """Which local layers hold for which organisations besides those that name them themselves (PD-11)."""
    try:
        seasons.bind(seasons.read_bindings(conf.policy_layers))
    except ValueError as error:
        raise config.ConfigError(f"ZHTJ_POLICY_LAYERS 不正确：{error}") from error


def _set_clock(conf: config.Config) -> None:
    """``ZHTJ_NOW`` wins; else the offset that ``demo load`` fixed in the database (PD-36)."""
    if conf.now:
        clock.use_setting(conf.now)
        return
    if conf.env == "test":
        return
    offset = ""
    if inspect(db.engine).has_table(settings.Setting.__tablename__):
        offset = settings.get(settings.CLOCK_OFFSET)
        db.session.rollback()
    clock.use_offset(timedelta(seconds=float(offset or 0)))
    db.engine.dispose()
