"""Whether a record can become a letter: its own problems, and characters the typeface lacks."""

from __future__ import annotations

from collections.abc import Sequence

from zhtj.kernel.errors import DomainError
from zhtj.letters.printing.fonts import missing_glyphs
from zhtj.letters.record import LetterRecord, RecordProblem, problems


def check(record: LetterRecord) -> None:
    """Raise DomainError with everything that keeps the record from becoming a letter."""
    _raise([*problems(record), *missing_glyphs(record)], record)


def check_glyphs(record: LetterRecord) -> None:
    """Raise DomainError if a character of an issued letter cannot be drawn; later rules do not touch it any more."""
    _raise(missing_glyphs(record), record)


def _raise(found: Sequence[RecordProblem], record: LetterRecord) -> None:
    """All problems as one error, with the field and the rule of the first."""
    if not found:
        return
    sentences = "".join(dict.fromkeys(problem.message for problem in found))
    raise DomainError(
        f"{record.name or '该团员'}的介绍信：{sentences}",
        fix="".join(dict.fromkeys(problem.fix for problem in found)),
        field=found[0].field,
        rule=found[0].rule,
    )
