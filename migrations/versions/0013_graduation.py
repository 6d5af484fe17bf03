"""members' own graduation marks, the history of the season register, where graduates go."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "member_marks",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("month", sa.Date(), nullable=True),
        sa.Column("before", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("marked_by_seat_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(kind = 'teacher') = (month IS NULL)", name=op.f("ck_member_marks_month")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_member_marks_member_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_member_marks_org_id")),
        sa.ForeignKeyConstraint(["marked_by_seat_id"], ["seats.id"], name=op.f("fk_member_marks_marked_by_seat_id")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_member_marks")),
    )
    op.create_index(op.f("ix_member_marks_org_id"), "member_marks", ["org_id"])
    op.create_index(op.f("ix_member_marks_month"), "member_marks", ["month"])
    op.create_table(
        "register_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change", sa.String(length=32), nullable=False),
        sa.Column("before", sa.String(length=32), nullable=True),
        sa.Column("after", sa.String(length=32), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["row_id"], ["season_register.id"], name=op.f("fk_register_events_row_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_register_events_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_events")),
    )
    op.create_index(op.f("ix_register_events_row_id"), "register_events", ["row_id"])
    op.create_table(
        "destination_entries",
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("unit_name", sa.String(length=120), nullable=True),
        sa.Column("address", sa.String(length=120), nullable=True),
        sa.Column("township", sa.String(length=120), nullable=True),
        sa.Column("household", sa.String(length=120), nullable=True),
        sa.Column("residence", sa.String(length=120), nullable=True),
        sa.Column("parents_residence", sa.String(length=120), nullable=True),
        sa.Column("mobile", sa.Text(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by_account_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["row_id"], ["season_register.id"], name=op.f("fk_destination_entries_row_id")),
        sa.ForeignKeyConstraint(
            ["entered_by_account_id"], ["accounts.id"], name=op.f("fk_destination_entries_entered_by_account_id")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_destination_entries")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("destination_entries")
    op.drop_table("register_events")
    op.drop_table("member_marks")
