"""Letters on the desks."""

from zhtj.web.desks.letters import batches, forms, issuing, lists, settings

__all__ = ["batches", "forms", "issuing", "lists", "settings"]
