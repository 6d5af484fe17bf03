"""The season on the desks: marks, graduates, destinations."""

from zhtj.web.desks.graduation import graduates, leftovers, liaisons, marking, registration

__all__ = ["graduates", "leftovers", "liaisons", "marking", "registration"]
