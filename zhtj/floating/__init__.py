"""Who stays or waits: retained graduates, students abroad, floating members - where, until when, last heard of."""
