"""organisations found by the initials of their places as they are read."""

from collections.abc import Iterator

from zhtj.kernel.sql import migrating
from zhtj.orgs import naming

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

# Characters whose reading was mended; what holds none of them is found as before.
MENDED = frozenset("闵漯崆筠伽乐泊浪畹朝漩旋涡长")


def upgrade() -> None:
    """Apply; the terms that were wrong stay, and find what they found."""
    migrating.insert_by(
        "organisation_terms",
        ["fit", "term", "path", "org_id"],
        _terms,
        source="organisations",
        of=["code", "full_name", "short_name", "tier", "path"],
    )


def _terms(number: int, code: str, full_name: str, short_name: str, tier: str, path: str) -> Iterator[tuple]:
    if MENDED.isdisjoint(full_name + short_name):
        return
    found = naming.search_terms(code=code, full_name=full_name, short_name=short_name, branch=tier == "branch")
    for fit, text in sorted(found):
        yield int(fit), text, path, number


def downgrade() -> None:
    """Undo: nothing to take back."""
