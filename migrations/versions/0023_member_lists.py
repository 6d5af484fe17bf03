"""indexes for what lists of members are narrowed by."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_members_political_status", "members", ["political_status"])
    op.create_index("ix_members_dues_until", "members", ["dues_until"])
    op.create_index(op.f("ix_accounts_activated_at"), "accounts", ["activated_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_index(op.f("ix_accounts_activated_at"), "accounts")
    op.drop_index("ix_members_dues_until", "members")
    op.drop_index("ix_members_political_status", "members")
