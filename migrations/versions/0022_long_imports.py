"""imports as jobs that can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; an upload lives for two hours, so none is carried over."""
    op.execute("DELETE FROM import_batches")
    with op.batch_alter_table("import_batches") as batch:
        batch.add_column(sa.Column("state", sa.String(length=32), nullable=False))
        batch.add_column(sa.Column("done", sa.Integer(), nullable=False))
        batch.add_column(sa.Column("total", sa.Integer(), nullable=False))
        batch.add_column(sa.Column("attempt", sa.Integer(), nullable=False))
        batch.add_column(sa.Column("problem", sa.String(length=300), nullable=True))
        batch.add_column(sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False))
        batch.add_column(sa.Column("late", sa.Text(), nullable=True))
        batch.add_column(sa.Column("phase", sa.String(length=32), nullable=False))
        batch.add_column(sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
        batch.drop_constraint(op.f("ck_import_batches_report"), type_="check")
        batch.create_check_constraint(op.f("ck_import_batches_report"), "applied_at IS NULL OR report IS NOT NULL")
        batch.create_check_constraint(op.f("ck_import_batches_undone"), "undone_at IS NULL OR applied_at IS NOT NULL")
        batch.create_index("ix_import_batches_state", ["state", "touched_at"])
    op.create_table(
        "import_entries",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("how", sa.String(length=32), nullable=False),
        sa.Column("change", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batches.id"], name=op.f("fk_import_entries_batch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("batch_id", "member_id", name=op.f("pk_import_entries")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("import_entries")
    op.execute("DELETE FROM import_batches")
    with op.batch_alter_table("import_batches") as batch:
        batch.drop_index("ix_import_batches_state")
        batch.drop_constraint(op.f("ck_import_batches_undone"), type_="check")
        batch.drop_constraint(op.f("ck_import_batches_report"), type_="check")
        batch.create_check_constraint(op.f("ck_import_batches_report"), "(applied_at IS NULL) = (report IS NULL)")
        for name in ("state", "done", "total", "attempt", "problem", "touched_at", "late", "phase", "undone_at"):
            batch.drop_column(name)
