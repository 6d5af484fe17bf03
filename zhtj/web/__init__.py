"""Everything that knows requests and pages; views stand at their address (``routes``)."""

from __future__ import annotations

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from zhtj.web import (
    api,
    assets,
    auth,
    desks,
    error_handlers,
    htmx,
    member,
    public,
    requests,
    routes,
    security,
    upload_limits,
)
from zhtj.web.access import login_manager
from zhtj.web.rendering import formatters, gallery, member_state, navigation, words

__all__ = ["auth", "csrf", "desks", "member", "public", "register"]  # the four rooms are imported for their views

csrf = CSRFProtect()


def register(app: Flask) -> None:
    """Add blueprints, template helpers, error pages and security headers."""
    login_manager.init_app(app)
    for part in (
        requests,
        upload_limits,
        security,
        assets,
        htmx,
        formatters,
        words,
        member_state,
        navigation,
        error_handlers,
    ):
        part.register(app)
    csrf.init_app(app)  # after `requests`: a refused form too has its number and its place in the figures
    routes.register(app)
    app.register_blueprint(api.blueprint)
    if app.config["ZHTJ"].env != "production":
        app.register_blueprint(gallery.blueprint)
