"""What the page of history shows: the life of each application, and how each membership began and ended (A-07)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zhtj.people.finding import members as people
from zhtj.people.models import Membership
from zhtj.transfers import lives as transfers
from zhtj.transfers.models import Application
from zhtj.web.rendering import application_progress

BY_TRANSFER = "application:"
HOW = {"import": "录入系统"}


@dataclass(frozen=True, slots=True)
class Life:
    """One application with its timeline, newest step first."""

    application: Application
    steps: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class PastMembership:
    """One membership: where, from when to when, how it began and ended; a transfer is named by its number."""

    membership: Membership
    began: str
    began_by: int | None
    ended: str
    ended_by: int | None


def lives(member_id: int) -> list[Life]:
    """Every application about the member with all its steps."""
    return [
        Life(application, application_progress.history(application)) for application in transfers.of_member(member_id)
    ]


def stays(member_id: int) -> list[PastMembership]:
    """Where the member has been, newest first."""
    return [
        PastMembership(each, *_how(each.began_by), *(_how(each.ended_by) if each.ended_by else ("", None)))
        for each in people.stays(member_id)
    ]


def _how(by: str) -> tuple[str, int | None]:
    """What moved him, in words; the number of the application if it was one."""
    number = by.removeprefix(BY_TRANSFER)
    if by.startswith(BY_TRANSFER) and number.isdecimal():
        return "转接", int(number)
    return HOW.get(by, "组织调整"), None
