"""A letter as paper: the whole of it for the committee, slips two and three for the member."""

from __future__ import annotations

from zhtj.letters import seals
from zhtj.letters.models import Letter
from zhtj.letters.printing.render import render_letter


def pdf(letter: Letter, *, site: str, with_stub: bool = True) -> bytes:
    """An issued letter with the seal it was issued with.

    Args:
        letter: which.
        site: address of this installation (PD-29).
        with_stub: False for the member's copy (L-05).
    """
    seal = seals.pictures({letter.seal_id}).get(letter.seal_id) if letter.seal_id is not None else None
    # L-05: slip one stays with the out-committee; the member carries two and three.
    return render_letter(letter.record, site=site, seal=seal, with_stub=with_stub)
