"""``flask rates``: the five rates of an organisation, as text or as one JSON document (M-01, M-02, M-05 … M-07)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import NoReturn

import click
from flask import Flask

from zhtj.kernel import clock
from zhtj.kernel.command_line import WRONG_USE
from zhtj.kernel.sql import replica
from zhtj.orgs import queries as orgs
from zhtj.orgs.models import Organisation
from zhtj.rates import queries
from zhtj.rates.reports import documents
from zhtj.rates.rules import Figures, RateKind


def register(app: Flask) -> None:
    """Add the command."""
    app.cli.add_command(rates_command)


@click.command("rates", short_help="五项指标")
@click.option("--season", type=int, required=True, help="届别，如 2026")
@click.option("--org", "organisation", required=True, help="组织编码或组织全称")
@click.option("--at", "day", metavar="DATE", help="截至哪一天结束时，如 2026-09-30；默认现在")
@click.option("--by-child", is_flag=True, help="同时列出每个下级组织")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def rates_command(season: int, organisation: str, day: str | None, *, by_child: bool, as_json: bool) -> None:
    """一个组织一届毕业生团员的五项指标，含分子和分母."""
    found, asked = _organisation(organisation), _day(day)
    documents.check_season(season)
    asked = queries.check_day(season, asked)
    document = documents.overview(found, season, asked)
    if by_child:
        document["children"] = documents.children(found, season, asked)
    _remark(found)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    figures = Figures(**document["figures"])
    click.echo(f"{found.full_name}\t{season} 届\t截至 {_moment(season, asked)}")
    for kind in RateKind:
        rate = kind.of(figures)
        click.echo(f"{kind.label}\t{rate}\t{rate.numerator}/{rate.denominator}")
    if by_child:
        click.echo("\t".join(("组织编码", "组织", *(kind.label for kind in RateKind))))
        for child in document["children"]:
            click.echo("\t".join((*child["organisation"].values(), *_cells(Figures(**child["figures"])))))


def _cells(figures: Figures) -> Sequence[str]:
    found = [kind.of(figures) for kind in RateKind]
    return [f"{rate} ({rate.numerator}/{rate.denominator})" for rate in found]


def _moment(season: int, day: date | None) -> str:
    if day is not None or season < clock.today().year:
        return f"{day or date(season, 12, 31):%Y-%m-%d} 24:00"
    return f"{clock.local(documents.as_of(season, day)):%Y-%m-%d %H:%M}"


def _organisation(words: str) -> Organisation:
    found = orgs.by_code_or_name(words)
    if found is None:
        _fail(f"没有编码或全称为“{words}”的组织。")
    return found


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        _fail(f"看不懂日期“{text}”，请写成 2026-09-30")


def _remark(organisation: Organisation) -> None:
    """What explains figures that are not as one expects them."""
    if replica.is_away():
        click.echo("报表备库连不上，以下数据取自主库。", err=True)
    if organisation.closed_at is not None:
        closed = clock.local(organisation.closed_at)
        click.echo(f"{organisation.full_name}已于 {closed:%Y-%m-%d} 停用，以下是其名下的数据。", err=True)
    if len(queries.area(organisation.path)) > 1:
        click.echo(f"{organisation.full_name}迁移过，以下含其在原上级名下的数据。", err=True)


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(WRONG_USE)
