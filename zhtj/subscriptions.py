"""Who listens to which event, in the order in which they are told (one list, read from top to bottom)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zhtj.cases import queries as cases
from zhtj.cases.succession import merged as cases_merged
from zhtj.floating.operations import after_completion
from zhtj.floating.operations import merged as stays_merged
from zhtj.graduation.events import BranchesConverted, MarksChanged, RegisterChanged
from zhtj.kernel import events
from zhtj.letters import outstanding
from zhtj.letters.operations import void_after_failure
from zhtj.notices import waiting
from zhtj.notices.waiting import WaitingSource
from zhtj.orgs.events import OrganisationCreated, OrganisationMerged, OrganisationMoved
from zhtj.people.carried_over import merged as people_merged
from zhtj.rates.counting import keeping
from zhtj.transfers import queries as applications
from zhtj.transfers.applying import waits
from zhtj.transfers.deciding import objections
from zhtj.transfers.events import ApplicationsChanged
from zhtj.transfers.messages import tell
from zhtj.transfers.places import merged as applications_merged
from zhtj.transfers.places import moved
from zhtj.transfers.watching import arrivals, conversions, mark_messages

SUBSCRIPTIONS: tuple[tuple[type, Callable[[Any], None]], ...] = (
    # An application that failed takes its letter with it (PD-28).
    (ApplicationsChanged, void_after_failure),
    # A floating member is tracked from the day he comes to the day he leaves (PD-20).
    (ApplicationsChanged, after_completion),
    # Every party of every step hears of it (PD-18, PD-20, PD-21).
    (ApplicationsChanged, tell),
    # Who is on the way to a class that is converted has to go elsewhere (PD-57).
    (BranchesConverted, conversions.tell),
    # Branch, school and city hear of marks that change the season after its conversion (PD-59).
    (MarksChanged, mark_messages.tell),
    # Whoever waited for his new school applies or is told that he can (T-11).
    (ApplicationsChanged, waits.applied),
    (OrganisationCreated, waits.created),
    # Rates are kept with what they count (PD-25).
    (RegisterChanged, keeping.register_changed),
    (ApplicationsChanged, keeping.applications_changed),
    # Applications know where both their organisations stand (PD-07).
    (OrganisationMoved, moved),
    # What is open, who is inside and what waits go on with a successor (PD-56).
    (OrganisationMerged, applications_merged),
    (OrganisationMerged, people_merged),
    (OrganisationMerged, stays_merged),
    (OrganisationMerged, cases_merged),
)
# What waits for an office: one count for the badge, 待办 and the digest (PD-19).
WAITING: tuple[WaitingSource, ...] = (
    applications.WAITING,
    cases.WAITING,
    objections.WAITING,
    arrivals.WAITING,
    outstanding.WAITING,
)


def subscribe_all() -> None:
    """Connect the rooms; called once by ``create_app``."""
    for source in WAITING:
        waiting.register(source)
    for event, handler in SUBSCRIPTIONS:
        events.subscribe(event, handler)
