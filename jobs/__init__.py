"""Background work: the worker, the schedule and thin jobs that call operations."""
