"""Cases on the desks."""

from zhtj.web.desks.cases import cases, hearings, staying

__all__ = ["cases", "hearings", "staying"]
