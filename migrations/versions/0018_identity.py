"""identity: verification, certification, registration sheets; who is responsible in each college."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "identity_checks",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("fault", sa.String(length=32), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("name_hash", sa.String(length=64), nullable=True),
        sa.Column("number_hash", sa.String(length=64), nullable=True),
        sa.Column("verifier", sa.String(length=40), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_identity_checks_member_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_identity_checks")),
    )
    op.create_index("ix_identity_checks_state", "identity_checks", ["state", "member_id"])
    op.create_index(op.f("ix_identity_checks_due_at"), "identity_checks", ["due_at"])
    op.create_table(
        "certifications",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("certified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.String(length=32), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_certifications_member_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["case_files.id"], name=op.f("fk_certifications_file_id")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_certifications")),
    )
    op.create_table(
        "registration_sheets",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_registration_sheets_member_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_registration_sheets_account_id")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_registration_sheets")),
    )
    op.create_table(
        "liaisons",
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_liaisons_org_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_liaisons_account_id")),
        sa.PrimaryKeyConstraint("season", "org_id", "role", name=op.f("pk_liaisons")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("liaisons")
    op.drop_table("registration_sheets")
    op.drop_table("certifications")
    op.drop_table("identity_checks")
