"""The line a case climbs, read off the tree (PD-01, PD-34)."""

from __future__ import annotations

from sqlalchemy import select

from zhtj.cases.kind import CaseKind, CaseMatter
from zhtj.cases.workflow import Decider, LineLevel, line
from zhtj.kernel.database import session
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs.models import Organisation


def of(kind: CaseKind, seat: ActiveSeat, about: CaseMatter) -> list[int]:
    """Ids of the organisations through which a case climbs, from whoever looks first to whoever decides.

    A member's case begins in his own branch, an administrator's above him; at the very top it stays.
    """
    climbed = kind.line(about) if kind.line else climb(about.raiser, kind.decider(about), own=_own(seat))
    return climbed or [about.raiser.id]


def _own(seat: ActiveSeat) -> bool:
    return seat.kind is SeatKind.MEMBER


def climb(organisation: Organisation, decider: Decider, *, own: bool = False) -> list[int]:
    """The line upwards from an organisation, with it or without; an office that acts for several counts once."""
    paths = organisation.line if own else organisation.line[:-1]
    rows = session.execute(
        select(Organisation.id, Organisation.tier, Organisation.office_id)
        .where(Organisation.path.in_(paths))
        .order_by(Organisation.path.desc())
    )
    levels = [LineLevel(number, tier.value, office) for number, tier, office in rows]
    return line(levels, decider)
