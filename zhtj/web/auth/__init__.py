"""Sign in and out, switch seats, open an account, get a new password, keep one's own data."""

from __future__ import annotations

from flask import Blueprint

from zhtj.web.auth import account, code_sheets, opening, resume, signing

__all__ = ["account", "blueprint", "code_sheets", "opening", "resume", "signing"]

blueprint = Blueprint("auth", __name__)
for part in (signing, opening, account, resume, code_sheets):
    part.register(blueprint)
