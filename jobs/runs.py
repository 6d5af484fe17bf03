"""Work on many lines as a job (PD-23)."""

from __future__ import annotations

from zhtj.kernel.work import queue as work_queue
from zhtj.transfers.many import runs


def work_off(number: int) -> bool:
    """Do the next lines of a run, then queue up again behind the others for the rest. Returns whether it is done."""
    done = runs.work_off(number)
    if not done and runs.RUNS.count_open(number):
        work_queue.enqueue(runs.JOB, number)
    return done
