"""Keeps an upload between looking at it and importing it; for its owner in his seat, for two hours."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update

from zhtj.imports import destinations, floating, organisations, rosters, tables
from zhtj.imports.destinations import DestinationPlan
from zhtj.imports.floating import FloatingPlan
from zhtj.imports.models import ImportBatch, ImportKind
from zhtj.imports.organisations import OrganisationPlan
from zhtj.imports.plans import Plan
from zhtj.imports.rosters import RosterPlan
from zhtj.imports.tables import Table
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member

LIFETIME = timedelta(hours=2)
_LONGEST_NAME = 120


def keep(kind: ImportKind, table: Table, seat: ActiveSeat, filename: str) -> ImportBatch:
    """Keep what was read, in place of what the same seat uploaded before and never imported; old ones go."""
    purge()
    mine = (ImportBatch.account_id == seat.account_id, ImportBatch.org_id == seat.org_id, ImportBatch.kind == kind)
    session.execute(delete(ImportBatch).where(*mine, ImportBatch.applied_at.is_(None)))
    batch = ImportBatch(
        kind=kind,
        account_id=seat.account_id,
        org_id=seat.org_id,
        filename=filename[-_LONGEST_NAME:],
        content=_pack(tables.dump(table)),
        created_at=clock.now(),
        expires_at=clock.now() + LIFETIME,
    )
    session.add(batch)
    session.flush()
    return batch


def owned(number: int, kind: ImportKind, seat: ActiveSeat) -> ImportBatch:
    """The batch, if this seat uploaded it. Raises NotFound, also when it has expired."""
    batch = session.get(ImportBatch, number)
    mine = batch is not None and (batch.account_id, batch.org_id, batch.kind) == (seat.account_id, seat.org_id, kind)
    if batch is None or not mine or batch.expires_at <= clock.now():
        raise NotFound("没有找到这次上传。", fix="上传的内容只保留两小时，请重新上传。")
    return batch


def plan_of(batch: ImportBatch) -> Plan:
    """What importing the batch would do now, or what it did."""
    if batch.report is not None:
        return Plan.restored(_unpack(batch.report))
    return _preview(batch)


def _preview(batch: ImportBatch) -> RosterPlan | OrganisationPlan | DestinationPlan | FloatingPlan:
    table = tables.load(_unpack(batch.content or ""))
    organisation = session.get_one(Organisation, batch.org_id)
    if batch.kind is ImportKind.MEMBERS:
        return rosters.preview(table, organisation)
    if batch.kind is ImportKind.DESTINATIONS:
        return destinations.preview(table, organisation)
    if batch.kind is ImportKind.FLOATING:
        return floating.preview(table, organisation)
    return organisations.preview(table, organisation)


def _write(plan: RosterPlan | OrganisationPlan | DestinationPlan | FloatingPlan, batch: ImportBatch) -> int:
    if isinstance(plan, RosterPlan):
        return rosters.apply(plan, partial=True)
    if isinstance(plan, DestinationPlan):
        return destinations.apply(plan, partial=True)
    if isinstance(plan, FloatingPlan):
        return floating.apply(plan, _seat_of(batch), partial=True)
    return organisations.apply(plan, partial=True)


def _seat_of(batch: ImportBatch) -> ActiveSeat:
    """The seat it was uploaded in."""
    organisation = session.get_one(Organisation, batch.org_id)
    own = session.scalars(select(Member.id).where(Member.account_id == batch.account_id)).first()
    return ActiveSeat(organisation.workbench, batch.account_id, None, organisation.id, organisation.path, own)


def apply(batch: ImportBatch, *, expected: int) -> int:
    """Import the rows without errors and keep the outcome instead of the rows.

    Args:
        batch: not imported yet.
        expected: how many rows the owner was told would be imported.

    Returns:
        How many rows were.

    Raises:
        Conflict: imported already, or since the preview something has changed what would happen.
    """
    if batch.applied_at is not None:
        raise Conflict("这份文件已经导入过了。", fix="请查看导入结果。")
    plan = _preview(batch)
    if plan.accepted != expected:
        raise Conflict("核对之后系统里的数据有了变化，没有导入。", fix="请重新核对后再导入。")
    done = _write(plan, batch)
    taken = session.scalar(
        update(ImportBatch)
        .where(ImportBatch.id == batch.id, ImportBatch.applied_at.is_(None))
        .values(applied_at=clock.now(), content=None, report=_pack(plan.as_dict()))
        .returning(ImportBatch.id)
        .execution_options(synchronize_session=False)
    )
    if taken is None:
        raise Conflict("这份文件已经导入过了。", fix="请查看导入结果。")
    session.expire(batch)
    return done


def discard(batch: ImportBatch) -> None:
    """Throw an upload away."""
    session.delete(batch)
    session.flush()


def purge() -> int:
    """Delete what has expired. Returns how many."""
    expired = delete(ImportBatch).where(ImportBatch.expires_at <= clock.now())
    return len(session.scalars(expired.returning(ImportBatch.id)).all())


def _pack(value: dict[str, Any]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(value, ensure_ascii=False).encode())).decode()


def _unpack(packed: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(packed)))
    return value
