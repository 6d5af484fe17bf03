"""Who may issue a code for whom: the own organisation or the direct superior (U-04, K-23)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, check
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member, Seat


def places_of(account_ids: Sequence[int]) -> dict[int, list[Organisation]]:
    """Where each account belongs: the branch of its member, and every organisation it holds a post in."""
    places: dict[int, list[Organisation]] = {account_id: [] for account_id in account_ids}
    members = (
        select(Member)
        .where(Member.account_id.in_(account_ids), Member.archived_at.is_(None))
        .options(joinedload(Member.org).joinedload(Organisation.parent))
    )
    for member in session.scalars(members):
        places[member.account_id].append(member.org)
    seats = (
        select(Seat)
        .join(Seat.org)
        .where(Seat.account_id.in_(account_ids), Seat.ended_at.is_(None), Organisation.closed_at.is_(None))
        .options(contains_eager(Seat.org).joinedload(Organisation.parent))
    )
    for seat in session.scalars(seats):
        places[seat.account_id].append(seat.org)
    return places


def _superior(organisation: Organisation) -> int | None:
    """The direct superior or, where it has no administrator, the nearest one that has (PD-22)."""
    return organisation.parent.office_id if organisation.parent else None


def check_person(
    seat: ActiveSeat, account_id: int, places: Sequence[Organisation], *, any_superior: bool = False
) -> None:
    """Whether ``seat`` may issue a code for this account.

    It must be the own organisation or direct superior of one of the places, and stand above or at all of them: else a
    branch could open the account of somebody who also holds a post in its college.

    Args:
        seat: who wants to issue it.
        account_id: for whom.
        places: where that account belongs, as ``places_of`` says.
        any_superior: policy lets every superior do it (K-23).

    Raises:
        NotFound: no place lies where the seat may issue codes.
        Forbidden: oneself (PD-02), a post higher up, or too far above; the message names who can do it.
    """
    if not seat.may(Permission.CODE_ISSUE):
        raise Forbidden
    if account_id == seat.account_id:
        raise Forbidden("不能为自己生成。", fix="请联系本组织其他管理员或上级组织。", rule="PD-02")
    if not any(seat.may(Permission.CODE_ISSUE, place.path) for place in places):
        raise NotFound
    common = _common_path(places)
    if not common.startswith(seat.path):
        raise Forbidden("本人还在上级或其他组织任职。", fix=f"请由{_named(common)}生成。", rule="U-04")
    # U-04: the own organisation or the direct superior, nobody else.
    direct = any(seat.org_id in {place.id, _superior(place)} for place in places)
    if not (direct or any_superior or common == seat.path):
        near = "或".join(dict.fromkeys(f"{place.short_name}" for place in places))
        raise Forbidden("只有本组织和直接上级可以生成。", fix=f"请联系{near}或它的直接上级。", rule="U-04")


def check_registration(seat: ActiveSeat, organisation: Organisation) -> None:
    """Whether ``seat`` is the direct superior of ``organisation``, who alone issues its registration codes (U-07).

    Raises:
        NotFound, Forbidden: it is not.
        DomainError: the organisation is closed.
    """
    check(seat, Permission.CODE_ISSUE, organisation.path)
    if seat.org_id != _superior(organisation) or seat.org_id == organisation.id:
        raise Forbidden("管理员注册码由直接上级生成。", rule="U-07")
    if organisation.closed_at is not None:
        raise DomainError("该组织已停用，不能再注册管理员。", field="organisation", rule="PD-06")


def _common_path(places: Sequence[Organisation]) -> str:
    """Path of the lowest organisation that has all of them at or below it."""
    shared = [steps[0] for steps in zip(*(place.line for place in places), strict=False) if len(set(steps)) == 1]
    return shared[-1] if shared else ""


def _named(path: str) -> str:
    name = session.scalar(select(Organisation.short_name).where(Organisation.path == path))
    return f"{name}或其直接上级" if name else "共同的上级组织"
