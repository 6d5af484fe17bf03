"""What a change of marks would do, before it is done: who leaves, who comes, what runs, the five rates (PD-59)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from zhtj.graduation import mark_changes
from zhtj.kernel import clock
from zhtj.kernel.database import among, session, taken_back
from zhtj.kernel.sql import replica
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member
from zhtj.rates import queries
from zhtj.rates.counting import keeping
from zhtj.rates.rules import Figures, Rate, RateKind
from zhtj.transfers.kinds import basic_of
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import OPEN


@dataclass(frozen=True, slots=True)
class MarkEffects:
    """What would happen.

    Args:
        school: whose rates these are.
        left, entered: names of who would no longer count, or count from now on.
        running: open applications of these people.
        before, after: the school's figures.
    """

    school: Organisation
    left: Sequence[str]
    entered: Sequence[str]
    running: Sequence[Application]
    before: Figures
    after: Figures

    @property
    def rates(self) -> list[tuple[RateKind, Rate, Rate]]:
        """The five, now and afterwards."""
        return [(kind, kind.of(self.before), kind.of(self.after)) for kind in RateKind]


def foresee(
    place: Organisation, act: Callable[[], object], *, branches: Collection[int] = (), members: Collection[int] = ()
) -> MarkEffects:
    """Do it, look, and take it back; inside a unit of work.

    Args:
        place: a branch or an organisation of the school.
        act: what would be done; it raises what it would raise.
        branches: ids of those whose marks change.
        members: or ids of those who are marked by themselves.
    """
    school, season = basic_of(place) or place, clock.today().year
    with replica.read_here():
        keeping.settle()
        counted = mark_changes.counting(branches=branches, members=members)
        before = queries.figures(school.path, season)
        with taken_back():
            act()
            session.flush()
            keeping.settle()
            then = mark_changes.counting(branches=branches, members=members)
            after = queries.figures(school.path, season)
    left, entered = sorted(counted.keys() - then.keys()), sorted(then.keys() - counted.keys())
    return MarkEffects(school, _called(left), _called(entered), _running([*left, *entered]), before, after)


def _called(ids: Sequence[int]) -> list[str]:
    query = select(Member).where(among(Member.id, ids)).options(joinedload(Member.account)).order_by(Member.id)
    return [one.name for one in session.scalars(query)] if ids else []


def _running(ids: Sequence[int]) -> Sequence[Application]:
    if not ids:
        return ()
    query = select(Application).where(among(Application.member_id, ids), Application.state.in_(OPEN))
    loads = (joinedload(Application.member).joinedload(Member.account), joinedload(Application.to_org))
    return session.scalars(query.options(*loads).order_by(Application.id)).unique().all()
