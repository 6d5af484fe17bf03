"""retention, overseas study: terms of a stay, last contact, signed forms, announced rounds."""

import calendar
from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

STAYS = sa.table(
    "onward_transfers",
    sa.column("id", sa.Integer),
    sa.column("since", sa.Date),
    sa.column("last_contact_on", sa.Date),
    sa.column("contact_by", sa.Date),
)
CONTACTS = sa.table("onward_contacts", sa.column("onward_id", sa.Integer), sa.column("on", sa.Date))
MONTHS = 6


def _later(day: date) -> date:
    years, month = divmod(day.month - 1 + MONTHS, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("onward_transfers") as stays:
        stays.add_column(sa.Column("home_id", sa.Integer(), nullable=True))
        stays.add_column(sa.Column("ground", sa.String(length=32), nullable=True))
        stays.add_column(sa.Column("retained_until", sa.Date(), nullable=True))
        stays.add_column(sa.Column("extended_on", sa.Date(), nullable=True))
        stays.add_column(sa.Column("last_contact_on", sa.Date(), nullable=True))
        stays.add_column(sa.Column("contact_by", sa.Date(), nullable=True))
        stays.add_column(sa.Column("term_told", sa.Integer(), nullable=False, server_default="0"))
        stays.add_column(sa.Column("contact_told", sa.Integer(), nullable=False, server_default="0"))
        stays.create_foreign_key(op.f("fk_onward_transfers_home_id"), "organisations", ["home_id"], ["id"])
        stays.create_index(op.f("ix_onward_transfers_home_id"), ["home_id"])
        stays.create_index(op.f("ix_onward_transfers_contact_by"), ["contact_by"])
    with op.batch_alter_table("onward_transfers") as stays:
        stays.alter_column("term_told", server_default=None)
        stays.alter_column("contact_told", server_default=None)
    _fill()
    op.create_table(
        "signed_forms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=8), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_signed_forms_account_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_signed_forms_case_id")),
        sa.ForeignKeyConstraint(["file_id"], ["case_files.id"], name=op.f("fk_signed_forms_file_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_signed_forms_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signed_forms")),
        sa.UniqueConstraint("case_id", name=op.f("uq_signed_forms_case_id")),
    )
    op.create_index(op.f("ix_signed_forms_member_id"), "signed_forms", ["member_id"])
    op.create_table(
        "case_rounds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("decides_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("closes_on <= decides_on", name=op.f("ck_case_rounds_order")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_case_rounds_account_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisations.id"], name=op.f("fk_case_rounds_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_rounds")),
    )
    op.create_index(op.f("ix_case_rounds_org_id"), "case_rounds", ["org_id"])


def _fill() -> None:
    """The next contact of those who are there already: six months from the last one, else from the day they came."""
    connection = op.get_bind()
    newest = sa.select(sa.func.max(CONTACTS.c.on)).where(CONTACTS.c.onward_id == STAYS.c.id).scalar_subquery()
    for number, since, last in connection.execute(sa.select(STAYS.c.id, STAYS.c.since, newest)).all():
        connection.execute(
            STAYS.update().where(STAYS.c.id == number).values(last_contact_on=last, contact_by=_later(last or since))
        )


def downgrade() -> None:
    """Undo."""
    op.drop_table("case_rounds")
    op.drop_table("signed_forms")
    with op.batch_alter_table("onward_transfers") as stays:
        stays.drop_index(op.f("ix_onward_transfers_contact_by"))
        stays.drop_index(op.f("ix_onward_transfers_home_id"))
        stays.drop_constraint(op.f("fk_onward_transfers_home_id"), type_="foreignkey")
        for name in (
            "contact_told",
            "term_told",
            "contact_by",
            "last_contact_on",
            "extended_on",
            "retained_until",
            "ground",
            "home_id",
        ):
            stays.drop_column(name)
