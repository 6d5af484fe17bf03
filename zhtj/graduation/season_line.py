"""Whose graduates a register row counts for: the line of superiors of that season (PD-07, PD-08).

A row keeps the path its branch had when it was opened. An organisation that has moved since finds its own rows under
its former path; its old superiors keep them, its new ones do not get them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, or_

from zhtj.graduation.models import RegisterRow
from zhtj.kernel.errors import Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission, subtree
from zhtj.orgs.changing.moving import former_paths


def in_season(path: str, column: Any = RegisterRow.season_path) -> ColumnElement[bool]:
    """SQL over RegisterRow, or whatever keeps its season path: it counts for the organisation at ``path`` today."""
    return or_(*(subtree(column, each) for each in (path, *former_paths(path))))


def counts_for(season_path: str, path: str) -> bool:
    """Whether a row with this season path counts for the organisation that stands at ``path`` today."""
    return season_path.startswith(path) or any(season_path.startswith(each) for each in former_paths(path))


def check_season(seat: ActiveSeat, permission: Permission, season_path: str) -> None:
    """Raise Forbidden where the seat's kind never may, NotFound where the row counts for somebody else."""
    if not seat.may(permission):
        raise Forbidden
    if not counts_for(season_path, seat.path):
        raise NotFound
