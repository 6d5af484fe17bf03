"""通报: a season's progress as a paper, to look at and to take along as PDF (M-14)."""

from __future__ import annotations

from flask import Response, make_response, request

from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.letters.printing import forms
from zhtj.letters.printing.fonts import FAMILY
from zhtj.rates.drawing import charts, season_progress
from zhtj.rates.reports import notice as notices
from zhtj.rates.reports.notice import RankingChoice
from zhtj.rates.reports.ranking import RankingLevel
from zhtj.rates.rules import RateKind
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.desks.rates import asked as frame
from zhtj.web.desks.rates import ranking
from zhtj.web.desks.rates.asked import AskedRates


@routes.desk.get("/rates/notice", endpoint="rates_notice")
@requires(Permission.RATES)
def notice() -> str:
    """The paper as a page, with the choice of what it ranks."""
    asked, chosen = frame.read(request.args), ranking.read(request.args)
    paper, problem = None, ""
    try:
        paper = notices.write(asked.organisation, asked.season, asked.day, _choice(chosen))
    except DomainError as error:
        problem = str(error)
    found = season_progress.of(asked.organisation, asked.season, chosen.kind, asked.day)
    return frame.page(
        "rates/notice.html",
        asked,
        "rates_ranking",
        paper=paper,
        problem=problem,
        choice=chosen,
        kinds=[(kind.value, kind.label) for kind in RateKind],
        levels=[(level.value, level.label) for level in RankingLevel],
        drawings=[charts.svg(found.curve, size) for size in (charts.WIDE, charts.NARROW)] if found.rows else [],
        pdf=asked.link("rates_notice_pdf", **chosen.kept()),
    )


def _choice(chosen: ranking.AskedRanking) -> RankingChoice:
    return RankingChoice(chosen.kind, chosen.level, chosen.minimum, chosen.target)


@routes.desk.get("/rates/notice.pdf", endpoint="rates_notice_pdf")
@requires(Permission.RATES)
def notice_pdf() -> Response:
    """The same to print."""
    asked, chosen = frame.read(request.args), ranking.read(request.args)
    for problem in (asked.problem, chosen.problem):
        if problem is not None:
            raise problem
    paper = notices.write(asked.organisation, asked.season, asked.day, _choice(chosen))
    response = make_response(forms.bulletin(paper.title, paper.texts(), paper, _curve(asked, chosen.kind)))
    response.mimetype = "application/pdf"
    response.headers.set("Content-Disposition", "attachment", filename=f"{paper.title}.pdf")
    return response


def _curve(asked: AskedRates, kind: RateKind) -> str:
    found = season_progress.of(asked.organisation, asked.season, kind, asked.day)
    return charts.svg(found.curve, charts.WIDE, font=FAMILY) if found.rows else ""
