"""What runs, what stands still, what falls due, who has arrived: reads and reminders."""
