"""what an organisation has said about headings and words of its files; what an upload is, by its content."""

import sqlalchemy as sa
from alembic import op

from zhtj.kernel.sql import migrating

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "import_meanings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("column", sa.String(length=60), nullable=False),
        sa.Column("words", sa.String(length=120), nullable=False),
        sa.Column("meaning", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.Index("uq_import_meanings_words", "org_id", "kind", "column", "words", unique=True),
    )
    migrating.add_column("import_batches", sa.Column("digest", sa.String(length=16)))


def downgrade() -> None:
    """Undo."""
    migrating.drop_column("import_batches", "digest")
    migrating.drop_table("import_meanings")
