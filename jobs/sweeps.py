"""The timed work of all rooms as jobs."""

from __future__ import annotations

from zhtj import sweeps


def run_sweep(name: str) -> dict[str, int]:
    """Do what is due now in the sweep ``name``; safe to run twice and at once (PD-36).

    Returns:
        Counts of found, done, skipped and failed.
    """
    return sweeps.run(name).as_dict()
