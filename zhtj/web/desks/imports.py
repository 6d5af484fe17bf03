"""Import pages: upload, preview, apply (PD-31)."""

from __future__ import annotations

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the import desk to a role's blueprint."""
    del blueprint
