"""what has waited longest, whatever it waits for."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

OPEN = sa.text(
    "state IN ('awaiting_acceptance', 'awaiting_allocation', 'awaiting_external', "
    "'awaiting_province', 'awaiting_release')"
)


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_applications_open", "applications", ["submitted_at", "id"], sqlite_where=OPEN, postgresql_where=OPEN
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_applications_open", "applications")
