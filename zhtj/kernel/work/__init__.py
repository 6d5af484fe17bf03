"""Work outside the request: the queue, long tasks, periods of the schedule, what leaves the house."""
