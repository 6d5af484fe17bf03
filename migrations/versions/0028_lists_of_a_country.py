"""what lists and figures of a whole province need: places of arrivals, seasons of applications, indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

PLACE = sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql")
FAILED = sa.text("state IN ('failed_external', 'refused', 'returned')")
RUNNING = sa.text("due_at IS NOT NULL")
SPECIAL = sa.text("kind = 'special_pool'")


def upgrade() -> None:
    """Apply."""
    op.add_column("arrivals", sa.Column("path", PLACE, nullable=True))
    op.execute("UPDATE arrivals SET path = (SELECT path FROM organisations WHERE organisations.id = arrivals.org_id)")
    with op.batch_alter_table("arrivals") as batch:
        batch.alter_column("path", existing_type=PLACE, nullable=False)
    op.add_column("applications", sa.Column("season", sa.Integer(), nullable=True))
    op.add_column("applications", sa.Column("season_path", PLACE, nullable=True))
    for column in ("season", "season_path"):
        op.execute(
            f"UPDATE applications SET {column} = (SELECT {column} FROM season_register "  # noqa: S608 - our own names
            "WHERE season_register.id = applications.register_row_id) WHERE register_row_id IS NOT NULL"
        )
    _indexes()


def _indexes() -> None:
    op.create_index(op.f("ix_arrivals_path"), "arrivals", ["path"])
    op.create_index("ix_arrivals_arrived_at", "arrivals", ["arrived_at", "application_id"])
    op.create_index(
        "ix_applications_season",
        "applications",
        ["season", "season_path"],
        postgresql_include=["state", "reason", "kind", "place", "level", "register_row_id"],
    )
    op.create_index(
        "ix_applications_failed",
        "applications",
        ["season", "season_path"],
        sqlite_where=FAILED,
        postgresql_where=FAILED,
        postgresql_include=["state", "ended_at", "id", "member_id", "register_row_id"],
    )
    op.create_index(
        "ix_applications_running", "applications", ["due_at", "id"], sqlite_where=RUNNING, postgresql_where=RUNNING
    )
    op.create_index(
        "ix_applications_special", "applications", ["from_path", "id"], sqlite_where=SPECIAL, postgresql_where=SPECIAL
    )
    op.create_index("ix_organisations_category_path", "organisations", ["category", "path"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_organisations_category_path", "organisations")
    for name in ("special", "running", "failed", "season"):
        op.drop_index(f"ix_applications_{name}", "applications")
    op.drop_index("ix_arrivals_arrived_at", "arrivals")
    op.drop_index(op.f("ix_arrivals_path"), "arrivals")
    with op.batch_alter_table("applications") as batch:
        batch.drop_column("season_path")
        batch.drop_column("season")
    with op.batch_alter_table("arrivals") as batch:
        batch.drop_column("path")
