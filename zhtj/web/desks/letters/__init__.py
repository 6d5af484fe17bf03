"""Letters on the desks."""

from zhtj.web.desks.letters import forms, issuing, letter_batches, lists, settings

__all__ = ["forms", "issuing", "letter_batches", "lists", "settings"]
