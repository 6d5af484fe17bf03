"""What must hold whatever has happened: the figures are the oracle's, and every way to ask for them says the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import select

from tests.rates.counting.oracle import Oracle
from zhtj import doctor
from zhtj.kernel.database import session
from zhtj.orgs.models import Organisation
from zhtj.rates import queries
from zhtj.rates.counting import recount
from zhtj.rates.drawing import curve
from zhtj.rates.rules import FIGURES, Figures, RateKind

Days = Sequence[date | None]
KEYS = (*queries.SETS, *(f"{kind}.{part}" for kind in RateKind for part in queries.PARTS))


def everywhere(season: int, days: Days = (None,)) -> Oracle:
    """Every organisation has the figures of the oracle, on each of these days."""
    oracle = Oracle()
    for path, number, name in session.execute(select(Organisation.path, Organisation.id, Organisation.short_name)):
        for day in days:
            assert queries.figures(path, season, day) == oracle.figures(number, season, day), (name, day)
    return oracle


def people(oracle: Oracle, organisations: Iterable[Organisation], season: int, days: Days = (None,)) -> None:
    """Behind every figure and rate stand exactly the oracle's people, and as many as the figure says (PD-25)."""
    for one in organisations:
        for day in days:
            figures = queries.figures(one.path, season, day)
            for key in KEYS:
                rows = [each.row_id for each in session.scalars(queries.behind(one.path, season, key, day))]
                assert len(rows) == len(set(rows)) == _told(figures, key), (one.short_name, key, day)
                assert set(rows) == oracle.behind(one.id, season, key, day), (one.short_name, key, day)


def _told(figures: Figures, key: str) -> int:
    if key in queries.SETS:
        return sum(getattr(figures, name) for name in queries.SETS[key])
    name, _, part = key.partition(".")
    rate = RateKind(name).of(figures)
    return {
        "numerator": rate.numerator,
        "denominator": rate.denominator,
        "missing": rate.denominator - rate.numerator,
    }[part]


def children(oracle: Oracle, organisations: Iterable[Organisation], season: int, days: Days = (None,)) -> None:
    """The table of children: each has its own figures, and together they hold everybody who graduated here."""
    for one in organisations:
        for day in days:
            lines = queries.by_child(one, season, day)
            covered: set[int] = set()
            for line in lines:
                where = (one.short_name, line.organisation.short_name, day)
                here = _here(oracle, one.id, line.organisation.id, season, day)
                if line.moved_out:
                    assert line.figures == Figures(**{name: len(rows) for name, rows in here.items()}), where
                else:
                    assert line.figures == queries.figures(line.organisation.path, season, day), where
                covered |= here["further_study"] | here["society"]
            own = oracle.people(one.id, season, day)
            assert one.is_branch or covered == own["further_study"] | own["society"], (one.short_name, day)


def _here(oracle: Oracle, above: int, child: int, season: int, day: date | None) -> Mapping[str, set[int]]:
    """What an organisation counts that stood here when it counted."""
    homes = {each.row for each in oracle.everybody(season, day) if above in each.home}
    goals = {each.row for each in oracle.everybody(season, day) if above in each.goal}
    people = oracle.people(child, season, day)
    return {name: people[name] & (goals if name.startswith("incoming") else homes) for name in FIGURES}


def curves(oracle: Oracle, organisations: Iterable[Organisation], season: int) -> None:
    """The curve goes through the figures of each day, from the first on which anybody counts."""
    recount.recount()
    for one in organisations:
        points = curve.by_day(one, season)
        for day, figures in points:
            assert figures == oracle.figures(one.id, season, day), (one.short_name, day)
        assert [day for day, _ in points] == sorted({day for day, _ in points})


def healthy() -> None:
    """The doctor finds nothing, and counting anew changes nothing."""
    broken = [finding for finding in doctor.examine() if finding.broken]
    assert broken == []
    found = recount.recount()
    assert (found.standings, found.places) == (0, 0)
