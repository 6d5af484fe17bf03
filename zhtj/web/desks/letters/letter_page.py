"""What may still be done with a letter, by whoever looks at it: its issuer, its receiver, its member."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from zhtj.kernel.errors import DomainError
from zhtj.letters.models import CardSide, Letter
from zhtj.letters.queries import Validity

SLIP_THREE = ("handler", "phone", "received_on", "file")


@dataclass(frozen=True, slots=True)
class LetterOffer:
    """What is offered on the page of one letter.

    Args:
        may_print: a void one is no longer handed out (L-04).
        may_void: its issuer only.
        awaits_receipt: neither here nor spared by being void.
        takes_receipt, takes_card: the forms that are on the page: slip three (L-31), the member's card (L-30).
    """

    may_print: bool
    may_void: bool
    awaits_receipt: bool
    takes_receipt: bool
    takes_card: bool

    @property
    def fields(self) -> tuple[str, ...]:
        """What can be filled in on the page; errors of other fields lead nowhere."""
        return (
            *(("reason",) if self.may_void else ()),
            *(SLIP_THREE if self.takes_receipt else ()),
            *(("entered_on",) if self.takes_card else ()),
        )

    def leads_to(self, error: DomainError) -> str | None:
        """The field at which ``error`` is mended on this page."""
        return error.field if error.field in self.fields else None

    def opens_receipt(self, error: DomainError | None) -> bool:
        """Whether slip three was sent and came back."""
        return error is not None and error.field in SLIP_THREE


def for_issuer(letter: Letter, entered: Collection[CardSide], *, received: bool, may_issue: bool) -> LetterOffer:
    """What the desk that sees ``letter`` may do.

    Args:
        letter: the letter.
        entered: columns of the member's card that are recorded (L-30).
        received: its receipt is here.
        may_issue: the seat issues letters for this committee.
    """
    counts = not letter.is_void
    return LetterOffer(
        may_print=counts,
        may_void=may_issue and counts,
        awaits_receipt=counts and not received,
        takes_receipt=may_issue and counts and not received,
        takes_card=may_issue and counts and CardSide.OUT not in entered,
    )


def for_receiver(letter: Letter, entered: Collection[CardSide], *, received: bool) -> LetterOffer:
    """What the committee may do to which ``letter`` is addressed: slip three first, then the card (L-29, L-30)."""
    counts = not letter.is_void
    return LetterOffer(
        may_print=False,
        may_void=False,
        awaits_receipt=counts and not received,
        takes_receipt=counts and not received,
        takes_card=counts and received and CardSide.IN not in entered,
    )


@dataclass(frozen=True, slots=True)
class OwnLetter:
    """What a letter asks of the member it is about.

    Args:
        heading: the one thing to know.
        to_hand_in: it has to be brought to its receiver until its last day (L-07).
        to_replace: nobody takes it any more; a new one has to be asked for.
        may_print: its slips two and three are handed out (L-05).
    """

    heading: str
    to_hand_in: bool
    to_replace: bool
    may_print: bool


def for_member(validity: Validity, *, received: bool) -> OwnLetter:
    """What the member does with a letter of this ``validity``; ``received``: its receipt is here."""
    if validity.is_void:
        return OwnLetter("介绍信已作废", to_hand_in=False, to_replace=False, may_print=False)
    if received:
        return OwnLetter("介绍信已送达", to_hand_in=False, to_replace=False, may_print=True)
    if validity.is_lapsed:
        return OwnLetter("介绍信已过有效期", to_hand_in=False, to_replace=True, may_print=True)
    return OwnLetter("请持介绍信去报到", to_hand_in=True, to_replace=False, may_print=True)


@dataclass(frozen=True, slots=True)
class LetterOfApplication:
    """The letter on the page of an application.

    Args:
        newest: the last one issued for it, valid or void.
        may_issue: this seat may issue one now; a valid one has to be made void first (PD-28).
        obstacle: why it may not yet, where waiting helps.
    """

    newest: Letter | None
    may_issue: bool
    obstacle: DomainError | None


def of_application(
    newest: Letter | None, problem: DomainError | None, *, issues: bool, is_open: bool
) -> LetterOfApplication | None:
    """What an application's page says of its letter; None where there is nothing to say.

    Args:
        newest: the last one issued for it.
        problem: why its policy lets none be issued as the application stands.
        issues: the seat issues letters for whom it concerns.
        is_open: the application is still under way, so the problem may pass.
    """
    if newest is None and not issues:
        return None
    wanted = issues and (newest is None or newest.is_void)
    return LetterOfApplication(
        newest=newest,
        may_issue=wanted and problem is None,
        obstacle=problem if wanted and is_open else None,
    )
