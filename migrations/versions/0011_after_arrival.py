"""exceptions register and secondary transfers with their contact log."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "exception_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=True),
        sa.Column("register_row_id", sa.Integer(), nullable=True),
        sa.Column("transfer_type", sa.String(length=40), nullable=True),
        sa.Column("province", sa.String(length=40), nullable=True),
        sa.Column("city", sa.String(length=40), nullable=True),
        sa.Column("destination", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("remark", sa.String(length=500), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(application_id IS NULL) != (register_row_id IS NULL)", name=op.f("ck_exception_notes_about")
        ),
        sa.CheckConstraint("(register_row_id IS NULL) = (reason IS NULL)", name=op.f("ck_exception_notes_reason")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_exception_notes_account_id")),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_exception_notes_application_id")
        ),
        sa.ForeignKeyConstraint(
            ["register_row_id"], ["season_register.id"], name=op.f("fk_exception_notes_register_row_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception_notes")),
        sa.UniqueConstraint("application_id", name=op.f("uq_exception_notes_application_id")),
        sa.UniqueConstraint("register_row_id", name=op.f("uq_exception_notes_register_row_id")),
    )
    op.create_table(
        "onward_transfers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("clear_by", sa.Date(), nullable=True),
        sa.Column("situation", sa.String(length=32), nullable=True),
        sa.Column("found_on", sa.Date(), nullable=True),
        sa.Column("found_what", sa.String(length=120), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_onward_transfers_member_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_onward_transfers_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_onward_transfers")),
    )
    op.create_index(op.f("ix_onward_transfers_member_id"), "onward_transfers", ["member_id"])
    op.create_index(op.f("ix_onward_transfers_org_id"), "onward_transfers", ["org_id"])
    op.create_index(
        "uq_onward_transfers_open",
        "onward_transfers",
        ["member_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "onward_contacts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("onward_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("situation", sa.String(length=32), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_onward_contacts_account_id")),
        sa.ForeignKeyConstraint(["onward_id"], ["onward_transfers.id"], name=op.f("fk_onward_contacts_onward_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_onward_contacts")),
    )
    op.create_index(op.f("ix_onward_contacts_onward_id"), "onward_contacts", ["onward_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("onward_contacts")
    op.drop_table("onward_transfers")
    op.drop_table("exception_notes")
