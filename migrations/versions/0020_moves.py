"""organisations that got another superior."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def _path() -> sa.String:
    return sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "organisation_moves",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("from_path", _path(), nullable=False),
        sa.Column("to_path", _path(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_organisation_moves_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_moves")),
    )
    op.create_index(op.f("ix_organisation_moves_org_id"), "organisation_moves", ["org_id"])
    op.create_index(op.f("ix_organisation_moves_to_path"), "organisation_moves", ["to_path"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("organisation_moves")
