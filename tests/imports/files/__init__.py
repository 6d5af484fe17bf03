"""From an upload to plain rows."""
