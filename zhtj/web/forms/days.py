"""Days and months as forms send them."""

from __future__ import annotations

from datetime import date

from flask import request

from zhtj.kernel.errors import DomainError


def day_in(field: str, *, rule: str = "") -> date | None:
    """The day in a field of the form; None where it is empty. Raises DomainError for anything else."""
    text = request.form.get(field, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise _no_day(field, rule) from error


def needed_day_in(field: str, *, rule: str = "") -> date:
    """The same where a day is needed. Raises DomainError where it is empty."""
    found = day_in(field, rule=rule)
    if found is None:
        raise _no_day(field, rule)
    return found


def month_of(text: str, *, field: str = "month", rule: str = "G-03") -> date | None:
    """A month as a form sends it, as its first day; None if empty. Raises DomainError for anything else."""
    text = text.strip()
    try:
        return date.fromisoformat(f"{text}-01") if text else None
    except ValueError as error:
        raise DomainError("请填写年份和月份，如 2026-06。", field=field, rule=rule) from error


def _no_day(field: str, rule: str) -> DomainError:
    return DomainError("日期请按 2026-10-14 的样子填写。", field=field, rule=rule)
