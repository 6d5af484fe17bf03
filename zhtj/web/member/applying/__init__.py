"""Applying on the phone, one question a page."""
