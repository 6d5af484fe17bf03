"""Keep standings and counters in step with the register and the applications, in the same transaction (PD-24, PD-25).

Facts only say whose standing may have changed. Just before the commit each of these graduates is looked at once: what
his history says is compared with what is stored, and the difference is written. So it does not matter how often or in
which order something was told, and what a savepoint took back leaves no trace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Any

from sqlalchemy import delete, func, select

from zhtj.graduation.events import RegisterChanged
from zhtj.graduation.models import RegisterEvent, RegisterRow
from zhtj.kernel import clock, dates
from zhtj.kernel.database import among, before_commit, insert_rows, pending, session
from zhtj.orgs.changing.moving import all_moves, path_at
from zhtj.orgs.models import SEGMENT, Organisation, OrganisationMove
from zhtj.policy.seasons import policy_for
from zhtj.policy.vocabulary import Destination
from zhtj.rates.counting import counters
from zhtj.rates.counting.counters import StandingSpan
from zhtj.rates.models import RateDay, Standing
from zhtj.rates.rules import Counted, Span, Story, Tried, spans
from zhtj.transfers.events import ApplicationsChanged
from zhtj.transfers.models import TRACKS, Application, ApplicationEvent
from zhtj.transfers.rules import counts, employs
from zhtj.transfers.workflow import Action, State, Track

CHUNK = 2000
_QUEUE, _NEW = "rates_queue", "rates_new"
_LAST_MOVE = select(func.max(OrganisationMove.moved_at)).scalar_subquery()
# What a step changes about a rate: that there is an application, or that it has ended. A return by the new side
# changes nothing: he stays with the organisation that let it lapse (PD-24).
_ENDED = frozenset({State.COMPLETED, State.REFUSED, State.WITHDRAWN, State.FAILED_EXTERNAL})
_NEVER_RELEASED = (State.AWAITING_RELEASE, State.RETURNED)
Move = tuple[StandingSpan, int]


def register_changed(event: RegisterChanged) -> None:
    """Remember whose standing to look at before the commit."""
    _later(event.ids, _NEW if event.new else _QUEUE)


def applications_changed(event: ApplicationsChanged) -> None:
    """The same, for the graduates among the applicants."""
    if event.before is None or event.after in _ENDED or (event.before, event.after) == _NEVER_RELEASED:
        # PD-58: a return belongs to the season in which it fell due, however late it is written.
        for part in _parts(event.ids):
            graduates = select(Application.register_row_id, Application.ended_at).where(
                among(Application.id, part), Application.register_row_id.is_not(None)
            )
            for row_id, ended in session.execute(graduates):
                fell_due = ended if event.action is Action.RETURN else None
                _later([row_id], season=clock.local(fell_due).year if fell_due else None)


def _later(ids: Iterable[int | None], queue: str = _QUEUE, season: int | None = None) -> None:
    """With the season in which it was told: a commit just after its last midnight still belongs to it."""
    season = season or clock.today().year
    pending(queue).update((season, number) for number in ids)
    before_commit(settle)


def settle() -> None:
    """Look at everybody who waits for it; nothing if nobody does."""
    new, waiting = set(pending(_NEW)), set(pending(_QUEUE))
    pending(_NEW).clear()
    pending(_QUEUE).clear()
    moves: list[Iterator[Move]] = [_begin({number for _, number in new - waiting})]
    moves += [
        _refresh({number for told, number in waiting if told == season}, season)
        for season in sorted({told for told, _ in waiting})
    ]
    counters.change(chain.from_iterable(moves))


def _begin(row_ids: Collection[int]) -> Iterator[Move]:
    """Whoever has just come onto the register counts from that day; there is nothing to be looked up."""
    columns = (RegisterRow.id, RegisterRow.season, RegisterRow.season_path, RegisterRow.opened_at)
    for part in _parts(sorted(row_ids)):
        rows = session.execute(select(*columns).where(among(RegisterRow.id, part)))
        spans = ((row, Span(dates.local(row.opened_at), None, Counted())) for row in rows)
        yield from _replace([], [StandingSpan(row.id, row.season, row.season_path, span) for row, span in spans])


def refresh(row_ids: Collection[int], season: int | None = None) -> int:
    """Write what the history of these rows of the register says, where something else is stored.

    Args:
        row_ids: any number; rows of other seasons stay as they are (PD-08).
        season: the present one; another only to count one that never was.

    Returns:
        Rows whose standings were not what they should be.
    """
    changed: set[int] = set()

    def noted(moves: Iterable[Move]) -> Iterator[Move]:
        for line, sign in moves:
            changed.add(line.row_id)
            yield line, sign

    counters.change(noted(_refresh(row_ids, season or clock.today().year)))
    return len(changed)


def forget(row_ids: Collection[int]) -> None:
    """Take rows out of all figures, of past days too: they are about to be deleted, as if they had never been."""
    for part in _parts(sorted(row_ids)):
        counters.change(_replace([line for stored in _stored(part).values() for line in stored], []))


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _refresh(row_ids: Collection[int], season: int) -> Iterator[Move]:
    """What changes for the counters. They are written when all rows are held, so that nobody waits in a circle."""
    for part in _parts(sorted(row_ids)):
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
            .where(among(RegisterRow.id, part), RegisterRow.season == season)
            .order_by(RegisterRow.id)
            .with_for_update(key_share=True)
        ).all()
        if held:
            yield from _compared(held)


def _compared(held: Sequence[Any]) -> Iterator[Move]:
    numbers = [row.id for row in held]
    changes, tried, stored = _changes(numbers), _tried(numbers, held[0].season), _stored(numbers)
    gone: list[StandingSpan] = []
    new: list[StandingSpan] = []
    for row in held:
        wanted = set(spans(_story(row, changes.get(row.id, ()), tried.get(row.id, ()))))
        known = {line.span: line for line in stored.get(row.id, ())}
        gone += [line for span, line in known.items() if span not in wanted]
        new += [StandingSpan(row.id, row.season, row.season_path, span) for span in wanted - known.keys()]
    yield from _replace(gone, new)


def _replace(gone: Sequence[StandingSpan], new: Sequence[StandingSpan]) -> Iterator[Move]:
    if gone:
        session.execute(
            delete(Standing).where(among(Standing.id, [line.id for line in gone])),
            execution_options={"synchronize_session": False},
        )
    insert_rows(Standing, [_values(line) for line in sorted(new, key=lambda line: (line.row_id, line.span.since))])
    _forget_days(gone, new)
    yield from ((line, -1) for line in gone)
    yield from ((line, 1) for line in new)


def _forget_days(gone: Sequence[StandingSpan], new: Sequence[StandingSpan]) -> None:
    """What was written later than it happened changes days that are over: their kept figures are counted again."""
    today = clock.today()
    told, tells = (
        {
            (line.row_id, line.season, line.span.since, min(line.span.until or today, today), line.span.counted)
            for line in lines
            if line.span.since < today
        }
        for lines in (gone, new)
    )
    for season, day in {(season, since) for _, season, since, *_ in told ^ tells}:
        session.execute(delete(RateDay).where(RateDay.season == season, RateDay.day >= day))


def _story(row: Any, changes: Sequence[Any], tried: Sequence[Tried]) -> Story:
    completed_on = dates.local(row.completed_at) if row.completed_at else None
    return Story(row.season, dates.local(row.opened_at), row.category, changes, completed_on, tried)


def counted(standing: Any) -> Counted:
    """How a graduate counts, as it is stored in a row of ``Standing``."""
    return Counted(
        standing.category,
        standing.done,
        standing.to_unit,
        standing.initiated,
        standing.application_id,
        standing.to_path,
    )


def _values(line: StandingSpan) -> dict[str, Any]:
    found = line.span.counted
    return {
        "row_id": line.row_id,
        "season": line.season,
        "since": line.span.since,
        "until": line.span.until,
        "season_path": line.season_path,
        "category": found.category,
        "done": found.done,
        "to_unit": found.to_unit,
        "initiated": found.initiated,
        "application_id": found.application_id,
        "to_path": found.to_path,
        "shared_path": line.shared_path,
    }


_STORED = select(*Standing.__table__.columns).order_by(Standing.row_id, Standing.since)


def _stored(ids: Sequence[int]) -> dict[int, list[StandingSpan]]:
    found: dict[int, list[StandingSpan]] = defaultdict(list)
    for row in session.execute(_STORED.where(among(Standing.row_id, ids))):
        span = Span(row.since, row.until, counted(row))
        found[row.row_id].append(StandingSpan(row.row_id, row.season, row.season_path, span, row.id))
    return found


def _changes(ids: Sequence[int]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    query = select(
        RegisterEvent.row_id, RegisterEvent.at, RegisterEvent.change, RegisterEvent.before, RegisterEvent.after
    ).where(among(RegisterEvent.row_id, ids))
    for row_id, at, change, before, after in session.execute(query.order_by(RegisterEvent.id)):
        found[row_id].append((dates.local(at), change, before, after))
    return found


def _tried(ids: Sequence[int], season: int) -> dict[int, list[Tried]]:
    employers = _employers(season)
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
            ApplicationEvent.action,
            Organisation.path.label("final_path"),
            _LAST_MOVE.label("last_move"),
        )
        .join(ApplicationEvent, ApplicationEvent.application_id == Application.id)
        .outerjoin(Organisation, Organisation.id == Application.final_org_id)
        .where(among(Application.register_row_id, ids))
        .order_by(Application.id, ApplicationEvent.id)
    )
    rows: Sequence[Any] = session.execute(query).all()
    moved = any(row.last_move is not None and row.last_move > row.submitted_at for row in rows)
    moves = all_moves() if moved else ()
    found: dict[int, dict[int, Tried]] = defaultdict(dict)
    steps: dict[int, list[tuple[date, State]]] = defaultdict(list)
    for row in rows:
        number, known = row.id, found[row.register_row_id]
        steps[number].append((dates.local(row.at), row.to_state))
        if number not in known:
            inside = TRACKS.get(row.kind, Track.DOMESTIC) is Track.DOMESTIC
            place = path_at(row.to_path, row.submitted_at, moves) if inside else None
            to_unit = employs(row.kind, row.reason, employers)
            known[number] = Tried(number, place, to_unit, steps[number], counts(row.kind, row.reason))
        if row.action is Action.TAKE_OVER:
            county = path_at(row.final_path[:-SEGMENT], row.at, moves)
            known[number] = replace(known[number], taken_to=county)
    return {row_id: list(each.values()) for row_id, each in found.items()}


def _employers(season: int) -> frozenset[Destination]:
    """Kinds that are receiver ① of the season's policy: an employer's organisation (PD-12)."""
    return frozenset(
        kind for each in policy_for(season, ()).receivers if each.number == 1 for kind in each.destinations
    )
