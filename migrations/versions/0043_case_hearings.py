"""what the branch of a number's holder says to a claim on it."""

import sqlalchemy as sa
from alembic import op

from zhtj.kernel.sql import migrating

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "case_hearings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_holders", sa.Boolean(), nullable=True),
        sa.Column("remark", sa.String(length=500), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("org_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (is_holders IS NULL)", name=op.f("ck_case_hearings_answered")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_hearings_case_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_case_hearings_member_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_case_hearings_account_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_case_hearings_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_hearings")),
        sa.UniqueConstraint("case_id", "member_id", name="uq_case_hearings_case_member"),
    )
    op.create_index("ix_case_hearings_member_id", "case_hearings", ["member_id"])


def downgrade() -> None:
    """Undo."""
    migrating.drop_table("case_hearings")
