"""graduating classes and students as reported; which office was urged about what on which day."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "graduation_counts",
        sa.Column("season", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("classes", sa.Integer(), nullable=False),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.Column("written_at", moment, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_graduation_counts_org_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_graduation_counts_account_id")),
        sa.PrimaryKeyConstraint("season", "org_id", "source", name=op.f("pk_graduation_counts")),
    )
    op.create_table(
        "urgings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("by_org_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["organisations.id"], name=op.f("fk_urgings_office_id")),
        sa.ForeignKeyConstraint(["by_org_id"], ["organisations.id"], name=op.f("fk_urgings_by_org_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_urgings_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urgings")),
        sa.UniqueConstraint("office_id", "topic", "day", name=op.f("uq_urgings_office_id_topic_day")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("urgings")
    op.drop_table("graduation_counts")
