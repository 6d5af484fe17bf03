"""``flask cases …``: what climbs to the centre is decided by the operator, who stands for it (O-06)."""

from __future__ import annotations

import json
from typing import Any

import click
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from zhtj.cases import operations
from zhtj.cases.kinds import KINDS, kind_of
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseAction, CaseState
from zhtj.kernel.command_line import NOT_SO
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Organisation, Tier


def register(app: Flask) -> None:
    """Add the group."""
    app.cli.add_command(cases_group)


@click.group("cases")
def cases_group() -> None:
    """事项：查看和办理上报到全国的事项."""


@cases_group.command("list")
@click.option("--kind", type=click.Choice(list(KINDS)), help="只看一种")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def list_command(kind: str | None, *, as_json: bool) -> None:
    """等待全国后台办理的事项."""
    query = (
        select(Case)
        .join(Organisation, Organisation.id == Case.holder_id)
        .where(Organisation.tier == Tier.CENTRE, Case.state == CaseState.WAITING)
        .options(joinedload(Case.raised_org))
    )
    if kind is not None:
        query = query.where(Case.kind == kind)
    found = [_line(case) for case in session.scalars(query.order_by(Case.id))]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for line in found:
        click.echo("\t".join(str(value) for value in line.values()))


def _line(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "kind": case.kind,
        "label": kind_of(case.kind).label,
        "title": case.title,
        "raised_by": case.raised_org.code,
    }


@cases_group.command("approve")
@click.argument("numbers", nargs=-1, required=True, type=int)
def approve_command(numbers: tuple[int, ...]) -> None:
    """同意这些事项，随即生效."""
    _decide(numbers, CaseAction.APPROVE)


@cases_group.command("refuse")
@click.argument("numbers", nargs=-1, required=True, type=int)
@click.option("--why", required=True, help="原因，提出的一方会看到")
def refuse_command(numbers: tuple[int, ...], why: str) -> None:
    """不同意这些事项."""
    _decide(numbers, CaseAction.REFUSE, why)


def _decide(numbers: tuple[int, ...], action: CaseAction, why: str = "") -> None:
    with unit_of_work():
        found = list(session.scalars(select(Case).where(Case.id.in_(numbers)).order_by(Case.id)))
        errors = {number: str(error) for number, error in operations.decide(found, None, action, why).items()}
        done = {case.id: case.outcome or action.label for case in found if case.id not in errors}
    errors |= {number: "没有这件事。" for number in numbers if number not in done and number not in errors}
    for number, words in sorted(done.items()):
        click.echo(f"{number}\t{words}")
    for number, words in sorted(errors.items()):
        click.echo(f"{number}\t{words}", err=True)
    if errors:
        raise SystemExit(NOT_SO)
