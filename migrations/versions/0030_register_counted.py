"""indexes by which figures of the season register are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

CLOSED = sa.text("closed_at IS NOT NULL")


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_season_register_season_path", "season_register")
    op.create_index(
        "ix_season_register_season_path",
        "season_register",
        ["season", "season_path"],
        postgresql_include=["id", "category", "completed_at", "closed_at"],
    )
    op.create_index(
        "ix_season_register_closed", "season_register", ["season", "id"], sqlite_where=CLOSED, postgresql_where=CLOSED
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_season_register_closed", "season_register")
    op.drop_index("ix_season_register_season_path", "season_register")
    op.create_index("ix_season_register_season_path", "season_register", ["season", "season_path"])
