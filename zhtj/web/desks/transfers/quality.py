"""去向质量: where the season's graduates go, judged by the destination table; each figure leads to its applications."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from flask import Blueprint, render_template, request, url_for

from zhtj.kernel import clock
from zhtj.kernel.permissions import Permission
from zhtj.policy.vocabulary import Destination, Level, Place, Reason
from zhtj.transfers.watching import quality as judging
from zhtj.transfers.watching.quality import Cut
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, own_organisation, page_links

Word = TypeVar("Word", bound=StrEnum)


@requires(Permission.QUALITY)
def quality() -> str:
    """Counts by verdict, reason and kind of destination; what is doubtful first."""
    season = clock.today().year
    found = judging.report(current_seat(), season)
    return render_template(
        "desks/watching/quality.html",
        organisation=own_organisation(),
        report=found,
        levels=list(Level),
        columns=[*({"label": level.label, "n": True} for level in Level), {"label": "合计", "n": True}],
        cut=Cut,
        to=_address,
        as_of=clock.now(),
    )


@requires(Permission.QUALITY)
def quality_list() -> str:
    """The applications behind one figure."""
    season, cut = clock.today().year, read_cut()
    found = judging.report(current_seat(), season)
    page = judging.listing(current_seat(), season, cut, known=found, **cursors())
    return render_template(
        "desks/watching/quality_list.html",
        cut=cut,
        rows=page.rows,
        total=found.count(cut),
        links=page_links(page, ".quality_list", **cut.arguments()),
        as_of=clock.now(),
    )


def read_cut() -> Cut:
    """The part that an address names; unknown words count as unsaid."""
    return Cut(_word(Level, "level"), _word(Reason, "reason"), _word(Destination, "kind"), _word(Place, "place"))


def _word(kind: type[Word], name: str) -> Word | None:
    text = request.args.get(name, "")
    return kind(text) if text in set(kind) else None


def _address(cut: Cut) -> str:
    return url_for(".quality_list", **cut.arguments())  # type: ignore[arg-type]  # names of the address alone


def register(blueprint: Blueprint) -> None:
    """Add the desk to a role."""
    blueprint.add_url_rule("/quality", "quality", quality)
    blueprint.add_url_rule("/quality/list", "quality_list", quality_list)
