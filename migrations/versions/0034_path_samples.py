"""what stands below a place is guessed from more samples of the paths."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

PATHS = {
    "organisations": ["path"],
    "organisation_terms": ["path"],
    "organisation_moves": ["from_path", "to_path"],
    "season_register": ["season_path"],
    "applications": ["from_path", "to_path", "season_path"],
    "arrivals": ["path"],
    "standings": ["season_path", "to_path", "shared_path"],
    "rate_counters": ["path"],
    "rate_days": ["path"],
}


def upgrade() -> None:
    """Apply."""
    _sample(1000)


def downgrade() -> None:
    """Undo."""
    _sample(-1)


def _sample(values: int) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, columns in PATHS.items():
            for column in columns:
                op.execute(sa.text(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS {values}"))
