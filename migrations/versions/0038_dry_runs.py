"""dry runs of a policy layer, and the applications for which each found something otherwise."""

import sqlalchemy as sa
from alembic import op

from zhtj.kernel.sql import migrating

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

OPEN = "state IN ('waiting', 'running')"


def upgrade() -> None:
    """Apply."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "dry_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=300), nullable=True),
        sa.Column("touched_at", moment, nullable=False),
        sa.Column("layer", sa.String(length=64), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("last_id", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_dry_runs_account_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_dry_runs_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dry_runs")),
    )
    op.create_index("ix_dry_runs_state", "dry_runs", ["state", "touched_at"])
    op.create_index("ix_dry_runs_expires_at", "dry_runs", ["expires_at"])
    op.create_index(
        "uq_dry_runs_open",
        "dry_runs",
        ["account_id", "org_id", "layer", "season"],
        unique=True,
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
    op.create_table(
        "dry_run_lines",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("differences", sa.Text(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["dry_runs.id"], name=op.f("fk_dry_run_lines_run_id")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_dry_run_lines_application_id")),
        sa.PrimaryKeyConstraint("run_id", "application_id", name=op.f("pk_dry_run_lines")),
    )
    op.create_index("ix_dry_run_lines_application_id", "dry_run_lines", ["application_id"])


def downgrade() -> None:
    """Undo."""
    migrating.drop_table("dry_run_lines")
    migrating.drop_table("dry_runs")
