"""authorisations of colleges, seals, receipts, card entries and batches of letters."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "letter_authorisations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by_account_id", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_account_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by_account_id IS NULL)", name=op.f("ck_letter_authorisations_ended")
        ),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_letter_authorisations_dates")
        ),
        sa.ForeignKeyConstraint(
            ["ended_by_account_id"], ["accounts.id"], name=op.f("fk_letter_authorisations_ended_by_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["granted_by_account_id"], ["accounts.id"], name=op.f("fk_letter_authorisations_granted_by_account_id")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_letter_authorisations_org_id")),
        sa.ForeignKeyConstraint(["school_id"], ["organisations.id"], name=op.f("fk_letter_authorisations_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_authorisations")),
    )
    op.create_index(op.f("ix_letter_authorisations_school_id"), "letter_authorisations", ["school_id"], unique=False)
    op.create_index(
        "uq_letter_authorisations_open",
        "letter_authorisations",
        ["org_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "letter_batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("site", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("issued", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_letter_batches_account_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_letter_batches_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_batches")),
    )
    op.create_index("ix_letter_batches_state", "letter_batches", ["state", "touched_at"], unique=False)
    op.create_index("uq_letter_batches_key", "letter_batches", ["org_id", "key"], unique=True)
    op.create_table(
        "seals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by_account_id", sa.Integer(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_seals_org_id")),
        sa.ForeignKeyConstraint(
            ["uploaded_by_account_id"], ["accounts.id"], name=op.f("fk_seals_uploaded_by_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seals")),
    )
    op.create_index(op.f("ix_seals_org_id"), "seals", ["org_id"], unique=False)
    op.create_index(
        "uq_seals_present",
        "seals",
        ["org_id"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "letter_files",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.Column("first", sa.String(length=20), nullable=False),
        sa.Column("last", sa.String(length=20), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["letter_batches.id"], name=op.f("fk_letter_files_batch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("batch_id", "place", name=op.f("pk_letter_files")),
    )
    op.create_index(op.f("ix_letter_files_made_at"), "letter_files", ["made_at"], unique=False)
    op.create_table(
        "card_entries",
        sa.Column("letter_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("side", sa.String(length=32), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_card_entries_account_id")),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_card_entries_letter_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_card_entries_org_id")),
        sa.PrimaryKeyConstraint("letter_id", "side", name=op.f("pk_card_entries")),
    )
    op.create_table(
        "letter_batch_lines",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.CheckConstraint("letter_id IS NULL OR trouble IS NULL", name=op.f("ck_letter_batch_lines_outcome")),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_letter_batch_lines_application_id")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["letter_batches.id"], name=op.f("fk_letter_batch_lines_batch_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_letter_batch_lines_letter_id")),
        sa.PrimaryKeyConstraint("batch_id", "place", name=op.f("pk_letter_batch_lines")),
    )
    op.create_index(op.f("ix_letter_batch_lines_letter_id"), "letter_batch_lines", ["letter_id"], unique=False)
    op.create_index(
        "ix_letter_batch_lines_open",
        "letter_batch_lines",
        ["batch_id", "place"],
        unique=False,
        sqlite_where=sa.text("letter_id IS NULL AND trouble IS NULL"),
        postgresql_where=sa.text("letter_id IS NULL AND trouble IS NULL"),
    )
    op.create_table(
        "letter_receipts",
        sa.Column("letter_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("way", sa.String(length=32), nullable=False),
        sa.Column("handler", sa.String(length=40), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("media_type", sa.String(length=40), nullable=True),
        sa.CheckConstraint("(content IS NULL) = (media_type IS NULL)", name=op.f("ck_letter_receipts_content")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_letter_receipts_account_id")),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_letter_receipts_letter_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_letter_receipts_org_id")),
        sa.PrimaryKeyConstraint("letter_id", name=op.f("pk_letter_receipts")),
    )
    op.create_table(
        "letter_reminders",
        sa.Column("letter_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_letter_reminders_letter_id")),
        sa.PrimaryKeyConstraint("letter_id", "kind", name=op.f("pk_letter_reminders")),
    )
    with op.batch_alter_table("letters") as table:
        table.add_column(sa.Column("seal_id", sa.Integer(), nullable=True))
        table.create_foreign_key(op.f("fk_letters_seal_id"), "seals", ["seal_id"], ["id"])


def downgrade() -> None:
    """Undo."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_column("letters", "seal_id")
    else:
        with op.batch_alter_table("letters") as table:
            table.drop_column("seal_id")
    for name in (
        "letter_reminders",
        "letter_receipts",
        "letter_batch_lines",
        "card_entries",
        "letter_files",
        "seals",
        "letter_batches",
        "letter_authorisations",
    ):
        op.drop_table(name)
