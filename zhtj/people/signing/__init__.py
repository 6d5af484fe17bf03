"""Accounts, passwords, codes: how somebody comes in."""
