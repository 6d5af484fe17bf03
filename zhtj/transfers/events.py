"""What the transfers room tells the rooms above, inside the same transaction."""

from __future__ import annotations

from dataclasses import dataclass

from zhtj.transfers.workflow import Action, State


@dataclass(frozen=True, slots=True)
class ApplicationsChanged:
    """One action took these applications (ids) from one state to another."""

    ids: tuple[int, ...]
    action: Action
    before: State | None
    after: State
