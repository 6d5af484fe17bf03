"""Letters on the desks."""
