"""marks by which the seal names the event that does not fit."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; seals of the old form are taken off, the next pass of the sealer makes them anew."""
    _take_off()
    with op.batch_alter_table("audit_seals") as batch:
        batch.add_column(sa.Column("marks", sa.JSON(), nullable=False))


def downgrade() -> None:
    """Undo; likewise."""
    _take_off()
    with op.batch_alter_table("audit_seals") as batch:
        batch.drop_column("marks")


def _take_off() -> None:
    op.execute("UPDATE audit_events SET seal_id = NULL")
    op.execute("DELETE FROM audit_seals")
