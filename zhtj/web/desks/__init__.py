"""What several roles do, written once and registered on each role's blueprint; page, address and scope differ."""

from __future__ import annotations

import importlib
import importlib.util

from flask import Blueprint

DESKS = (
    "workbench",
    "decisions",
    "applications",
    "members",
    "starting",
    "organisations",
    "codes",
    "letters",
    "imports",
)


def register(blueprint: Blueprint) -> None:
    """Add every desk; the permission table decides which of them a role may use."""
    for name in DESKS:
        if importlib.util.find_spec(f"{__name__}.{name}"):
            importlib.import_module(f"{__name__}.{name}").register(blueprint)
