"""The rules a second time: who may send whom where, who decides, what a graduate counts as - from the documents alone.

Plain Python over what has happened, written from the rulebook; it imports nothing of the product. Where the documents
leave something open the model answers ``None``, and nothing is compared. Moments are naive, in Asia/Shanghai.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

SEASON = 2026
CAMPAIGN = datetime(2026, 5, 1)
CONVERSION = datetime(2026, 6, 1)
COUNTY_FROM = datetime(2026, 9, 1)
RETURN_FROM = datetime(2026, 10, 1)
DAYS = 10
MONTHS = 12  # a county keeps nobody longer (D-16)
STAYING = {"kept", "abroad", "delayed"}
FLOATING = {"township_floating", "county_floating", "kept"}
BASIC = {"unit", "township"}
STUDY = {"further_study", "internal_upgrade"}
OPEN = {"awaiting_release", "awaiting_acceptance", "awaiting_allocation", "awaiting_province", "awaiting_external"}
WITH_CLOCK = {"awaiting_release", "awaiting_acceptance", "awaiting_external"}


@dataclass
class Node:
    """An organisation: what it is and who stands above it. ``manned``: it has an administrator (PD-22)."""

    key: str
    parent: Node | None
    kind: str
    manned: bool = True
    graduates_on: datetime | None = None  # a class: when it is converted (G-09)

    @property
    def line(self) -> list[Node]:
        """Itself and everything above it, nearest first."""
        return [self, *(self.parent.line if self.parent else [])]

    def inside(self, area: Node) -> bool:
        """Whether it stands in ``area``."""
        return area in self.line

    @property
    def school(self) -> Node | None:
        """The school it belongs to."""
        return next((node for node in self.line if node.kind == "school"), None)

    @property
    def office(self) -> Node:
        """Who acts for it: itself, else the nearest superior with an administrator (PD-22)."""
        return next((node for node in self.line if node.manned), self)

    @property
    def is_branch(self) -> bool:
        """Whether members belong here directly."""
        return self.kind in {"class", "unit_branch", "new_students"} | STAYING | FLOATING


@dataclass
class Person:
    """A member; ``origin`` is set for a graduate of the season: where he graduated (PD-08)."""

    key: str
    branch: Node
    origin: Node | None = None
    registered: str | None = None  # "study" or "society", by the later of registration and application (PD-09)
    delayed: bool = False
    done: Application | None = None
    all: list[Application] = field(default_factory=list)

    @property
    def open(self) -> Application | None:
        """His open application; there is at most one (A-06)."""
        return next((one for one in self.all if one.state in OPEN), None)


@dataclass
class Application:
    """An application; ``by`` is ``member``, ``old`` or ``new`` (A-01), ``seat`` the administrator's organisation."""

    person: Person
    by: str
    seat: Node | None
    start: Node
    to: Node
    reason: str
    place: str
    state: str
    due: datetime | None
    decider: Node | None = None  # who decides in place of the destination (PD-58)
    final: Node | None = None
    lapsed_at_receiver: bool = False
    refused_by: Node | None = None
    objected: bool = False

    @property
    def counts_to(self) -> Node:
        """Where it counts as coming in; what a county takes over counts from the county up (PD-58)."""
        taken = self.final is not None and self.final.kind == "county_floating" and self.to.kind == "township"
        return self.final.parent if taken and self.final and self.final.parent else self.to


def converted(node: Node, now: datetime) -> bool:
    """Whether a class is a graduates' organisation by now (G-09)."""
    return node.graduates_on is not None and now >= node.graduates_on


def relative(start: Node, to: Node) -> str:
    """What kind of place ``to`` is for somebody at ``start``."""
    if to.kind in STAYING:
        return f"own_{to.kind}" if to.school is start.school else "foreign_staying"
    if to.kind == "new_students" and to.school is not start.school:
        return "new_students"
    if to.school is not None:
        return "own_school" if to.school is start.school else "school"
    return {"unit_branch": "unit"}.get(to.kind, to.kind)


def entry(person: Person, to: Node, now: datetime) -> bool:
    """Whether anything forbids entering ``to``, asked at the start and at every later entry (PD-57)."""
    if converted(to, now):  # O-10
        return False
    if person.delayed and to.kind in FLOATING:
        return False
    if to.kind in STAYING and person.origin is not None:  # M-12, PD-10
        return False
    return not (to.kind in STAYING and to.school is not person.branch.school)


def table(person: Person, to: Node, reason: str, place: str, now: datetime) -> str | None:
    """What the destination table says: ``allow``, ``warn``, ``forbid`` - or None where the documents leave it open."""
    kind = relative(person.branch, to)
    if not entry(person, to, now) or kind == "foreign_staying" or (kind.startswith("own_") and kind != "own_school"):
        return "forbid"
    if reason == "special_unit":
        return "allow" if kind == "pool" else "forbid"  # S-02
    if kind == "pool":
        return "forbid"
    known: dict[tuple[str, str], str] = {
        ("further_study", "new_students"): "allow",  # T-09
        ("further_study", "township"): "forbid",  # T-10
        ("further_study", "township_floating"): "forbid",
        ("further_study", "county_floating"): "forbid",
        ("internal_upgrade", "own_school"): "allow",  # T-22
        ("internal_transfer", "own_school"): "allow",
        ("employed_with_org", "unit"): "allow",  # T-01
        ("work", "unit"): "allow",
    }
    if reason == "further_study" and kind == "school":
        ready = any(node.kind == "new_students" for node in NEIGHBOURS.get(to.key, []))
        return "allow" if ready else "forbid"  # T-11
    if reason in {"internal_upgrade", "internal_transfer"} and kind != "own_school":
        return "forbid"
    if reason in {"employed_with_org", "employed_without_org"} and kind in {"township", "township_floating"}:
        # T-04; with an organisation of its own, the unit comes first: whether the township may then is left open.
        if place == "household":
            return "forbid"
        return "allow" if reason == "employed_without_org" and place == "unit_location" else None
    if reason == "unplaced" and kind in {"township", "township_floating"}:
        return {"residence": "allow", "household": "allow", "origin": "warn"}.get(place)  # T-14, PD-62
    if reason == "overseas_private" and kind in {"township", "township_floating"}:
        return {"household": "allow", "residence": "allow"}.get(place)  # T-18
    return known.get((reason, kind))


# What stands directly below a school, filled by whoever builds the tree.
NEIGHBOURS: dict[str, list[Node]] = {}
# S-01; whoever has no unit yet, or goes abroad on his own, is sent by his school or goes himself (K-16).
NOT_BY_THE_NEW_SIDE = {"special_unit", "unplaced", "overseas_private"}
OFFERED_TO = {
    "graduate": {
        *("further_study", "internal_upgrade", "employed_with_org", "employed_without_org"),
        *("special_unit", "unplaced", "overseas_official", "overseas_private", "other"),
    },
    "other": {"further_study", "work", "relocation", "internal_transfer", "special_unit", "other"},
}  # PD-10


def _cares(seat: Node, node: Node) -> bool:
    """A college or school for all below it, any other basic committee for the branches right below it (PD-01)."""
    return node.inside(seat) if seat.kind in {"college", "school"} else seat.kind in BASIC and node.parent is seat


def looks_after(seat: Node, node: Node) -> bool | None:
    """Whether ``seat`` may start for those at ``node``: the branch, its college, its school (A-01, PD-23)."""
    if seat is node or _cares(seat, node):
        return True
    if seat is node.parent or seat is node.office:
        return None
    return False


def due_of(person: Person, now: datetime) -> datetime:
    """When it goes back: the end of the tenth day, the starting day not counted (PD-18)."""
    begins = max(now, RETURN_FROM) if person.origin is not None and not person.delayed else now
    return datetime.combine(begins.date() + timedelta(days=DAYS + 1), time())


def _both_under(seat: Node | None, start: Node, to: Node) -> bool:
    return seat is not None and _cares(seat, start) and _cares(seat, to)


def may_start(  # noqa: PLR0917 - the order of the documents
    person: Person, seat: Node | None, to: Node, reason: str, place: str, now: datetime
) -> bool | None:
    """Whether ``seat`` (None: the member himself) may start this, every warning being confirmed."""
    if person.open is not None or to is person.branch:
        return False
    if person.branch.kind == "pool":  # S-07
        return False
    audience = "graduate" if person.origin is not None and not person.delayed else "other"
    if person.delayed:
        return False if to.kind in FLOATING else None
    if reason not in OFFERED_TO[audience]:
        return False
    if seat is not None:
        old, new = looks_after(seat, person.branch), looks_after(seat, to)
        if old is False and new is False:
            return False
        if reason in NOT_BY_THE_NEW_SIDE and old is False:
            return False
        if old is not True and new is not True:
            return None
    said = table(person, to, reason, place, now)
    return None if said is None else said != "forbid"


def begin(  # noqa: PLR0917 - as above
    person: Person, seat: Node | None, to: Node, reason: str, place: str, now: datetime
) -> Application:
    """Start it; whoever asks has asked ``may_start``."""
    start = person.branch
    by = "member" if seat is None else "old" if looks_after(seat, start) else "new"
    graduate = person.origin is not None
    warned = table(person, to, reason, place, now) == "warn"
    one = Application(person, by, seat, start, to, reason, place, "", None)
    if reason == "special_unit":
        one.state = "awaiting_province"
    elif _both_under(seat, start, to) and to.is_branch and not (graduate and warned):
        one.state = "completed"
    elif _both_under(seat, start, to) and to.is_branch:  # PD-58
        one.state, one.decider = "awaiting_acceptance", seat.parent.office if seat and seat.parent else None
    elif by == "new" or (by == "member" and start.school is not None and start.school is to.school):
        one.state = "awaiting_release"  # A-09, T-22
    else:
        one.state = "awaiting_acceptance"
    if one.state in WITH_CLOCK:
        one.due = due_of(person, now)
    if graduate and person.done is None and reason != "other":
        person.registered = "study" if reason in STUDY else "society"
    person.all.append(one)
    if one.state == "completed":
        _complete(one, to)
    return one


def _complete(one: Application, branch: Node) -> None:
    one.state, one.final, one.due = "completed", branch, None
    one.person.branch = branch
    if one.person.origin is not None and one.person.done is None:
        one.person.done = one


def offices(one: Application) -> tuple[set[str], set[str]]:
    """Who decides now for certain, and who may or may not (left open); everybody else may not."""
    if one.state == "awaiting_release":
        sure = {one.start.office.key}
        doubtful = {node.key for node in one.start.line[1:] if node.kind in {"college", "school"}}
        if one.start.parent:
            (sure if one.by == "new" else doubtful).add(one.start.parent.key)
        return sure, doubtful
    if one.state in {"awaiting_acceptance", "awaiting_allocation"}:
        if one.decider is not None:
            return {one.decider.key}, {one.to.key}
        return {one.to.office.key}, set()
    if one.state == "awaiting_province":
        return {node.key for node in one.start.line if node.kind == "province"}, set()
    return set(), {node.key for node in one.start.line}


def may_decide(one: Application, seat: Node, action: str, now: datetime, branch: Node | None = None) -> bool | None:
    """Whether ``seat`` may take this step now."""
    if one.state not in OPEN or (one.due is not None and now >= one.due):  # PD-18
        return False
    wanted = {
        "release": {"awaiting_release"},
        "accept": {"awaiting_acceptance"},
        "allocate": {"awaiting_allocation"},
        "refuse": {"awaiting_release", "awaiting_acceptance", "awaiting_province"},
        "approve": {"awaiting_province"},
        "take_over": {"awaiting_acceptance"},
    }[action]
    if action == "take_over":
        return _may_take_over(one, seat, now, branch)
    if one.state not in wanted:
        # Who became barred afterwards may still be refused while a branch is looked for (PD-57): left open here.
        return None if action == "refuse" and one.state == "awaiting_allocation" else False
    sure, doubtful = offices(one)
    if seat.key not in sure | doubtful:
        return False
    if action in {"release", "accept"} and not entry(one.person, one.to, now):  # PD-57
        return False
    if action == "allocate":
        below = branch is not None and branch.is_branch and branch.inside(one.to) and branch is not one.to
        if not below or not entry(one.person, branch or one.to, now):
            return False
    return True if seat.key in sure else None


def _may_take_over(one: Application, seat: Node, now: datetime, branch: Node | None) -> bool | None:
    graduate = one.person.origin is not None and not one.person.delayed
    if one.state != "awaiting_acceptance":
        return False if one.state != "awaiting_allocation" else None
    if seat.kind != "county" or one.to.kind != "township" or not one.to.inside(seat) or not graduate:
        return None if one.to.kind == "township_floating" and one.to.inside(seat) and seat.kind == "county" else False
    if now < COUNTY_FROM or branch is None:
        return False
    return branch.kind == "county_floating" and branch.parent is seat and entry(one.person, branch, now)


def decide(one: Application, seat: Node, action: str, branch: Node | None = None) -> None:
    """Take the step; whoever asks has asked ``may_decide``."""
    if action == "refuse":
        one.refused_by = one.start if one.state == "awaiting_release" else one.to
        one.state, one.due = "refused", None
    elif action == "release" and one.by == "member":
        one.state = "awaiting_acceptance"
    elif action in {"release", "accept"}:
        if one.to.is_branch:
            _complete(one, one.to)
        else:
            one.state, one.due = "awaiting_allocation", None
    elif action in {"allocate", "take_over"}:
        _complete(one, branch or one.to)
    else:
        _complete(one, one.to)


def may_withdraw(one: Application, seat: Node | None, now: datetime) -> bool:
    """Until acceptance the initiator may, and the member always (PD-16)."""
    if one.state not in OPEN - {"awaiting_allocation"} or (one.due is not None and now >= one.due):
        return False
    return seat is None or (one.seat is not None and seat is one.seat)


def sweep(people: list[Person], now: datetime) -> int:
    """What is due goes back (D-09, PD-18)."""
    due = [one for person in people for one in person.all if one.state in WITH_CLOCK and one.due and one.due <= now]
    for one in due:
        one.lapsed_at_receiver = one.state == "awaiting_acceptance"
        one.state, one.due = "returned", None
    return len(due)


def told(one: Application, before: str | None) -> set[str]:
    """Who must hear of the step that led ``one`` from ``before`` to where it stands; "" is the member.

    Whoever acted need not be told, and where an office acts for an organisation the message may be to either.
    """
    if one.state in OPEN and before is None:
        # PD-15: the old side is always informed; whoever has to decide gets it as work (PD-22).
        return {one.start.key, _desk(one)} if one.by == "member" else {"", _desk(one)}
    if one.state == "refused":
        return {""}
    if one.state == "returned":  # PD-18: also the level above the one that let it lapse, the office in charge (PD-22)
        lapsed = (one.to if one.lapsed_at_receiver else one.start).office
        return {"", one.start.key, one.to.key} | ({lapsed.parent.key} if lapsed.parent else set())
    if one.state == "completed":  # PD-20
        return {"", one.start.key}
    return set()


def _desk(one: Application) -> str:
    """Where it waits first."""
    if one.state == "awaiting_release":
        return one.start.key
    if one.state == "awaiting_province":
        return next(node.key for node in one.start.line if node.kind == "province")
    return (one.decider or one.to).key


def clear_by(branch: Node, since: date) -> date | None:
    """Until when a county has to move on whom it keeps (D-16)."""
    return since.replace(year=since.year + MONTHS // 12) if branch.kind == "county_floating" else None


def figures(people: list[Person], area: Node) -> dict[str, int]:
    """The counts behind the five rates (PD-24, PD-58)."""
    found = dict.fromkeys(
        (
            *("further_study", "further_study_done", "society", "society_done", "to_unit", "initiated"),
            *("incoming_study", "incoming_study_done", "incoming_society", "incoming_society_done"),
        ),
        0,
    )
    for person in people:
        if person.origin is None or person.delayed:  # M-11
            continue
        study = person.registered == "study"
        kind = "further_study" if study else "society"
        season = [one for one in person.all if person.done is None or _until(person, one)]
        newest = person.done or (season[-1] if season else None)
        if person.origin.inside(area):
            found[kind] += 1
            found["initiated"] += any(one.state != "withdrawn" for one in season)
            if newest is not None and newest.state == "completed" and _counts(newest, study=study):
                found[f"{kind}_done"] += 1
                found["to_unit"] += not study and _to_unit(newest)
        elif newest is not None and _incoming(newest, area, study=study):
            incoming = "incoming_study" if study else "incoming_society"
            found[incoming] += 1
            found[f"{incoming}_done"] += newest.state == "completed"
    return found


def _until(person: Person, one: Application) -> bool:
    return person.done is not None and person.all.index(one) <= person.all.index(person.done)


def _counts(one: Application, *, study: bool) -> bool:
    """A society graduate's move inside his own school completes only where it is his employer (PD-58)."""
    origin = one.person.origin
    own_school = origin is not None and origin.school is not None and one.to.school is origin.school
    return study or not own_school or one.reason == "employed_with_org"


def _to_unit(one: Application) -> bool:
    """Whether he went to his employer's organisation (M-05, PD-58)."""
    if one.reason == "employed_with_org":
        return True
    return one.reason in {"overseas_official", "other"} and relative(one.start, one.to) == "unit"


def _incoming(one: Application, area: Node, *, study: bool) -> bool:
    if one.to.kind in {"pool", "region"} or not one.counts_to.inside(area):
        return False
    running = one.state in OPEN or one.state == "completed" or (one.state == "returned" and one.lapsed_at_receiver)
    return running and _counts(one, study=study)
