"""letters and their numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "letter_series",
        sa.Column("issuer_org_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issuer_org_id"], ["organisations.id"], name=op.f("fk_letter_series_issuer_org_id")),
        sa.PrimaryKeyConstraint("issuer_org_id", "year", name=op.f("pk_letter_series")),
    )
    op.create_table(
        "letters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issuer_org_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("from_org_id", sa.Integer(), nullable=False),
        sa.Column("receiver_org_id", sa.Integer(), nullable=True),
        sa.Column("application_id", sa.Integer(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("template_version", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_valid_on", sa.Date(), nullable=False),
        sa.Column("issued_by_account_id", sa.Integer(), nullable=False),
        sa.Column("issued_by_seat_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.String(length=120), nullable=True),
        sa.Column("voided_by_account_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(state = 'void') = (void_reason IS NOT NULL)", name=op.f("ck_letters_void_reason")),
        sa.CheckConstraint("(state = 'void') = (voided_at IS NOT NULL)", name=op.f("ck_letters_voided_at")),
        sa.CheckConstraint("number > 0", name=op.f("ck_letters_number")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_letters_application_id")),
        sa.ForeignKeyConstraint(["from_org_id"], ["organisations.id"], name=op.f("fk_letters_from_org_id")),
        sa.ForeignKeyConstraint(
            ["issued_by_account_id"], ["accounts.id"], name=op.f("fk_letters_issued_by_account_id")
        ),
        sa.ForeignKeyConstraint(["issued_by_seat_id"], ["seats.id"], name=op.f("fk_letters_issued_by_seat_id")),
        sa.ForeignKeyConstraint(["issuer_org_id"], ["organisations.id"], name=op.f("fk_letters_issuer_org_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_letters_member_id")),
        sa.ForeignKeyConstraint(["receiver_org_id"], ["organisations.id"], name=op.f("fk_letters_receiver_org_id")),
        sa.ForeignKeyConstraint(
            ["voided_by_account_id"], ["accounts.id"], name=op.f("fk_letters_voided_by_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
        sa.UniqueConstraint("code", name=op.f("uq_letters_code")),
        sa.UniqueConstraint("issuer_org_id", "year", "number", name=op.f("uq_letters_issuer_org_id_year_number")),
    )
    op.create_index(op.f("ix_letters_application_id"), "letters", ["application_id"], unique=False)
    op.create_index(op.f("ix_letters_from_org_id"), "letters", ["from_org_id"], unique=False)
    op.create_index(op.f("ix_letters_member_id"), "letters", ["member_id"], unique=False)
    op.create_index(
        "uq_letters_application",
        "letters",
        ["application_id"],
        unique=True,
        sqlite_where=sa.text("state = 'issued'"),
        postgresql_where=sa.text("state = 'issued'"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index(
        "uq_letters_application",
        table_name="letters",
        sqlite_where=sa.text("state = 'issued'"),
        postgresql_where=sa.text("state = 'issued'"),
    )
    op.drop_index(op.f("ix_letters_member_id"), table_name="letters")
    op.drop_index(op.f("ix_letters_from_org_id"), table_name="letters")
    op.drop_index(op.f("ix_letters_application_id"), table_name="letters")
    op.drop_table("letters")
    op.drop_table("letter_series")
