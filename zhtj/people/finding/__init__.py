"""People found: lists, searches, saved views, likely duplicates."""
