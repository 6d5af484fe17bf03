"""What a member asks of his organisations himself: a correction, a statement (PD-34)."""

from __future__ import annotations

from flask import Blueprint

from zhtj.web.desks.cases import cases
from zhtj.web.desks.letters import forms as letter_forms


def register(blueprint: Blueprint) -> None:
    """Add the pages; what he sees is his own."""
    cases.register_own(blueprint)
    letter_forms.register(blueprint)
