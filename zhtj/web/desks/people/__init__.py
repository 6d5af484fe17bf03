"""Members, posts and codes on the desks."""

from zhtj.web.desks.people import codes, duplicates, entry, members, posts, proposals

__all__ = ["codes", "duplicates", "entry", "members", "posts", "proposals"]
