"""Organisations on the desks."""
