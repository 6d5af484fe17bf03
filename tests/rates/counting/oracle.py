"""The rates a second time, slowly and by another way: person by person and set by set (PD-24).

Nothing here comes from zhtj/rates but the name of the result. Who stands below whom is not read off paths that were
kept, but off the tree as it stood at the moment: today's tree, with the moves taken back one by one. What somebody
counts for is not read off the register, but off what was registered and applied for, in the order of the log, and what
the policy's table says of it. Whom an area counts is a set of people; figures are the sizes of sets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from zhtj.graduation.models import RegisterEvent, RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session
from zhtj.orgs.models import Organisation, OrganisationMove
from zhtj.policy.seasons import policy_for
from zhtj.policy.vocabulary import Reason
from zhtj.rates.rules import Figures
from zhtj.transfers.models import Application, ApplicationEvent

OPEN = {"awaiting_release", "awaiting_acceptance", "awaiting_allocation", "awaiting_province", "awaiting_external"}
NOBODY: frozenset[int] = frozenset()
# With these a graduate's move inside his own school leads into study, or to the employer (PD-58).
INSIDE = {"further_study", "internal_upgrade", "employed_with_org", "overseas_official"}
SEVERAL: Mapping[str, tuple[str, ...]] = {
    "graduates": ("further_study", "society"),
    "done": ("further_study_done", "society_done"),
    "everyone": ("further_study", "society", "incoming_study", "incoming_society"),
}
# A rate is a part of a whole, both made of figures.
RATES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "further_study": (("further_study_done", "incoming_study_done"), ("further_study", "incoming_study")),
    "society": (("society_done", "incoming_society_done"), ("society", "incoming_society")),
    "unit": (("to_unit",), ("society",)),
    "initiated": (("initiated",), ("further_study", "society")),
    "done": (("further_study_done", "society_done"), ("further_study", "society")),
}


@dataclass(frozen=True)
class Person:
    """One graduate of a season as he stands at the end of a day.

    Args:
        row: of the register.
        home: ids of the organisations he graduated from, from his branch up to the country.
        goal: ids of those he applied to or arrived in; nobody for special units and external systems.
        study: counts as 升学.
        said: has a category at all.
        done: his transfer is complete.
        employed: it led to an employer's organisation.
        begun: something was submitted, and not only withdrawn again.
    """

    row: int
    home: frozenset[int]
    goal: frozenset[int]
    study: bool
    said: bool
    done: bool
    employed: bool
    begun: bool


class Oracle:
    """The raw history, read once; asked about any organisation, season and day."""

    def __init__(self) -> None:
        self.rows = _read(RegisterRow)
        self.events = _grouped(_read(RegisterEvent), "row_id")
        self.applications = _grouped(_read(Application), "register_row_id")
        self.steps = _grouped(_read(ApplicationEvent), "application_id")
        self.row_of = {each.id: each.register_row_id for each in _read(Application)}
        self.kinds = {each.id: (str(each.kind), str(each.reason)) for each in _read(Application)}
        self.words = self._words()
        self.organisations = {each.id: each for each in _read(Organisation)}
        self.moves = sorted(_read(OrganisationMove), key=lambda move: -move.id)
        self.lines: dict[tuple[int, int], frozenset[int]] = {}
        self.trees: dict[int, dict[str, int]] = {}
        self.known: dict[tuple[int, date | None], list[Person]] = {}

    # -- what is asked

    def figures(self, org_id: int, season: int, day: date | None = None) -> Figures:
        """How many people are behind each figure."""
        return Figures(**{name: len(people) for name, people in self.people(org_id, season, day).items()})

    def people(self, org_id: int, season: int, day: date | None = None) -> dict[str, set[int]]:
        """Rows of the register behind each figure of an organisation at the end of a day, or now."""
        everybody = self.everybody(season, day)
        own = {each for each in everybody if org_id in each.home}
        coming = {each for each in everybody if org_id in each.goal} - own
        study, done = {each for each in everybody if each.study}, {each for each in everybody if each.done}
        sets = {
            "further_study": own & study,
            "further_study_done": own & study & done,
            "society": own - study,
            "society_done": (own - study) & done,
            "unregistered": {each for each in own if not each.said},
            "to_unit": {each for each in (own - study) & done if each.employed},
            "initiated": {each for each in own if each.begun},
            "incoming_study": coming & study,
            "incoming_study_done": coming & study & done,
            "incoming_society": coming - study,
            "incoming_society_done": (coming - study) & done,
        }
        return {name: {each.row for each in people} for name, people in sets.items()}

    def behind(self, org_id: int, season: int, key: str, day: date | None = None) -> set[int]:
        """Rows behind a key such as ``society``, ``done`` or ``unit.missing``."""
        people = self.people(org_id, season, day)
        if key in people:
            return people[key]
        if key in SEVERAL:
            return set[int]().union(*(people[name] for name in SEVERAL[key]))
        rate, _, part = key.partition(".")
        numerator, denominator = (set[int]().union(*(people[name] for name in names)) for names in RATES[rate])
        return {"numerator": numerator, "denominator": denominator, "missing": denominator - numerator}[part]

    def everybody(self, season: int, day: date | None = None) -> list[Person]:
        """Everybody who counts at the end of a day, anywhere."""
        if (season, day) not in self.known:
            over = clock.start_of_day(date(season + 1, 1, 1))  # the season is frozen
            end = over if day is None else min(over, clock.start_of_day(day + timedelta(days=1)))
            found = (self._person(row, end) for row in self.rows if row.season == season)
            self.known[season, day] = [each for each in found if each is not None]
        return self.known[season, day]

    # -- one person

    def _person(self, row: Any, end: datetime) -> Person | None:
        if row.opened_at >= end:
            return None
        noted = sorted(self.events[row.id], key=lambda event: (event.at, event.id))
        closings = [event.change for event in noted if event.change != "category" and event.at < end]
        if closings and closings[-1] == "closed":
            return None
        tried = [(each, states) for each in self.applications[row.id] if (states := self._states(each, end))]
        arrived = min(
            (each for each in tried if each[1][-1][0] == "completed" and self._counts(each[0])),
            key=lambda one: one[1][-1][1:],
            default=None,
        )
        category = self._category(row, end)
        stands = arrived or max(tried, key=lambda one: one[0].id, default=None)
        return Person(
            row.id,
            NOBODY if row.origin_org_id is None else self._line(row.origin_org_id, row.opened_at),
            self._goal(*stands) if stands else NOBODY,
            category == "further_study",
            category is not None,
            arrived is not None,
            arrived is not None and self._employs(arrived[0]),
            any(states[-1][0] != "withdrawn" for _, states in tried),
        )

    def _states(self, application: Any, end: datetime) -> list[tuple[str, datetime, int]]:
        """The states it went through before a moment, each with when and in which order."""
        return [(str(step.to_state), step.at, step.id) for step in self.steps[application.id] if step.at < end]

    def _goal(self, application: Any, states: list[tuple[str, datetime, int]]) -> frozenset[int]:
        """The organisations in whose C and F he is, if they are not his own."""
        to = self.organisations[application.to_org_id]
        if to.system != "national" or to.purpose == "special_pool":
            return NOBODY
        if not self._counts(application):
            return NOBODY
        last = states[-1][0]
        lapsed_there = last == "returned" and [state for state, _, _ in states][-2] == "awaiting_acceptance"
        taken = next((step for step in self.steps[application.id] if step.action == "take_over"), None)
        if last == "completed" and taken is not None:
            return self._line(self.organisations[application.final_org_id].parent_id, taken.at)
        if last in OPEN or last == "completed" or lapsed_there:
            return self._line(to.id, application.submitted_at)
        return NOBODY

    def _counts(self, application: Any) -> bool:
        """Whether it counts at all: inside one's own school into study or to the employer alone (PD-58)."""
        kind, reason = self.kinds[application.id]
        return not kind.startswith("own_") or reason in INSIDE

    def _employs(self, application: Any) -> bool:
        """An employer's organisation (M-05, PD-58): by the reason, abroad by the table's receiver ①."""
        kind, reason = self.kinds[application.id]
        if reason == "overseas_official":
            return kind in {str(each) for each in self._policy(application.season).receivers[0].destinations}
        return reason == "employed_with_org" or (reason, kind) == ("other", "unit")

    # -- what somebody counts for

    def _policy(self, season: int) -> Any:
        return policy_for(season, ())

    def _words(self) -> dict[int, list[tuple[str, Any]]]:
        """By row of the register, in the order of the log: what was said that he counts for, and what froze it."""
        found: dict[int, list[tuple[str, Any]]] = defaultdict(list)
        for event in _read(AuditEvent):
            row = event.subject_id if event.subject_type == "register" else self.row_of.get(event.subject_id)
            if event.action == "register.destination":
                found[row].append((event.detail["reason"], event.at))
            elif event.action.startswith("transfer.") and row is not None:
                kind, reason = self.kinds[event.subject_id]
                if event.action == "transfer.submit":
                    found[row].append((reason, event.at))
                freezes = not kind.startswith("own_") or reason in INSIDE
                if freezes and event.detail.get("after") == "completed":
                    found[row].append(("", event.at))
        return found

    def _category(self, row: Any, end: datetime) -> str | None:
        """The last word before it was frozen by completion or the end of the season (PD-09)."""
        category = None
        for reason, at in self.words.get(row.id, ()):
            if at >= end or at >= clock.start_of_day(date(row.season + 1, 1, 1)):
                break
            if not reason:
                break
            said = self._policy(row.season).reasons[Reason(reason)].category
            category = said or category
        return category

    # -- the tree as it was

    def _line(self, org_id: int, moment: datetime) -> frozenset[int]:
        """An organisation and all above it, as they stood at a moment."""
        later = sum(move.moved_at > moment for move in self.moves)
        if (org_id, later) not in self.lines:
            tree = self._tree(later)
            own = next(path for path, number in tree.items() if number == org_id)
            self.lines[org_id, later] = frozenset(number for path, number in tree.items() if own.startswith(path))
        return self.lines[org_id, later]

    def _tree(self, later: int) -> dict[str, int]:
        """Who stood where before the last ``later`` moves."""
        if later not in self.trees:
            paths = {each.id: each.path for each in self.organisations.values()}
            for move in self.moves[:later]:
                for number, path in paths.items():
                    if path.startswith(move.to_path):
                        paths[number] = move.from_path + path.removeprefix(move.to_path)
            self.trees[later] = {path: number for number, path in paths.items()}
        return self.trees[later]


def _read(table: Any) -> list[Any]:
    return list(session.execute(select(*table.__table__.columns).order_by(table.id)))


def _grouped(rows: Iterable[Any], name: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found
