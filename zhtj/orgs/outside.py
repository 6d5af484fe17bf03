"""Places that nobody chooses from a list: the special units' pool, and the three external systems (S-06, PD-05)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs import operations
from zhtj.orgs.models import Category, Organisation, Purpose, Region, Tier
from zhtj.orgs.operations import NewOrganisation

POOL_CODE = "0-999"


def special_pool() -> Organisation:
    """特殊单位专属库, a branch of the centre's own; built the first time somebody needs it (S-06).

    Raises:
        DomainError: the tree has no centre yet.
    """
    found = _pool()
    if found is not None:
        return found
    centre = session.scalars(select(Organisation).where(Organisation.tier == Tier.CENTRE)).first()
    if centre is None:
        raise DomainError("还没有载入全国组织树，不能转往特殊单位。", fix="请联系系统管理员。")
    try:
        with session.begin_nested():
            return operations.create(
                centre,
                NewOrganisation(
                    "特殊单位专属库", "特殊单位专属库", Category.BRANCH, purpose=Purpose.SPECIAL_POOL, code=POOL_CODE
                ),
            )
    except (IntegrityError, DomainError):
        found = _pool()
        if found is None:
            raise
        return found


def _pool() -> Organisation | None:
    return session.scalars(select(Organisation).where(Organisation.purpose == Purpose.SPECIAL_POOL)).first()


def external_systems() -> Sequence[Organisation]:
    """The nodes of 北京, 广东 and 福建 in the tree, in its order (PD-05)."""
    query = select(Organisation).where(Organisation.system != Region.NATIONAL, Organisation.closed_at.is_(None))
    return session.scalars(query.order_by(Organisation.code)).all()
