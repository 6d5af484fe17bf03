"""one index knows what waits longest; others tell with whom, and how it ended, without a look at the rows."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

UNDER_WAY = sa.text(
    "state IN ('awaiting_acceptance', 'awaiting_allocation', 'awaiting_external', 'awaiting_province', "
    "'awaiting_release')"
)
FIGURES = ["state", "reason", "kind", "place", "level", "register_row_id"]
HELD = ["register_row_id", "holder_id", "waiting_since", "due_at"]


def upgrade() -> None:
    """Apply."""
    _season(["id", *FIGURES, "holder_id", "waiting_since", "due_at"])
    _to_path(["season", "season_path", "state", *HELD])
    op.create_index(
        "ix_applications_oldest",
        "applications",
        ["waiting_since", "id"],
        sqlite_where=UNDER_WAY,
        postgresql_where=UNDER_WAY,
    )
    op.drop_index("ix_applications_due", "applications")
    _events(["action", "from_state", "ground"])


def downgrade() -> None:
    """Undo."""
    _events([])
    op.create_index("ix_applications_due", "applications", ["state", "due_at", "id"])
    op.drop_index("ix_applications_oldest", "applications")
    _to_path([])
    _season(FIGURES)


def _events(beside: list[str]) -> None:
    op.drop_index("ix_application_events_application_id", "application_events")
    op.create_index(
        "ix_application_events_application_id", "application_events", ["application_id"], postgresql_include=beside
    )


def _season(beside: list[str]) -> None:
    op.drop_index("ix_applications_season", "applications")
    op.create_index(
        "ix_applications_season", "applications", ["season", "season_path"], postgresql_include=beside
    )


def _to_path(beside: list[str]) -> None:
    op.drop_index("ix_applications_to_path", "applications")
    op.create_index("ix_applications_to_path", "applications", ["to_path", "id"], postgresql_include=beside)
