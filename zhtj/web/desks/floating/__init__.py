"""Floating members on the desks."""
