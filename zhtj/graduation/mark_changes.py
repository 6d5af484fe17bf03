"""What changes of marks did to the season after the conversion: noted, told, shown under the rates (PD-59).

Before the conversion day marks are still being put right; afterwards each change that takes somebody out of the season
or brings somebody in leaves a line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import select

from zhtj.graduation.events import MarksChanged
from zhtj.graduation.models import MarkChange, RegisterRow
from zhtj.kernel import audit, clock, events
from zhtj.kernel.database import among, session
from zhtj.kernel.sql.replica import reports
from zhtj.orgs.models import Organisation
from zhtj.policy.seasons import policy_for

CHUNK = 2000
SHOWN = 50


def is_after_conversion() -> bool:
    """Whether this season's conversion day has come."""
    return clock.today() >= policy_for(clock.today().year, ()).convert_date


def counting(*, branches: Collection[int] = (), members: Collection[int] = ()) -> dict[int, int]:
    """Who counts this season, by member, with the branch he graduates from.

    Args:
        branches: ids of those whose graduates are looked at.
        members: ids of further graduates.
    """
    column, ids = (RegisterRow.origin_org_id, branches) if branches else (RegisterRow.member_id, members)
    found: dict[int, int] = {}
    listed = sorted(ids)
    for start in range(0, len(listed), CHUNK):
        query = select(RegisterRow.member_id, RegisterRow.origin_org_id).where(
            RegisterRow.season == clock.today().year,
            RegisterRow.closed_at.is_(None),
            RegisterRow.origin_org_id.is_not(None),
            among(column, listed[start : start + CHUNK]),
        )
        found |= {member: branch for member, branch in session.execute(query) if branch is not None}
    return found


@contextmanager
def noted(what: str, *, branches: Collection[int] = (), members: Collection[int] = (), why: str = "") -> Iterator[None]:
    """Inside, marks are changed; what that did to the season is written down and told, if its conversion is over.

    Args:
        what: in words: from which month to which, delayed, teacher.
        branches: ids of those whose marks change.
        members: or ids of those who are marked by themselves.
        why: the reason that was given.
    """
    if not is_after_conversion():
        yield
        return
    before = counting(branches=branches, members=members)
    yield
    session.flush()
    after = counting(branches=branches, members=members)
    left, entered = _by_branch(before, after), _by_branch(after, before)
    written = [
        _written(session.get_one(Organisation, branch), what, why, left.get(branch, []), entered.get(branch, []))
        for branch in sorted({*left, *entered})
    ]
    if written:
        events.publish(MarksChanged(tuple(one.id for one in written)))


def _by_branch(these: dict[int, int], without: dict[int, int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for member, branch in sorted(these.items()):
        if member not in without:
            found[branch].append(member)
    return found


def _written(branch: Organisation, what: str, why: str, left: list[int], entered: list[int]) -> MarkChange:
    who = audit.actor()
    one = MarkChange(
        season=clock.today().year,
        org_id=branch.id,
        path=branch.path,
        at=clock.now(),
        what=what,
        why=why.strip() or None,
        gone=left,
        come=entered,
        account_id=who.account_id,
        by_org_id=who.org_id,
    )
    session.add(one)
    session.flush()
    return one


def of(path: str, season: int) -> Sequence[MarkChange]:
    """The changes at and below ``path``, newest first, at most ``SHOWN`` (under the rates)."""
    query = select(MarkChange).where(MarkChange.season == season, MarkChange.path.startswith(path, autoescape=True))
    return reports().scalars(query.order_by(MarkChange.id.desc()).limit(SHOWN)).all()
