"""What is made of the figures: ranking, notice, statistics, what stands still."""
