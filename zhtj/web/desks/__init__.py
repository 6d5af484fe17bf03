"""What several roles do, written once and registered on each role's blueprint; page, address and scope differ."""

from __future__ import annotations

from flask import Blueprint

from zhtj.web.desks import exports, imports, messages, rates, workbench
from zhtj.web.desks.cases import cases, staying
from zhtj.web.desks.floating import floating
from zhtj.web.desks.graduation import graduates, leftovers, liaisons, marking, registration
from zhtj.web.desks.identity import files, registration_sheets
from zhtj.web.desks.letters import batches as letter_batches
from zhtj.web.desks.letters import forms as letter_forms
from zhtj.web.desks.letters import issuing as letters
from zhtj.web.desks.letters import lists as letter_lists
from zhtj.web.desks.letters import settings as letter_settings
from zhtj.web.desks.orgs import children, organisations, own, tree
from zhtj.web.desks.people import codes, duplicates, members, posts, proposals
from zhtj.web.desks.people import entry as member_entry
from zhtj.web.desks.transfers import (
    advice,
    applications,
    arrivals,
    bulk,
    changes,
    decisions,
    evidence,
    exceptions,
    incoming,
    objections,
    quality,
    runs,
    starting,
    timers,
    waits,
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
    duplicates,
    proposals,
    members,
    files,
    registration_sheets,
    advice,
    starting,
    incoming,
    graduates,
    registration,
    leftovers,
    liaisons,
    exceptions,
    arrivals,
    bulk,
    floating,
    staying,
    organisations,
    own,
    children,
    posts,
    tree,
    marking,
    runs,
    codes,
    letters,
    letter_lists,
    letter_batches,
    letter_settings,
    letter_forms,
    imports,
    exports,
    waits,
    quality,
    rates,
    messages,
)


def register(blueprint: Blueprint) -> None:
    """Add every desk; the permission table decides which of them a role may use."""
    for desk in DESKS:
        desk.register(blueprint)
