"""Floating members on the desks."""

from zhtj.web.desks.floating import floating

__all__ = ["floating"]
