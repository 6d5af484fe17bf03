"""Breaks the decisions one at a time and sees whether a test notices: ``python -m tests.mutation``."""
