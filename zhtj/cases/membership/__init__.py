"""What decisions do to a member's record: archived, merged, corrected, certified, proposed for leaving."""
