"""Batches of letters as jobs: their numbers, then their files (L-09, PD-27)."""

from __future__ import annotations

from zhtj.kernel.work import queue as work_queue
from zhtj.letters.many import letter_batches
from zhtj.letters.many import print_files as batch_files


def issue(number: int) -> bool:
    """Number the next letters of a batch, then queue up again behind the others for the rest. Returns whether done."""
    done = letter_batches.issue(number)
    if not done and letter_batches.is_open(number):
        work_queue.enqueue(letter_batches.ISSUE_JOB, number)
    return done


def print_file(number: int, position: int) -> bool:
    """Print one file of a batch. Returns whether it was this call that did."""
    return batch_files.print_file(number, position)
