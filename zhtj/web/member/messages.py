"""The member's own inbox: the same pages as an administrator's."""

from __future__ import annotations

from flask import Blueprint

from zhtj.web.desks.messages import register_inbox


def register(blueprint: Blueprint) -> None:
    """Add the pages."""
    register_inbox(blueprint)
