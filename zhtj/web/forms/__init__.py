"""Form fields that more than one page uses."""
