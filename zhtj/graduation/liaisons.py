"""学社衔接负责人: whom each college names for the season, by 30 May; the school sees who is missing (F-13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select

from zhtj.graduation.models import LONGEST_NAME, Liaison, LiaisonRole
from zhtj.kernel import audit, clock, names
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat, subtree
from zhtj.kernel.sql.listing import Listing
from zhtj.orgs.models import SCHOOL_INDUSTRIES, Organisation, Tier
from zhtj.policy.seasons import policy_for

TITLE = "学社衔接负责人信息"
_MOBILE = 11


@dataclass(frozen=True, slots=True)
class CollegeLiaisons:
    """A college with those it has named, by role."""

    college: Organisation
    named: Mapping[LiaisonRole, Liaison]

    @property
    def is_complete(self) -> bool:
        """Whether all three are named."""
        return len(self.named) == len(LiaisonRole)


def due_on(season: int) -> date:
    """The day by which they are named."""
    return policy_for(season, ()).liaisons_due


def of_college(organisation: Organisation, season: int) -> CollegeLiaisons:
    """Whom one college has named."""
    return CollegeLiaisons(organisation, _named([organisation.id], season).get(organisation.id, {}))


def _named(ids: Sequence[int], season: int) -> dict[int, dict[LiaisonRole, Liaison]]:
    found: dict[int, dict[LiaisonRole, Liaison]] = {}
    for one in session.scalars(select(Liaison).where(Liaison.season == season, Liaison.org_id.in_(ids))):
        found.setdefault(one.org_id, {})[one.role] = one
    return found


def write(organisation: Organisation, seat: ActiveSeat, typed: Mapping[str, str]) -> None:
    """Name all three at once.

    Args:
        organisation: the college.
        seat: who writes.
        typed: ``name_leader``, ``phone_leader`` and so on.

    Raises:
        DomainError: a name or number is missing or cannot be one; ``field`` says which.
    """
    if not _is_college(organisation):
        raise DomainError("学社衔接负责人由二级学院登记。", rule="F-13")
    season = clock.today().year
    said = {role: _read(role, typed) for role in LiaisonRole}
    for role, (name, phone) in said.items():
        session.merge(
            Liaison(
                season=season,
                org_id=organisation.id,
                role=role,
                name=name,
                phone=phone,
                written_at=clock.now(),
                account_id=seat.account_id,
            )
        )
    session.flush()
    audit.record("liaisons.write", "organisation", organisation.id, season=season)


def problems(typed: Mapping[str, str]) -> list[DomainError]:
    """What ``write`` would refuse, one for each of the three at most."""
    found = []
    for role in LiaisonRole:
        try:
            _read(role, typed)
        except DomainError as error:
            found.append(error)
    return found


def colleges(path: str) -> list[Organisation]:
    """The open colleges of schools at ``path`` and below, in the order of the tree."""
    return list(session.scalars(_colleges(path).order_by(Organisation.path)))


def _is_college(organisation: Organisation) -> bool:
    return organisation.tier is Tier.SECOND and organisation.industry in SCHOOL_INDUSTRIES


def _read(role: LiaisonRole, typed: Mapping[str, str]) -> tuple[str, str]:
    name = names.tidy(typed.get(f"name_{role}", ""))
    phone = "".join(typed.get(f"phone_{role}", "").split())
    digits = phone.replace("-", "")
    if not name or len(name) > LONGEST_NAME:
        raise DomainError(f"请填写{role.label}的姓名。", field=f"name_{role}", rule="F-13")
    names.read(name, field=f"name_{role}")
    if not (digits.isascii() and digits.isdecimal() and 7 <= len(digits) <= _MOBILE + 1):  # noqa: PLR2004 - a landline
        raise DomainError(f"请填写{role.label}的电话，手机或带区号的固定电话。", field=f"phone_{role}", rule="F-13")
    return name, phone


def _colleges(path: str) -> Select[Any]:
    return select(Organisation).where(
        subtree(Organisation.path, path),
        Organisation.tier == Tier.SECOND,
        Organisation.industry.in_(sorted(SCHOOL_INDUSTRIES)),
        Organisation.closed_at.is_(None),
    )


def _listed(seat: ActiveSeat, season: int, state: str) -> Select[Any]:
    query = _colleges(seat.path)
    if state:
        named = (
            select(func.count())
            .select_from(Liaison)
            .where(Liaison.org_id == Organisation.id, Liaison.season == season)
            .scalar_subquery()
        )
        query = query.where(named == len(LiaisonRole) if state == "yes" else named < len(LiaisonRole))
    return query


def listing(seat: ActiveSeat, season: int, state: str = "") -> Listing[CollegeLiaisons]:
    """Colleges below with whom they have named, in the order of the tree; ``state``: yes, no (incomplete) or all."""
    query = _listed(seat, season, state)
    return Listing(query, [Organisation.path], dress=lambda colleges: _lines(colleges, season))


def _lines(colleges: Sequence[Organisation], season: int) -> list[CollegeLiaisons]:
    named = _named([college.id for college in colleges], season)
    return [CollegeLiaisons(college, named.get(college.id, {})) for college in colleges]
