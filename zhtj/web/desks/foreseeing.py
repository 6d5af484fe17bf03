"""What a change of marks would do, tried and taken back (PD-59)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from zhtj.cases import subjects
from zhtj.cases.kinds import kind_of
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseAction
from zhtj.graduation import mark_changes
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Organisation
from zhtj.rates.reports import mark_effects
from zhtj.rates.reports.mark_effects import MarkEffects


def foresee(
    place: Organisation, act: Callable[[], object], *, branches: Collection[int] = (), members: Collection[int] = ()
) -> MarkEffects:
    """``mark_effects.foresee`` in a transaction of its own, of which nothing is left."""
    with unit_of_work():
        return mark_effects.foresee(place, act, branches=branches, members=members)


# Kinds whose decision changes marks.
MARKING = frozenset({"mark_change", "own_month", "delay"})


def effects_of(found: Case, possible: Sequence[CaseAction]) -> MarkEffects | None:
    """What granting it would do to a season whose conversion is over, for whoever may grant it (PD-59)."""
    if found.kind not in MARKING or CaseAction.APPROVE not in possible or not mark_changes.is_after_conversion():
        return None
    kind, matter = kind_of(found.kind), subjects.matter(found)
    branches = [matter.organisation.id] if matter.organisation is not None else []
    members = [matter.member.id] if matter.member is not None else []
    place = matter.organisation or matter.person.org
    try:
        return foresee(place, lambda: kind.effect(matter, found), branches=branches, members=members)
    except DomainError:
        return None  # what is in the way is said above
