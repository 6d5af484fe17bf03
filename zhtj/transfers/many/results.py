"""What became of one line of many: done, or why not and the way out (PD-23)."""

from __future__ import annotations

from dataclasses import dataclass

from zhtj.kernel.errors import DomainError


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one line.

    Args:
        ok: whether it was done.
        text: what happened, or why not; one sentence.
        fix: the way out.
        application_id: the application decided or started.
    """

    ok: bool
    text: str
    fix: str = ""
    application_id: int | None = None

    @classmethod
    def refusal(cls, error: DomainError, application_id: int | None = None) -> Result:
        """Why a line was not done."""
        return cls(False, error.message, error.fix, application_id)
