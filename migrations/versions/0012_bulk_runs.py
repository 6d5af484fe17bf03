"""what is done to many at once, line by line."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OPEN = sa.text("outcome IS NULL")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "bulk_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_bulk_runs_account_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_bulk_runs_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_runs")),
    )
    op.create_index("uq_bulk_runs_owner_key", "bulk_runs", ["account_id", "org_id", "key"], unique=True)
    op.create_index("ix_bulk_runs_state", "bulk_runs", ["state", "touched_at"])
    op.create_index(op.f("ix_bulk_runs_expires_at"), "bulk_runs", ["expires_at"])
    op.create_table(
        "bulk_lines",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("application_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(outcome IS NULL) = (answer IS NULL)", name=op.f("ck_bulk_lines_answer")),
        sa.ForeignKeyConstraint(["run_id"], ["bulk_runs.id"], name=op.f("fk_bulk_lines_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_bulk_lines_application_id")),
        sa.PrimaryKeyConstraint("run_id", "place", name=op.f("pk_bulk_lines")),
    )
    op.create_index("ix_bulk_lines_open", "bulk_lines", ["run_id", "place"], sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    """Undo."""
    op.drop_table("bulk_lines")
    op.drop_table("bulk_runs")
