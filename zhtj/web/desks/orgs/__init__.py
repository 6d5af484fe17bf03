"""Organisations on the desks."""

from zhtj.web.desks.orgs import children, organisations, own, tree

__all__ = ["children", "organisations", "own", "tree"]
