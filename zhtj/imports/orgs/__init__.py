"""Files of organisations (团组织)."""
