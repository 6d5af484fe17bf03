"""去向指引图 for everybody: drawn from this season's destination table, on the page and to print (H-11)."""

from __future__ import annotations

from functools import lru_cache

from flask import Response, make_response, render_template

from zhtj.kernel import clock
from zhtj.letters.printing import chart as charts
from zhtj.letters.printing import forms
from zhtj.orgs.policies import national_policy
from zhtj.web import routes
from zhtj.web.access import public


@routes.public.get("/help/chart")
@public
def direction_chart() -> str:
    """The chart, and below it the same in words with its rules."""
    policy = national_policy()
    return render_template(
        "public/direction.html", chart=charts.chart(policy), season=clock.today().year, source=policy.basis
    )


@routes.public.get("/help/chart.svg")
@public
def direction_chart_svg() -> Response:
    """The chart alone, as a picture: black on white, as on paper."""
    drawn = charts.chart(national_policy())
    picture = render_template("letters/_direction.html", chart=drawn, face="sans-serif", ground=True)
    return Response(picture, mimetype="image/svg+xml")


@routes.public.get("/help/chart.pdf")
@public
def direction_chart_pdf() -> Response:
    """The chart on one A4 page; printed once a season and process."""
    response = make_response(_pdf(clock.today().year))
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = 'inline; filename="direction-chart.pdf"'
    return response


@lru_cache(maxsize=2)
def _pdf(season: int) -> bytes:
    policy = national_policy()
    return forms.direction_chart(charts.chart(policy), season, policy.basis)
