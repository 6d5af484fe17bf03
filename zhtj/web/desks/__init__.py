"""What several roles do, written once: ``routes.desk`` stands in each committee's workbench."""

from zhtj.web.desks import (
    cases,
    editions,
    exports,
    floating,
    graduation,
    identity,
    imports,
    letters,
    many,
    messages,
    orgs,
    people,
    rates,
    transfers,
    watching,
    workbench,
)

__all__ = [
    "cases",
    "editions",
    "exports",
    "floating",
    "graduation",
    "identity",
    "imports",
    "letters",
    "many",
    "messages",
    "orgs",
    "people",
    "rates",
    "transfers",
    "watching",
    "workbench",
]
