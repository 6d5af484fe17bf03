"""Cases on the desks."""
