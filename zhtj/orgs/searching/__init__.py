"""Organisations found: by name, initials, code, or from an address."""
