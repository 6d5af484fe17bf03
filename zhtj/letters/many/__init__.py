"""Letters for hundreds at once: picked, numbered, printed in files (L-09)."""
