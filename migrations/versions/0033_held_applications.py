"""indexes know what waits longest, what lies with whom and how it ended, without a look at the rows."""

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
NOT_DONE = sa.text("closed_at IS NULL AND completed_at IS NULL")
HELD = ["register_row_id", "holder_id", "waiting_since", "due_at"]


def upgrade() -> None:
    """Apply."""
    _under_way("ix_applications_oldest", ["waiting_since", "id"], [])
    op.create_index("ix_applications_state", "applications", ["state", "id"])
    _under_way("ix_applications_held_from", ["season", "season_path"], ["state", *HELD])
    _under_way("ix_applications_held_to", ["season", "to_path"], ["state", "season_path", *HELD])
    _beside("ix_applications_to_path", "applications", ["to_path", "id"], ["season", "state"])
    _beside("ix_applications_member_id", "applications", ["member_id", "id"], ["state"])
    _beside(
        "ix_application_events_application_id",
        "application_events",
        ["application_id"],
        ["action", "from_state", "ground"],
    )
    op.create_index(
        "ix_season_register_open", "season_register", ["id"], sqlite_where=NOT_DONE, postgresql_where=NOT_DONE
    )
    op.drop_index("ix_applications_due", "applications")


def downgrade() -> None:
    """Undo."""
    op.create_index("ix_applications_due", "applications", ["state", "due_at", "id"])
    op.drop_index("ix_season_register_open", "season_register")
    _beside("ix_application_events_application_id", "application_events", ["application_id"], [])
    _beside("ix_applications_member_id", "applications", ["member_id"], [])
    _beside("ix_applications_to_path", "applications", ["to_path", "id"], [])
    for name in ("held_to", "held_from", "state", "oldest"):
        op.drop_index(f"ix_applications_{name}", "applications")


def _under_way(name: str, columns: list[str], beside: list[str]) -> None:
    op.create_index(
        name,
        "applications",
        columns,
        sqlite_where=UNDER_WAY,
        postgresql_where=UNDER_WAY,
        postgresql_include=beside,
    )


def _beside(name: str, table: str, columns: list[str], beside: list[str]) -> None:
    op.drop_index(name, table)
    op.create_index(name, table, columns, postgresql_include=beside)
