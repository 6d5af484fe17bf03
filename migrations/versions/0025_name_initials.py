"""accounts' pinyin initials, to be searched by."""

import sqlalchemy as sa
from alembic import op
from pypinyin import Style, lazy_pinyin

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

CHUNK = 5000


def upgrade() -> None:
    """Apply."""
    text = sa.String(60).with_variant(sa.String(60, collation="C"), "postgresql")
    op.add_column("accounts", sa.Column("initials", text, nullable=True))
    _fill()
    op.create_index(op.f("ix_accounts_initials"), "accounts", ["initials"])


def _fill() -> None:
    connection = op.get_bind()
    accounts = sa.table("accounts", sa.column("id"), sa.column("name"), sa.column("initials"))
    query = sa.select(accounts.c.id, accounts.c.name).order_by(accounts.c.id).limit(CHUNK)
    fill = accounts.update().where(accounts.c.id == sa.bindparam("who")).values(initials=sa.bindparam("letters"))
    after = 0
    while rows := connection.execute(query.where(accounts.c.id > after)).all():
        connection.execute(fill, [{"who": number, "letters": _letters(name)} for number, name in rows])
        after = rows[-1][0]


def _letters(name: str) -> str:
    plain = "".join(sign for sign in name.casefold() if sign.isalnum())
    return "".join(part[0] for part in lazy_pinyin(plain, style=Style.FIRST_LETTER, errors=list))[:60]


def downgrade() -> None:
    """Undo."""
    op.drop_index(op.f("ix_accounts_initials"), "accounts")
    op.drop_column("accounts", "initials")
