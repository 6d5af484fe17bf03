"""Transfers on the desks: decide, start, watch."""
