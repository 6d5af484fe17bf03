"""A worker that sweeps in small chunks, so that one can get between."""

from __future__ import annotations

from app import app
from jobs import worker
from zhtj.transfers.watching import sweeps

if __name__ == "__main__":
    sweeps.CHUNK = 25
    worker.run(app)
