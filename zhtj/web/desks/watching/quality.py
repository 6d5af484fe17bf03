"""去向质量: where the season's graduates go, judged by the destination table; each figure leads to its applications."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from flask import render_template, request, url_for

from zhtj.kernel import clock
from zhtj.kernel.permissions import Permission
from zhtj.policy.vocabulary import Destination, PlaceTie, Reason, Suitability
from zhtj.transfers.watching import quality as judging
from zhtj.transfers.watching.quality import Cut
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, own_organisation, page_links

Word = TypeVar("Word", bound=StrEnum)


@routes.desk.get("/quality")
@requires(Permission.QUALITY)
def quality() -> str:
    """Counts by verdict, reason and kind of destination; what is doubtful first."""
    season = clock.today().year
    found = judging.report(current_seat(), season)
    return render_template(
        "desks/watching/quality.html",
        organisation=own_organisation(),
        report=found,
        levels=list(Suitability),
        columns=[*({"label": level.label, "n": True} for level in Suitability), {"label": "合计", "n": True}],
        cut=Cut,
        to=_address,
        as_of=clock.now(),
    )


@routes.desk.get("/quality/list")
@requires(Permission.QUALITY)
def quality_list() -> str:
    """The applications behind one figure."""
    season, cut = clock.today().year, read_cut()
    found = judging.report(current_seat(), season)
    page = judging.listing(current_seat(), season, cut, known=found).page(**cursors())
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
    return Cut(
        _word(Suitability, "level"), _word(Reason, "reason"), _word(Destination, "kind"), _word(PlaceTie, "place")
    )


def _word(kind: type[Word], name: str) -> Word | None:
    text = request.args.get(name, "")
    return kind(text) if text in set(kind) else None


def _address(cut: Cut) -> str:
    return url_for(".quality_list", **cut.arguments())  # type: ignore[arg-type]  # names of the address alone
