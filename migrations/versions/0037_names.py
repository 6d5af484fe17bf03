"""names of people in one form, and the further texts by which they are found."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from zhtj.kernel import crypto, names, pinyin
from zhtj.kernel.sql import migrating

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

# An account whose import was taken back is nobody's.
PEOPLE = "name <> '（导入已撤销）'"
SORTED = sa.String(60).with_variant(sa.String(60, collation="C"), "postgresql")


def upgrade() -> None:
    """Apply; can be run again after an interruption."""
    op.create_table(
        "name_terms",
        sa.Column("term", SORTED, primary_key=True),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    op.create_index(op.f("ix_name_terms_account_id"), "name_terms", ["account_id"], if_not_exists=True)
    op.create_table(
        "unclear_names",
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(60), nullable=False),
        if_not_exists=True,
    )
    _keep_verified()
    migrating.fill_by("accounts", "name", names.tidy, of=["name"], where=PEOPLE)
    migrating.fill_by("accounts", "initials", pinyin.of_person, of=["name"], where=PEOPLE)
    migrating.fill_by("liaisons", "name", names.tidy, of=["name"], where=migrating.ANY, key="org_id")
    migrating.insert_by("name_terms", ["term", "account_id"], _terms, source="accounts", of=["name"], where=PEOPLE)
    migrating.insert_by(
        "unclear_names", ["account_id", "name"], _unclear, source="accounts", of=["name"], where=PEOPLE
    )


def _keep_verified() -> None:
    """Whose name was verified as it was written is verified as it is written from now on."""
    changed = {number: name for number, name in migrating.read("accounts", ["name"], where=PEOPLE) if names.tidy(name) != name}
    new = {
        member: (crypto.keyed_hash("name", changed[account]), crypto.keyed_hash("name", names.tidy(changed[account])))
        for member, account in (migrating.read("members", ["account_id"]) if changed else ())
        if account in changed
    }

    def hashed(member: int, old: str) -> str:
        before, after = new.get(member, (None, None))
        return after if old == before else old

    if new:
        migrating.fill_by(
            "identity_checks",
            "name_hash",
            hashed,
            of=["member_id", "name_hash"],
            where="name_hash IS NOT NULL",
            key="member_id",
        )


def _terms(account: int, name: str) -> Iterator[tuple[str, int]]:
    for term in pinyin.person_terms(name):
        yield term, account


def _unclear(account: int, name: str) -> Iterator[tuple[int, str]]:
    if names.problem(name):
        yield account, name


def downgrade() -> None:
    """Undo; names stay as they are now."""
    migrating.drop_table("unclear_names")
    migrating.drop_table("name_terms")
