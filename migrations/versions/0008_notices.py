"""messages, reminders, addresses of digests, outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PARTIAL = {
    "ix_messages_org": ("org_id", "org_id IS NOT NULL"),
    "ix_messages_org_unread": ("org_id", "org_id IS NOT NULL AND read_at IS NULL"),
    "ix_messages_member": ("member_id", "member_id IS NOT NULL"),
    "ix_messages_member_unread": ("member_id", "member_id IS NOT NULL AND read_at IS NULL"),
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.String(length=32), nullable=True),
        sa.Column("subject_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_by_account_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(org_id IS NULL) != (member_id IS NULL)", name=op.f("ck_messages_recipient")),
        sa.CheckConstraint("(read_at IS NULL) = (read_by_account_id IS NULL)", name=op.f("ck_messages_read")),
        sa.CheckConstraint("(subject_type IS NULL) = (subject_id IS NULL)", name=op.f("ck_messages_subject")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_messages_org_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_messages_member_id")),
        sa.ForeignKeyConstraint(["read_by_account_id"], ["accounts.id"], name=op.f("fk_messages_read_by_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    for name, (column, where) in PARTIAL.items():
        rows = sa.text(where)
        op.create_index(name, "messages", [column, "id"], sqlite_where=rows, postgresql_where=rows)
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(code_hash IS NULL) = (confirmed_at IS NOT NULL)", name=op.f("ck_subscriptions_code")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_subscriptions_org_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_subscriptions_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
    )
    op.create_index("uq_subscriptions_org_id_address", "subscriptions", ["org_id", "address"], unique=True)
    op.create_table(
        "reminders",
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("first_due", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["organisations.id"], name=op.f("fk_reminders_office_id")),
        sa.PrimaryKeyConstraint("office_id", name=op.f("pk_reminders")),
    )
    op.create_index(op.f("ix_reminders_last_on"), "reminders", ["last_on"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_why", sa.String(length=200), nullable=True),
        sa.CheckConstraint("sent_at IS NULL OR given_up_at IS NULL", name=op.f("ck_outbox_end")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_outbox_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    open_ones = sa.text("sent_at IS NULL AND given_up_at IS NULL")
    op.create_index("ix_outbox_due", "outbox", ["due_at", "id"], sqlite_where=open_ones, postgresql_where=open_ones)
    op.create_index(op.f("ix_outbox_org_id"), "outbox", ["org_id"])


def downgrade() -> None:
    """Undo."""
    for table in ("outbox", "reminders", "subscriptions", "messages"):
        op.drop_table(table)
