"""whether a graduate's old unit has stated that it keeps him."""

import sqlalchemy as sa

from zhtj.kernel.sql import migrating

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    migrating.add_column("season_register", sa.Column("with_unit_since", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Undo."""
    migrating.drop_column("season_register", "with_unit_since")
