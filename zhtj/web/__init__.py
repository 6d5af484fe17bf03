"""Everything that knows requests and pages; one blueprint a role."""

from __future__ import annotations

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from zhtj.web import (
    api,
    assets,
    auth,
    branch,
    college,
    errors,
    htmx,
    member,
    provincial,
    public,
    requests,
    school,
    security,
    uploads,
)
from zhtj.web.access import login_manager
from zhtj.web.rendering import formatters, gallery, navigation, standing, words

csrf = CSRFProtect()


def register(app: Flask) -> None:
    """Add blueprints, template helpers, error pages and security headers."""
    login_manager.init_app(app)
    for part in (requests, uploads, security, assets, htmx, formatters, words, standing, navigation, errors):
        part.register(app)
    csrf.init_app(app)  # after `requests`: a refused form too has its number and its place in the figures
    for role in (auth, public, api, member, branch, college, school, provincial):
        app.register_blueprint(role.blueprint)
    if app.config["ZHTJ"].env != "production":
        app.register_blueprint(gallery.blueprint)
