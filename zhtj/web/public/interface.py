"""数据接口说明: what a school's data centre can read, and how (PD-25)."""

from __future__ import annotations

from flask import render_template

from zhtj.kernel import clock
from zhtj.rates import access_tokens, queries
from zhtj.rates.rules import FIGURES, RateKind
from zhtj.transfers.workflow import State
from zhtj.web import api, routes
from zhtj.web.access import public


@routes.public.get("/help/interface")
@public
def interface_help() -> str:
    """The addresses, their arguments and answers."""
    return render_template(
        "public/interface.html",
        season=clock.today().year,
        rates=list(RateKind),
        figures=[(name, queries.LABELS[name]) for name in FIGURES],
        sets=[(name, queries.LABELS[name]) for name in queries.SETS if name not in FIGURES],
        states=list(State),
        per_minute=access_tokens.PER_MINUTE.times,
        usual=api.USUAL,
        most=api.MOST,
    )
