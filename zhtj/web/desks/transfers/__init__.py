"""Transfers on the desks: decide, start, watch."""

from zhtj.web.desks.transfers import (
    advice,
    applications,
    arrivals,
    bulk,
    changes,
    decisions,
    evidence,
    exceptions_register,
    incoming,
    objections,
    quality,
    runs,
    starting,
    timers,
    waits,
)

__all__ = [
    "advice",
    "applications",
    "arrivals",
    "bulk",
    "changes",
    "decisions",
    "evidence",
    "exceptions_register",
    "incoming",
    "objections",
    "quality",
    "runs",
    "starting",
    "timers",
    "waits",
]
