"""organisations' online communities."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # Plain ALTER: rebuilding a table of 100,000 rows that half of the others point to is not worth it.
    op.add_column("organisations", sa.Column("online_community", sa.String(length=200), nullable=True))


def downgrade() -> None:
    """Undo."""
    op.drop_column("organisations", "online_community")
