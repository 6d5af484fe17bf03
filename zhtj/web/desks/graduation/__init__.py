"""The season on the desks: marks, graduates, destinations."""
