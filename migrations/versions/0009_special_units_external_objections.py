"""special units, external systems, objections; what the destination table said at submission."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Older applications go by what their destination is by itself; all of them were domestic.
_KIND = """
UPDATE applications SET kind = (
    SELECT CASE
        WHEN o.purpose = 'new_students' THEN 'new_students'
        WHEN o.purpose = 'youth_home' THEN 'youth_home'
        WHEN o.purpose = 'park' THEN 'park'
        WHEN o.purpose = 'floating' THEN 'township_floating'
        WHEN o.township_flag THEN 'township'
        WHEN o.industry IN ('普通高等院校', '高等职业（专科）院校', '普通高中', '中等职业院校', '完全中学', '初级中学',
                            '小学', '九年一贯制学校', '十二年一贯制学校') THEN 'school'
        ELSE 'unit' END
    FROM organisations o WHERE o.id = applications.to_org_id)
"""
_LEVEL = (
    "UPDATE applications SET level = CASE WHEN CAST(warnings AS VARCHAR(4000)) = '[]' THEN 'allowed' ELSE 'warned' END"
)


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("applications") as batch:
        batch.add_column(sa.Column("kind", sa.String(length=32), nullable=True))
        batch.add_column(sa.Column("level", sa.String(length=32), nullable=True))
        batch.add_column(sa.Column("external_name", sa.String(length=120), nullable=True))
        batch.add_column(sa.Column("secret_unit", sa.Text(), nullable=True))
    op.execute(_KIND)
    op.execute(_LEVEL)
    with op.batch_alter_table("applications") as batch:
        batch.alter_column("kind", existing_type=sa.String(length=32), nullable=False)
        batch.alter_column("level", existing_type=sa.String(length=32), nullable=False)
    with op.batch_alter_table("application_events") as batch:
        batch.add_column(sa.Column("changes", sa.JSON(), nullable=True))
    op.create_table(
        "objections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sustained", sa.Boolean(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("new_application_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(decided_at IS NULL) = (sustained IS NULL)", name=op.f("ck_objections_decided")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_objections_application_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_objections_account_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_objections_org_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["accounts.id"], name=op.f("fk_objections_decided_by_id")),
        sa.ForeignKeyConstraint(
            ["new_application_id"], ["applications.id"], name=op.f("fk_objections_new_application_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objections")),
        sa.UniqueConstraint("application_id", name=op.f("uq_objections_application_id")),
    )
    op.create_index("ix_objections_org", "objections", ["org_id", "decided_at", "id"])
    op.create_table(
        "refusal_flags",
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_by_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_refusal_flags_application_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_refusal_flags_org_id")),
        sa.ForeignKeyConstraint(["seen_by_id"], ["accounts.id"], name=op.f("fk_refusal_flags_seen_by_id")),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_refusal_flags")),
    )
    op.create_index("ix_refusal_flags_org", "refusal_flags", ["org_id", "seen_at", "application_id"])
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_evidence_application_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_evidence_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    op.create_index(op.f("ix_evidence_application_id"), "evidence", ["application_id"])


def downgrade() -> None:
    """Undo; what only the new tables know is lost."""
    op.drop_table("evidence")
    op.drop_table("refusal_flags")
    op.drop_table("objections")
    with op.batch_alter_table("application_events") as batch:
        batch.drop_column("changes")
    with op.batch_alter_table("applications") as batch:
        batch.drop_column("secret_unit")
        batch.drop_column("external_name")
        batch.drop_column("level")
        batch.drop_column("kind")
