"""Sign in and out, switch seats, open an account, get a new password, keep one's own data."""

from zhtj.web.auth import account, code_sheets, opening, resume, sign_in

__all__ = ["account", "code_sheets", "opening", "resume", "sign_in"]
