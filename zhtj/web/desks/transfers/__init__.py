"""Transfers on the desks: decide, start, receive."""

from zhtj.web.desks.transfers import (
    advice,
    applications,
    arrivals,
    changes,
    decisions,
    evidence,
    incoming,
    objections,
    starting,
)

__all__ = [
    "advice",
    "applications",
    "arrivals",
    "changes",
    "decisions",
    "evidence",
    "incoming",
    "objections",
    "starting",
]
