"""Sign in and out, switch seats, open an account, get a new password, keep one's own data."""

from __future__ import annotations

from flask import Blueprint

from zhtj.web.auth import account, opening, resume, sheets, signing

__all__ = ["account", "blueprint", "opening", "resume", "sheets", "signing"]

blueprint = Blueprint("auth", __name__)
for part in (signing, opening, account, resume, sheets):
    part.register(blueprint)
