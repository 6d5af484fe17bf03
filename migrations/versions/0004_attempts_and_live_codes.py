"""attempts; at most one live code of a kind."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LIVE = sa.text("used_at IS NULL AND revoked_at IS NULL")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "attempts",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_attempts")),
    )
    op.create_index("ix_attempts_next_at", "attempts", ["next_at"])
    columns = {"uq_codes_live_account": ["account_id", "kind"], "uq_codes_live_org": ["org_id"]}
    for name, indexed in columns.items():
        op.create_index(name, "codes", indexed, unique=True, sqlite_where=LIVE, postgresql_where=LIVE)


def downgrade() -> None:
    """Undo."""
    op.drop_index("uq_codes_live_org", table_name="codes")
    op.drop_index("uq_codes_live_account", table_name="codes")
    op.drop_table("attempts")
