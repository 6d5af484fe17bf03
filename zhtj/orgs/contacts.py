"""Which office acts for an organisation, and the number it is reached under (O-24, PD-22)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from zhtj.kernel.database import session
from zhtj.orgs.models import Organisation, Tier


@dataclass(frozen=True, slots=True)
class OfficeContact:
    """An office and its number; ``phone`` "" where nobody above it has one either.

    Args:
        stands_in_for: short name of the organisation for which it acts, if that is another.
    """

    name: str
    phone: str
    stands_in_for: str = ""


def contact(organisation: Organisation) -> OfficeContact:
    """Who acts for ``organisation``: its office, or the nearest superior of basic rank or above that has a number."""
    office = organisation.office or organisation
    if not office.phone:
        office = _above_with_phone(office) or office
    other = office.id != organisation.id
    # O-24: whoever acts, under a number that is answered.
    return OfficeContact(office.short_name, office.phone or "", organisation.short_name if other else "")


def _above_with_phone(organisation: Organisation) -> Organisation | None:
    query = select(Organisation).where(
        Organisation.path.in_(organisation.line[:-1]), Organisation.phone.is_not(None), Organisation.tier != Tier.CENTRE
    )
    return session.scalars(query.order_by(Organisation.path.desc())).first()
