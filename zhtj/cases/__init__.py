"""Cases (事项): whatever is asked of a level above climbs one line, is decided, takes effect."""
