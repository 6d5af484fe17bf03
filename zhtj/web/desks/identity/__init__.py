"""Identity and files on the desks."""

from zhtj.web.desks.identity import files, registration_sheets

__all__ = ["files", "registration_sheets"]
