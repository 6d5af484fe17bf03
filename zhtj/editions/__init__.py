"""The dry run of an edition: what would be decided, advised, counted or said otherwise if a layer held (PD-62)."""
