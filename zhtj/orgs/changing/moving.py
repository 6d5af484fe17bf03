"""Give an organisation another superior, with everything below it (PD-07)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select, update

from zhtj.kernel import audit, clock, events
from zhtj.kernel.database import session, touched
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import subtree
from zhtj.orgs import operations
from zhtj.orgs.events import OrganisationMoved
from zhtj.orgs.models import SEGMENT, Category, Organisation, OrganisationMove, Region, Tier
from zhtj.orgs.rules import tier_below
from zhtj.orgs.searching.terms import move_terms

_PROVINCE = 2 * SEGMENT
_RANKS = tuple(Tier)
_MOVES = "moves around"  # asked several times a page, of organisations that stand below each other


def check_move(organisation: Organisation, superior: Organisation, *, across_provinces: bool = False) -> None:
    """Raise DomainError where ``organisation`` cannot stand below ``superior``; its level stays what it is (PD-01).

    Args:
        organisation: what moves.
        superior: where to.
        across_provinces: as the operator may (PD-07).
    """
    if organisation.tier in {Tier.CENTRE, Tier.PROVINCE} or Region.NATIONAL not in {
        organisation.system,
        superior.system,
    }:
        raise DomainError("省级组织和使用自己系统的地区不能迁移。", field="parent", rule="PD-07")
    if superior.id == organisation.id or superior.path.startswith(organisation.path):
        raise DomainError("不能迁移到自己或自己的下级组织下面。", field="parent", rule="PD-07")
    if superior.id == organisation.parent_id:
        raise DomainError(f"{organisation.short_name}现在就在{superior.short_name}下面。", field="parent", rule="PD-07")
    if organisation.closed_at is not None or superior.closed_at is not None:
        raise DomainError("已停用的组织不能迁移，也不能迁入。", field="parent", rule="PD-06")
    # PD-07: inside a province by request, beyond it by the operator alone.
    if not across_provinces and superior.path[:_PROVINCE] != organisation.path[:_PROVINCE]:
        raise DomainError(
            "只能在同一个省级组织内迁移。",
            fix="跨省迁移请由省级团委联系系统运维人员办理。",
            field="parent",
            rule="PD-07",
        )
    if not fits(organisation, superior):
        raise DomainError(
            f"{superior.short_name}下面不能有这一层级的组织，迁移后层级会改变。",
            fix="请在那里另建组织，再转接团员。",
            field="parent",
            rule="PD-01",
        )


def fits(organisation: Organisation, superior: Organisation) -> bool:
    """Whether it would be of the same level there (PD-01)."""
    if organisation.category is Category.LEADING_ORGAN:
        above, own = _RANKS.index(superior.tier), _RANKS.index(organisation.tier)
        return superior.is_leading and above < own
    try:
        return tier_below(superior.tier, organisation.category) is organisation.tier
    except DomainError:
        return False


def move(organisation: Organisation, superior: Organisation, by: str, *, across_provinces: bool = False) -> None:
    """Move it with all below it: paths, search terms, who acts for it. Codes and names stay; a season's figures too.

    Args:
        organisation: what moves.
        superior: its new direct superior.
        by: why, such as ``case:12``.
        across_provinces: as the operator may.

    Raises:
        DomainError: it cannot stand there (any more).
    """
    _one_at_a_time()
    organisation, superior = operations.hold(organisation.id), operations.hold(superior.id)
    check_move(organisation, superior, across_provinces=across_provinces)
    before, office = organisation.path, _office_above(organisation)
    position = operations.next_position(superior.id)
    _rewrite(before, position.path)
    move_terms(session(), before, position.path)
    events.publish(OrganisationMoved(before, position.path))
    _change_office(position.path, office, position.office_id)
    former, organisation.parent_id = organisation.parent_id, superior.id
    session.add(
        OrganisationMove(
            org_id=organisation.id, from_path=before, to_path=position.path, moved_at=clock.now(), by=by[:200]
        )
    )
    session.flush()
    session.expire_all()
    session().info.pop(_MOVES, None)
    audit.record("organisation.move", "organisation", organisation.id, before=former, after=superior.id, by=by)


def _one_at_a_time() -> None:
    """Two that move below each other at the same moment would close a circle: the second waits, and is refused."""
    root = select(Organisation.id).where(Organisation.tier == Tier.CENTRE)
    session.execute(root.with_for_update(key_share=True))


def _office_above(organisation: Organisation) -> int | None:
    return session.scalar(select(Organisation.office_id).where(Organisation.id == organisation.parent_id))


def _rewrite(before: str, after: str) -> None:
    """Give everything at ``before`` or below its new path.

    Whoever builds down there at this moment holds the row he builds below: the update waits for him but does not see
    what he built. So it is repeated until nothing is left; whoever comes later finds the new path.
    """
    column = Organisation.path
    statement = (
        update(Organisation)
        .where(subtree(column, before))
        .values(path=after + func.substr(column, len(before) + 1))
        .execution_options(synchronize_session=False)
    )
    while touched(session.execute(statement)):
        pass


def _change_office(path: str, before: int | None, after: int | None) -> None:
    """What the old line served is served by the new one (PD-22)."""
    served = Organisation.office_id.is_(None) if before is None else Organisation.office_id == before
    session.execute(
        update(Organisation).where(subtree(Organisation.path, path), served).values(office_id=after),
        execution_options={"synchronize_session": False},
    )


def former_paths(path: str) -> list[str]:
    """Where the organisation at ``path`` and all below it stood before, itself or with a superior; newest first.

    A path is never used again, so what was written down under a former one is still this organisation's own (PD-07).
    """
    former: list[str] = []
    for from_path, to_path in moves_around(path):
        if path.startswith(to_path):
            old = from_path + path[len(to_path) :]
            former += [old, *former_paths(old)]
    return list(dict.fromkeys(former))


def moves_around(path: str) -> Sequence[tuple[str, str]]:
    """Moves as (from, to), newest first, that concern the organisation at ``path``, its superiors or any below it.

    Read once in a session for all that stands there; so there may be some of others beside them.
    """
    known: dict[str, Sequence[tuple[str, str]]] = session().info.setdefault(_MOVES, {})
    for root, moves in known.items():
        if path.startswith(root):
            return moves
    before, after = OrganisationMove.from_path, OrganisationMove.to_path
    line = [path[:end] for end in range(SEGMENT, len(path) + 1, SEGMENT)]
    query = select(before, after).where(or_(after.in_(line), subtree(after, path), subtree(before, path)))
    known[path] = [(one, other) for one, other in session.execute(query.order_by(OrganisationMove.id.desc()))]
    return known[path]


Moves = Sequence[tuple[str, str, datetime]]


def all_moves() -> Moves:
    """Every move as (from, to, moment), newest first; few, as moving is rare."""
    query = select(OrganisationMove.from_path, OrganisationMove.to_path, OrganisationMove.moved_at)
    return [(before, after, at) for before, after, at in session.execute(query.order_by(OrganisationMove.id.desc()))]


def path_at(path: str, moment: datetime, moves: Moves) -> str:
    """Where the organisation that stands at ``path`` today stood at a moment (PD-07).

    Args:
        path: today.
        moment: then.
        moves: ``all_moves()``.
    """
    for before, after, at in moves:
        if at > moment and path.startswith(after):
            path = before + path[len(after) :]
    return path


def path_today(path: str, moves: Moves) -> str:
    """Where the organisation that once stood at ``path`` stands today; paths are never used again (PD-07).

    Args:
        path: then.
        moves: ``all_moves()``.
    """
    for before, after, _ in reversed(moves):
        if path.startswith(before):
            path = after + path[len(before) :]
    return path
