"""The five rates of an organisation and of each child; every figure leads to the people behind it (PD-25, PD-26)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from zhtj.graduation import mark_changes
from zhtj.graduation.models import CloseReason
from zhtj.kernel import clock, dates
from zhtj.kernel.permissions import Permission
from zhtj.orgs.models import Organisation
from zhtj.policy.model import Policy
from zhtj.rates import explain, organisation_moves, queries, uncounted
from zhtj.rates.explain import Deadlines, Explanation
from zhtj.rates.queries import Child
from zhtj.rates.reports import targets
from zhtj.rates.reports.targets import Target
from zhtj.rates.rules import Figures, Rate, RateKind
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.desks.rates import asked as frame
from zhtj.web.desks.rates.asked import AskedRates
from zhtj.web.desks.rates.drill_down import people_of

SORTS = (*RateKind, "graduates", "unregistered")
HIDDEN = 300
"""Names of children without graduates on one page; there can be thousands."""


@dataclass(frozen=True, slots=True)
class ShownRate:
    """One rate on the page.

    Args:
        missing: who is in the denominator and not in the numerator.
        closing: how many of them close the target; None without one.
    """

    kind: RateKind
    rate: Rate
    target: Target | None
    words: Sequence[Explanation]

    @property
    def missing(self) -> int:
        """Who is in the denominator and not in the numerator."""
        return self.rate.denominator - self.rate.numerator

    @property
    def closing(self) -> int | None:
        """How many more close the target (PD-26); None without one."""
        return self.rate.missing(self.target.percent) if self.target else None


@routes.desk.get("/rates", endpoint="rates")
@requires(Permission.RATES)
def overview() -> str:
    """The page everybody starts from; a branch shows its people."""
    asked = frame.read(request.args)
    here = asked.organisation
    figures, children = queries.with_children(here, asked.season, asked.day)
    wanted = targets.read(asked.season)
    sort = request.args.get("sort", "")
    return frame.page(
        "rates/overview.html",
        asked,
        "rates",
        figures=figures,
        rates=[
            ShownRate(kind, kind.of(figures), wanted.of(here).get(kind), explain.DEFINED[kind]) for kind in RateKind
        ],
        responsible=responsible(wanted.policy(here), asked),
        closed=uncounted.by_reason(here.path, asked.season, asked.day),
        late=uncounted.how_many(uncounted.late(here.path, asked.season)) if asked.is_over else 0,
        taken_over=0 if here.is_leading else _taken_over(here, asked),
        moved=organisation_moves.of(here),
        mark_changes=mark_changes.of(here.path, asked.season),
        children=in_order([child for child in children if child.figures], sort),
        hidden=[child.organisation for child in children if not child.figures],
        hidden_shown=HIDDEN,
        columns=columns(asked, sort),
        sort=sort,
        kinds=list(RateKind),
        reasons=list(CloseReason),
        people=people_of(asked, "everyone") if not children else None,
        nothing=nothing_words(asked, figures),
    )


def _taken_over(here: Organisation, asked: AskedRates) -> int:
    """How many on their way to a township the county took over (PD-58)."""
    return uncounted.how_many(uncounted.taken_over(here.path, asked.season, asked.day))


def responsible(policy: Policy | None, asked: AskedRates) -> Explanation | None:
    """Who is responsible on the day that is shown, while the season runs (M-17)."""
    if policy is None or asked.is_over:
        return None
    deadlines = Deadlines(policy.initiate_target, policy.society_end, policy.further_study_end)
    return explain.responsible(deadlines, asked.day or clock.today())


def nothing_words(asked: AskedRates, figures: Figures) -> str:
    """Why there is nothing to see, where there is nothing; else ""."""
    if figures:
        return ""
    known = queries.seasons()
    if asked.season not in known:
        return f"系统中没有 {asked.season} 届的数据。"
    when = f"截至 {dates.in_year(asked.day, asked.season)}，" if asked.day else ""
    return f"{when}本组织没有 {asked.season} 届的毕业生，也没有人申请转入。"


def in_order(children: Sequence[Child], sort: str) -> list[Child]:
    """Sorted by a rate or a count, the highest first with a minus; 0/0 last; else in the order of the tree."""
    name = sort.removeprefix("-")
    if name not in SORTS:
        return list(children)
    known = [(value, child) for child in children if (value := _value(child, name)) is not None]
    known.sort(key=lambda pair: pair[0], reverse=sort.startswith("-"))
    return [*(child for _, child in known), *(child for child in children if _value(child, name) is None)]


def _value(child: Child, name: str) -> Any:
    return RateKind(name).of(child.figures).value if name in set(RateKind) else getattr(child.figures, name)


def columns(asked: AskedRates, sort: str) -> list[Any]:
    """Heads of the table of children, each sorting by itself: the highest first, then the lowest."""
    labels = {**{kind.value: kind.label for kind in RateKind}, "graduates": "毕业生", "unregistered": "未登记"}
    found: list[Any] = [{"label": "组织", "sort": asked.link("rates", sort=None)} if sort else "组织"]
    for name, label in labels.items():
        is_down = sort == f"-{name}"
        order = {f"-{name}": "descending", name: "ascending"}.get(sort)
        link = asked.link("rates", sort=name if is_down else f"-{name}") + "#children"
        found.append({"label": label, "n": True, "sort": link, "sorted": order})
    return found
