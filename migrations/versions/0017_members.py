"""members' days of birth, suspension, archives; saved views; records that may be one person's."""

import contextlib
from datetime import date

import sqlalchemy as sa
from alembic import op

from zhtj.kernel import crypto

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

CHUNK = 2000
ARCHIVED, SUSPENDED = sa.text("archived_at IS NOT NULL"), sa.text("suspended_at IS NOT NULL")


def upgrade() -> None:
    """Apply."""
    op.add_column("members", sa.Column("born", sa.Date(), nullable=True))
    op.add_column("members", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("members", sa.Column("archived_why", sa.String(length=32), nullable=True))
    op.add_column("members", sa.Column("merged_into_id", sa.Integer(), nullable=True))
    _fill_born()
    op.create_index("ix_members_born_id", "members", ["born", "id"])
    op.create_index("ix_members_joined_on_id", "members", ["joined_on", "id"])
    op.create_index("ix_members_dev_number", "members", ["dev_number"])
    op.create_index(op.f("ix_members_merged_into_id"), "members", ["merged_into_id"])
    for name, rows in (("ix_members_archived", ARCHIVED), ("ix_members_suspended", SUSPENDED)):
        op.create_index(name, "members", ["id"], sqlite_where=rows, postgresql_where=rows)
    op.create_table(
        "member_views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_member_views_account_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_member_views_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_views")),
        sa.UniqueConstraint("account_id", "org_id", "name", name=op.f("uq_member_views_account_id_org_id_name")),
    )
    op.create_table(
        "likely_duplicates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("one_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("ground", sa.String(length=32), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("apart_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("apart_by_id", sa.Integer(), nullable=True),
        sa.Column("apart_why", sa.String(length=200), nullable=True),
        sa.CheckConstraint("one_id < other_id", name=op.f("ck_likely_duplicates_order")),
        sa.ForeignKeyConstraint(["one_id"], ["members.id"], name=op.f("fk_likely_duplicates_one_id")),
        sa.ForeignKeyConstraint(["other_id"], ["members.id"], name=op.f("fk_likely_duplicates_other_id")),
        sa.ForeignKeyConstraint(["apart_by_id"], ["accounts.id"], name=op.f("fk_likely_duplicates_apart_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_likely_duplicates")),
        sa.UniqueConstraint("one_id", "other_id", name=op.f("uq_likely_duplicates_one_id_other_id")),
    )
    op.create_index(op.f("ix_likely_duplicates_other_id"), "likely_duplicates", ["other_id"])


def _fill_born() -> None:
    """The day of birth of everybody who is there already, out of his ID number."""
    connection = op.get_bind()
    members = sa.table("members", sa.column("id"), sa.column("account_id"), sa.column("born", sa.Date()))
    accounts = sa.table("accounts", sa.column("id"), sa.column("id_number"))
    query = sa.select(members.c.id, accounts.c.id_number).join(accounts, accounts.c.id == members.c.account_id)
    fill = members.update().where(members.c.id == sa.bindparam("who")).values(born=sa.bindparam("day"))
    after = 0
    while True:
        rows = connection.execute(query.where(members.c.id > after).order_by(members.c.id).limit(CHUNK)).all()
        if not rows:
            return
        after = rows[-1][0]
        known = [{"who": number, "day": day} for number, text in rows if (day := _day(text)) is not None]
        if known:
            connection.execute(fill, known)


def _day(encrypted: str | None) -> date | None:
    if encrypted:
        with contextlib.suppress(ValueError):
            number = crypto.decrypt(encrypted)
            return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    return None


def downgrade() -> None:
    """Undo."""
    op.drop_table("likely_duplicates")
    op.drop_table("member_views")
    for name in ("archived", "suspended", "merged_into_id", "dev_number", "joined_on_id", "born_id"):
        op.drop_index(f"ix_members_{name}", "members")
    for name in ("merged_into_id", "archived_why", "suspended_at", "born"):
        op.drop_column("members", name)
