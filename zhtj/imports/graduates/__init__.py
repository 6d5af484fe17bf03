"""Files about a season's graduates: destinations, F-01, whom to start for."""
