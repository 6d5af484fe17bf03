"""Sign in and out, switch seats, open an account, get a new password, keep one's own data."""

from zhtj.web.auth import account, opening, resume, sheets, signing

__all__ = ["account", "opening", "resume", "sheets", "signing"]
