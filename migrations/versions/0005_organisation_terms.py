"""the search index of the tree."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _sorted_text(length: int) -> sa.types.TypeEngine:
    return sa.String(length=length).with_variant(sa.String(length=length, collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "organisation_terms",
        sa.Column("fit", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("term", _sorted_text(120), nullable=False),
        sa.Column("path", _sorted_text(64), nullable=False),
        sa.Column("org_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_organisation_terms_org_id")),
        sa.PrimaryKeyConstraint("fit", "term", "path", "org_id", name=op.f("pk_organisation_terms")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("organisation_terms")
