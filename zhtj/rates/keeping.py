"""Keep standings and counters in step with the register and the applications, in the same transaction (PD-24, PD-25).

Facts only say whose standing may have changed. Just before the commit each of these graduates is looked at once: what
his history says is compared with what is stored, and the difference is written. So it does not matter how often or in
which order something was told, and what a savepoint took back leaves no trace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, select

from zhtj.graduation.facts import RegisterChanged
from zhtj.graduation.models import RegisterEvent, RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.database import before_commit, insert_rows, session
from zhtj.orgs.moving import all_moves, path_at
from zhtj.policy.vocabulary import Destination, Reason
from zhtj.rates import counters
from zhtj.rates.models import Standing
from zhtj.rates.rules import Counted, Span, Story, Tried, meeting_place, spans
from zhtj.transfers.facts import ApplicationsChanged
from zhtj.transfers.models import ROUTES, Application, ApplicationEvent
from zhtj.transfers.workflow import Route, State

CHUNK = 2000
_QUEUE = "rates_queue"
# What a step changes about a rate: that there is an application, or that it has ended. A return changes nothing: he
# stays with the organisation that let it lapse (PD-24).
_ENDED = frozenset({State.COMPLETED, State.REFUSED, State.WITHDRAWN, State.FAILED_EXTERNAL})


def register_changed(fact: RegisterChanged) -> None:
    """Remember whose standing to look at before the commit."""
    _later(fact.ids)


def applications_changed(fact: ApplicationsChanged) -> None:
    """The same, for the graduates among the applicants."""
    if fact.before is None or (fact.after in _ENDED and fact.before is not fact.after):
        for part in _parts(fact.ids):
            _later(
                session.scalars(
                    select(Application.register_row_id).where(
                        Application.id.in_(part), Application.register_row_id.is_not(None)
                    )
                )
            )


def _later(ids: Iterable[int | None]) -> None:
    session().info.setdefault(_QUEUE, set()).update(ids)
    before_commit(settle)


def settle() -> None:
    """Look at everybody who waits for it; nothing if nobody does."""
    waiting: set[int] = session().info.pop(_QUEUE, set())
    refresh(waiting)


def refresh(row_ids: Collection[int], season: int | None = None) -> int:
    """Write what the history of these rows of the register says, where something else is stored.

    Args:
        row_ids: any number; rows of other seasons stay as they are (PD-08).
        season: the present one; another only to count one that never was.

    Returns:
        Rows whose standings were not what they should be.
    """
    changed = 0
    for part in _parts(sorted(row_ids)):
        changed += _refresh(part, season or clock.today().year)
    return changed


def forget(row_ids: Collection[int]) -> None:
    """Take rows out of all figures, of past days too: they are about to be deleted, as if they had never been."""
    for part in _parts(sorted(row_ids)):
        for stored in _stored(part).values():
            counters.change([(each, -1) for each in stored if each.until is None])
        session.execute(delete(Standing).where(Standing.row_id.in_(part)))


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _refresh(ids: Sequence[int], season: int) -> int:
    # Whoever changes one of them at the same moment waits here and then sees what we wrote.
    held = session.execute(
        select(
            RegisterRow.id,
            RegisterRow.season,
            RegisterRow.season_path,
            RegisterRow.category,
            RegisterRow.opened_at,
            RegisterRow.completed_at,
        )
        .where(RegisterRow.id.in_(ids), RegisterRow.season == season)
        .order_by(RegisterRow.id)
        .with_for_update(key_share=True)
    ).all()
    if not held:
        return 0
    numbers = [row.id for row in held]
    changes, tried, stored = _changes(numbers), _tried(numbers), _stored(numbers)
    gone: list[Standing] = []
    new: list[dict[str, Any]] = []
    touched = 0
    for row in held:
        wanted = {_key(span): span for span in spans(_story(row, changes.get(row.id, ()), tried.get(row.id, ())))}
        known = {_key(_span(each)): each for each in stored.get(row.id, ())}
        if wanted.keys() != known.keys():
            touched += 1
            gone += [each for key, each in known.items() if key not in wanted]
            new += [_values(row, span) for key, span in wanted.items() if key not in known]
    _replace(gone, new)
    return touched


def _replace(gone: Sequence[Standing], new: Sequence[dict[str, Any]]) -> None:
    if gone:
        session.execute(
            delete(Standing).where(Standing.id.in_([each.id for each in gone])),
            execution_options={"synchronize_session": False},
        )
    insert_rows(Standing, new)
    counters.change(
        [
            *((each, -1) for each in gone if each.until is None),
            *((Standing(**values), 1) for values in new if values["until"] is None),
        ]
    )


def _story(row: Any, changes: Sequence[Any], tried: Sequence[Tried]) -> Story:
    completed_on = _day(row.completed_at) if row.completed_at else None
    return Story(row.season, _day(row.opened_at), row.category, changes, completed_on, tried)


def _day(moment: Any) -> date:
    return clock.local(moment).date()


def _key(span: Span) -> tuple[Any, ...]:
    return (span.since, span.until, span.counted)


def _span(standing: Standing) -> Span:
    return Span(standing.since, standing.until, counted(standing))


def counted(standing: Standing) -> Counted:
    """How a graduate counts, as it is stored."""
    return Counted(
        standing.category,
        standing.done,
        standing.to_unit,
        standing.initiated,
        standing.application_id,
        standing.to_path,
    )


def _values(row: Any, span: Span) -> dict[str, Any]:
    counted = span.counted
    return {
        "row_id": row.id,
        "season": row.season,
        "since": span.since,
        "until": span.until,
        "season_path": row.season_path,
        "category": counted.category,
        "done": counted.done,
        "to_unit": counted.to_unit,
        "initiated": counted.initiated,
        "application_id": counted.application_id,
        "to_path": counted.to_path,
        "shared_path": None if counted.to_path is None else meeting_place(row.season_path, counted.to_path),
    }


def _stored(ids: Sequence[int]) -> dict[int, list[Standing]]:
    found: dict[int, list[Standing]] = defaultdict(list)
    query = select(Standing).where(Standing.row_id.in_(ids)).order_by(Standing.row_id, Standing.since)
    for each in session.scalars(query.execution_options(populate_existing=True)):
        found[each.row_id].append(each)
        session.expunge(each)
    return found


def _changes(ids: Sequence[int]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    query = select(
        RegisterEvent.row_id, RegisterEvent.at, RegisterEvent.change, RegisterEvent.before, RegisterEvent.after
    ).where(RegisterEvent.row_id.in_(ids))
    for row_id, at, change, before, after in session.execute(query.order_by(RegisterEvent.id)):
        found[row_id].append((_day(at), change, before, after))
    return found


def _tried(ids: Sequence[int]) -> dict[int, list[Tried]]:
    query = (
        select(
            Application.id,
            Application.register_row_id,
            Application.kind,
            Application.reason,
            Application.to_path,
            Application.submitted_at,
            ApplicationEvent.at,
            ApplicationEvent.to_state,
        )
        .join(ApplicationEvent, ApplicationEvent.application_id == Application.id)
        .where(Application.register_row_id.in_(ids))
        .order_by(Application.id, ApplicationEvent.id)
    )
    rows: Sequence[Any] = session.execute(query).all()
    moves = all_moves() if rows else ()
    found: dict[int, dict[int, Tried]] = defaultdict(dict)
    steps: dict[int, list[tuple[date, State]]] = defaultdict(list)
    for number, row_id, kind, reason, to_path, submitted_at, at, state in rows:
        steps[number].append((_day(at), state))
        if number not in found[row_id]:
            inside = ROUTES.get(kind, Route.DOMESTIC) is Route.DOMESTIC
            place = path_at(to_path, submitted_at, moves) if inside else None
            found[row_id][number] = Tried(number, place, is_unit(kind, reason), steps[number])
    return {row_id: list(each.values()) for row_id, each in found.items()}


def is_unit(kind: Destination, reason: str) -> bool:
    """Whether a destination is an employer's organisation (M-05); in an external system only the reason tells it."""
    if kind is Destination.EXTERNAL:
        return reason == Reason.EMPLOYED_WITH_ORG
    return kind is Destination.UNIT
