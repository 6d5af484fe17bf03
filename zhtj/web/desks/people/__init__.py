"""Members, posts and codes on the desks."""
