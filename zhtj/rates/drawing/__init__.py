"""The curve, its forecast and the map as drawings."""
