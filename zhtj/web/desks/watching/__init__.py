"""Transfers watched from the desks: deadlines, exceptions, quality, who waits for a school."""

from zhtj.web.desks.watching import exceptions_register, quality, timers, waits

__all__ = ["exceptions_register", "quality", "timers", "waits"]
