"""The same for many at once: starting, deciding, a result a line (PD-23)."""
