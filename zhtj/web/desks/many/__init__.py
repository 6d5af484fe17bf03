"""Many transfers at once on the desks: decide the ticked ones, start from a list."""

from zhtj.web.desks.many import bulk, runs

__all__ = ["bulk", "runs"]
