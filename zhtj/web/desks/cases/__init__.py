"""Cases on the desks."""

from zhtj.web.desks.cases import cases, staying

__all__ = ["cases", "staying"]
