"""cases: what climbs the line, its history and attachments."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("subject_type", sa.String(length=32), nullable=True),
        sa.Column("subject_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=240), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("raised_by_id", sa.Integer(), nullable=False),
        sa.Column("raised_org_id", sa.Integer(), nullable=False),
        sa.Column("raised_member_id", sa.Integer(), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("line", sa.JSON(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("holder_id", sa.Integer(), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_org_id", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'waiting') = (holder_id IS NOT NULL)", name=op.f("ck_cases_holder")),
        sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name=op.f("ck_cases_ended")),
        sa.CheckConstraint("(subject_type IS NULL) = (subject_id IS NULL)", name=op.f("ck_cases_subject")),
        sa.ForeignKeyConstraint(["raised_by_id"], ["accounts.id"], name=op.f("fk_cases_raised_by_id")),
        sa.ForeignKeyConstraint(["raised_org_id"], ["organisations.id"], name=op.f("fk_cases_raised_org_id")),
        sa.ForeignKeyConstraint(["raised_member_id"], ["members.id"], name=op.f("fk_cases_raised_member_id")),
        sa.ForeignKeyConstraint(["holder_id"], ["organisations.id"], name=op.f("fk_cases_holder_id")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["accounts.id"], name=op.f("fk_cases_ended_by_id")),
        sa.ForeignKeyConstraint(["ended_org_id"], ["organisations.id"], name=op.f("fk_cases_ended_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index("ix_cases_holder", "cases", ["holder_id", "id"])
    op.create_index("ix_cases_raised_org", "cases", ["raised_org_id", "id"])
    op.create_index("ix_cases_subject", "cases", ["subject_type", "subject_id"])
    op.create_index("ix_cases_kind_state", "cases", ["kind", "state", "id"])
    op.create_index(op.f("ix_cases_raised_member_id"), "cases", ["raised_member_id"])
    op.create_index(
        "uq_cases_open_subject",
        "cases",
        ["kind", "subject_type", "subject_id"],
        unique=True,
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_table(
        "case_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("from_state", sa.String(length=32), nullable=True),
        sa.Column("to_state", sa.String(length=32), nullable=False),
        sa.Column("from_org_id", sa.Integer(), nullable=True),
        sa.Column("to_org_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("org_id", sa.Integer(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_events_case_id")),
        sa.ForeignKeyConstraint(["from_org_id"], ["organisations.id"], name=op.f("fk_case_events_from_org_id")),
        sa.ForeignKeyConstraint(["to_org_id"], ["organisations.id"], name=op.f("fk_case_events_to_org_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_case_events_account_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_case_events_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_events")),
    )
    op.create_index(op.f("ix_case_events_case_id"), "case_events", ["case_id"])
    op.create_index(op.f("ix_case_events_org_id"), "case_events", ["org_id"])
    op.create_table(
        "case_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_files_case_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_case_files_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_files")),
    )
    op.create_index(op.f("ix_case_files_case_id"), "case_files", ["case_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("case_files")
    op.drop_table("case_events")
    op.drop_table("cases")
