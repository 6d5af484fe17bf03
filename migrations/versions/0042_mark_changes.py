"""what changes of marks did to a season after its conversion."""

import sqlalchemy as sa
from alembic import op

from zhtj.kernel.sql import migrating

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

PATH = sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "mark_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("path", PATH, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=120), nullable=False),
        sa.Column("why", sa.String(length=500), nullable=True),
        sa.Column("gone", sa.JSON(), nullable=False),
        sa.Column("come", sa.JSON(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("by_org_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_mark_changes_org_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_mark_changes_account_id")),
        sa.ForeignKeyConstraint(
            ["by_org_id"], ["organisations.id"], name=op.f("fk_mark_changes_by_org_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mark_changes")),
    )
    op.create_index("ix_mark_changes_season_path", "mark_changes", ["season", "path"])
    migrating.on_postgresql("ALTER TABLE mark_changes ALTER COLUMN path SET STATISTICS 1000")


def downgrade() -> None:
    """Undo."""
    migrating.drop_table("mark_changes")
