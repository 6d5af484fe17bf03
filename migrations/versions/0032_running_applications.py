"""one index answers what is under way, by when and with whom."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

UNDER_WAY = sa.text("ended_at IS NULL")
RUNNING = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_applications_running", "applications")
    op.create_index(
        "ix_applications_running",
        "applications",
        ["due_at", "id"],
        sqlite_where=UNDER_WAY,
        postgresql_where=UNDER_WAY,
        postgresql_include=["state", "holder_id", "submitted_at", "waiting_since", "from_path", "to_path"],
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_applications_running", "applications")
    op.create_index(
        "ix_applications_running", "applications", ["due_at", "id"], sqlite_where=RUNNING, postgresql_where=RUNNING
    )
