"""What several roles do, written once and registered on each role's blueprint; page, address and scope differ."""

from __future__ import annotations

from flask import Blueprint

from zhtj.web.desks import (
    advice,
    applications,
    arrivals,
    bulk,
    cases,
    changes,
    codes,
    decisions,
    evidence,
    exceptions,
    exports,
    files,
    floating,
    graduates,
    imports,
    incoming,
    leftovers,
    letters,
    marking,
    member_entry,
    members,
    messages,
    objections,
    organisations,
    own,
    quality,
    registration,
    runs,
    sheets,
    starting,
    staying,
    timers,
    waits,
    workbench,
)

DESKS = (
    workbench,
    decisions,
    applications,
    changes,
    evidence,
    objections,
    timers,
    cases,
    member_entry,
    members,
    files,
    sheets,
    advice,
    starting,
    incoming,
    graduates,
    registration,
    leftovers,
    exceptions,
    arrivals,
    bulk,
    floating,
    staying,
    organisations,
    own,
    marking,
    runs,
    codes,
    letters,
    imports,
    exports,
    waits,
    quality,
    messages,
)


def register(blueprint: Blueprint) -> None:
    """Add every desk; the permission table decides which of them a role may use."""
    for desk in DESKS:
        desk.register(blueprint)
