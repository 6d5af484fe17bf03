"""Rosters of members (团员花名册)."""
