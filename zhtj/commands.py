"""The command line: ``flask --app app …`` (one group a room)."""

from __future__ import annotations

from flask import Flask

from jobs import commands as jobs


def register(app: Flask) -> None:
    """Add all commands."""
    jobs.register(app)
