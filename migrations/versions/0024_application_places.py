"""where the organisations of an application stand."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    text = sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql")
    op.add_column("applications", sa.Column("from_path", text, nullable=True))
    op.add_column("applications", sa.Column("to_path", text, nullable=True))
    for column in ("from", "to"):
        op.execute(
            f"UPDATE applications SET {column}_path = "  # noqa: S608 - our own names
            f"(SELECT path FROM organisations WHERE organisations.id = applications.{column}_org_id)"
        )
    with op.batch_alter_table("applications") as batch:
        batch.alter_column("from_path", existing_type=text, nullable=False)
        batch.alter_column("to_path", existing_type=text, nullable=False)
    op.create_index("ix_applications_from_path", "applications", ["from_path", "id"])
    op.create_index("ix_applications_to_path", "applications", ["to_path", "id"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_applications_to_path", "applications")
    op.drop_index("ix_applications_from_path", "applications")
    with op.batch_alter_table("applications") as batch:
        batch.drop_column("to_path")
        batch.drop_column("from_path")
