"""who has never activated his account no longer handles an organisation's work: its superior does."""

from zhtj.kernel.sql import migrating

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

LONGEST_PATH = 64

_HELD = (
    "EXISTS (SELECT 1 FROM seats JOIN accounts ON accounts.id = seats.account_id"
    " WHERE seats.org_id = organisations.id AND seats.ended_at IS NULL{})"
)
_ABOVE = "(SELECT above.office_id FROM organisations AS above WHERE above.id = organisations.parent_id)"


def _settle(held: str) -> None:
    """From the top down, so that an office above is right before it is handed on."""
    value = f"CASE WHEN {held} THEN organisations.id ELSE {_ABOVE} END"
    for length in range(4, LONGEST_PATH + 1, 4):
        where = f"length(path) = {length} AND coalesce(office_id, 0) <> coalesce({value}, 0)"
        migrating.fill("organisations", {"office_id": value}, where=where)


def upgrade() -> None:
    """Apply."""
    _settle(_HELD.format(" AND accounts.activated_at IS NOT NULL"))


def downgrade() -> None:
    """Undo."""
    _settle(_HELD.format(""))
