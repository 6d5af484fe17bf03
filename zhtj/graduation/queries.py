"""Reads of graduation: marks of branches, the season in figures."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from zhtj.graduation.models import BranchMark, RegisterRow
from zhtj.kernel.database import session
from zhtj.kernel.permissions import subtree


@dataclass(frozen=True, slots=True)
class Progress:
    """How a season stands in a part of the tree: graduates in scope, and those whose transfer is complete."""

    graduates: int
    completed: int


def progress(season: int, path: str) -> Progress:
    """Rows of the season register whose season path lies at or below ``path`` (PD-08)."""
    row = session.execute(
        select(func.count(), func.count(RegisterRow.completed_at)).where(
            RegisterRow.season == season,
            subtree(RegisterRow.season_path, path),
            RegisterRow.closed_at.is_(None),
        )
    ).one()
    return Progress(row[0], row[1])


def marks(branch_ids: list[int]) -> dict[int, BranchMark]:
    """The marks of these branches, by branch."""
    rows = session.scalars(select(BranchMark).where(BranchMark.org_id.in_(branch_ids)))
    return {mark.org_id: mark for mark in rows}


def register_row(member_id: int, season: int) -> RegisterRow | None:
    """The member's row of a season."""
    return session.scalars(
        select(RegisterRow).where(RegisterRow.member_id == member_id, RegisterRow.season == season)
    ).first()
