"""which row of the decision table an applicant said that he is in."""

import sqlalchemy as sa

from zhtj.kernel.sql import migrating

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    migrating.add_column("applications", sa.Column("situation", sa.String(32)))


def downgrade() -> None:
    """Undo."""
    migrating.drop_column("applications", "situation")
