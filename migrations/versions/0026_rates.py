"""where each graduate stands, and the counters of the rates."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

FIGURES = (
    "further_study",
    "further_study_done",
    "society",
    "society_done",
    "unregistered",
    "to_unit",
    "initiated",
    "incoming_study",
    "incoming_study_done",
    "incoming_society",
    "incoming_society_done",
)


def upgrade() -> None:
    """Apply. The sweep ``rates`` fills the tables from the history."""
    text = sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql")
    op.create_table(
        "standings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("season_path", text, nullable=False),
        sa.Column("category", sa.String(length=32), nullable=True),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("to_unit", sa.Boolean(), nullable=False),
        sa.Column("initiated", sa.Boolean(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=True),
        sa.Column("to_path", text, nullable=True),
        sa.Column("shared_path", text, nullable=True),
        sa.CheckConstraint("until IS NULL OR until > since", name=op.f("ck_standings_days")),
        sa.CheckConstraint("(to_path IS NULL) = (shared_path IS NULL)", name=op.f("ck_standings_incoming")),
        sa.ForeignKeyConstraint(["row_id"], ["season_register.id"], name=op.f("fk_standings_row_id")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_standings_application_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standings")),
    )
    op.create_index("ix_standings_row", "standings", ["row_id", "since"])
    op.create_index("ix_standings_season_path", "standings", ["season", "season_path", "row_id"])
    op.create_index("ix_standings_to_path", "standings", ["season", "to_path", "row_id"])
    op.create_index(
        "uq_standings_present",
        "standings",
        ["row_id"],
        unique=True,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_table(
        "rate_counters",
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("path", text, nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in FIGURES),
        sa.PrimaryKeyConstraint("season", "path", "shard", name=op.f("pk_rate_counters")),
    )
    op.create_table(
        "rate_days",
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("path", text, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in FIGURES),
        sa.PrimaryKeyConstraint("season", "path", "day", name=op.f("pk_rate_days")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("rate_days")
    op.drop_table("rate_counters")
    op.drop_table("standings")
