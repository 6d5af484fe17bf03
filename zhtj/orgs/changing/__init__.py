"""Organisations built, changed and moved."""
