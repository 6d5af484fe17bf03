"""What a change of marks would do, tried and taken back (PD-59)."""

from __future__ import annotations

from collections.abc import Callable, Collection

from zhtj.kernel.database import unit_of_work
from zhtj.orgs.models import Organisation
from zhtj.rates.reports import mark_effects
from zhtj.rates.reports.mark_effects import MarkEffects


def foresee(
    place: Organisation, act: Callable[[], object], *, branches: Collection[int] = (), members: Collection[int] = ()
) -> MarkEffects:
    """``mark_effects.foresee`` in a transaction of its own, of which nothing is left."""
    with unit_of_work():
        return mark_effects.foresee(place, act, branches=branches, members=members)
