"""Runs migrations on the application's database (``flask --app app db upgrade``)."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from flask import current_app
from sqlalchemy.types import TypeDecorator

from zhtj.kernel.database import Base


def _skip_unknown(_: MigrationContext, __: object, directives: list) -> None:
    """No empty revision when nothing changed."""
    options = context.config.cmd_opts
    if getattr(options, "autogenerate", False) and directives and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def _plain_type(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our column types as what they are in the database: a migration must outlive our classes."""
    if kind == "type" and isinstance(item, TypeDecorator):
        impl = item.impl_instance if hasattr(item, "impl_instance") else item.impl
        return f"sa.{impl!r}"
    del autogen
    return False


engine = current_app.extensions["migrate"].db.engine
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        process_revision_directives=_skip_unknown,
        render_item=_plain_type,
        **current_app.extensions["migrate"].configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
