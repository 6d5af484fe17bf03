"""Kinds of cases about an organisation: its mark, its flag, or that it is missing."""
