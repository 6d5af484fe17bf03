"""Transfers (组织关系转接): the application from submission to its end."""
