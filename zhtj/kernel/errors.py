"""Errors that a person reads: what is wrong, and how to put it right."""

from __future__ import annotations


class DomainError(Exception):
    """A rule forbids what was asked.

    Args:
        message: the sentence shown to the user.
        fix: what he can do about it.
        field: the form field it belongs to, if one.
        rule: ID in the rulebook.
    """

    status = 422

    def __init__(self, message: str, *, fix: str = "", field: str | None = None, rule: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.field = field
        self.rule = rule

    def __str__(self) -> str:
        return f"{self.message}{self.fix}"


class Conflict(DomainError):  # noqa: N818 - named as the status is
    """Someone else was first, or the page is stale."""

    status = 409


class Forbidden(DomainError):  # noqa: N818 - named as the status is
    """The active seat may not do this."""

    status = 403

    def __init__(self, message: str = "当前任职没有办理此事的权限。", **details: str) -> None:
        super().__init__(message, **details)


class NotFound(DomainError):  # noqa: N818 - named as the status is
    """Outside one's part of the tree, or not there at all: which of the two is not revealed."""

    status = 404

    def __init__(self, message: str = "没有找到，或不在您的管理范围内。", **details: str) -> None:
        super().__init__(message, **details)


class Gone(DomainError):  # noqa: N818 - named as the status is
    """It was there, and its time is over."""

    status = 410


class TooMany(DomainError):  # noqa: N818 - named as the status is
    """Asked too often.

    Args:
        message: the sentence shown to the user.
        retry_after: seconds until the next attempt is allowed.
    """

    status = 429

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
