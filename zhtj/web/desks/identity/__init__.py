"""Identity and files on the desks."""

from zhtj.web.desks.identity import files, sheets

__all__ = ["files", "sheets"]
