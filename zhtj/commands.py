"""The command line: ``flask --app app …``. Results on standard output, messages on standard error, in Chinese."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
from flask import Flask
from sqlalchemy.exc import OperationalError

from zhtj import demo, doctor, sweeps
from zhtj.cases import commands as cases
from zhtj.editions import commands as editions
from zhtj.graduation import conversion
from zhtj.imports import commands as imports
from zhtj.kernel import audit, clock
from zhtj.kernel.command_line import NOT_SO, WRONG_USE, speak_plainly
from zhtj.kernel.errors import DomainError
from zhtj.people import commands as people
from zhtj.rates import commands as rates
from zhtj.transfers.watching import conversions, timers

log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Add all commands."""
    from jobs import commands as jobs  # noqa: PLC0415 - jobs import zhtj, which is being imported

    foreign = set(app.cli.commands.values())
    for command in (sweep_command, doctor_command, audit_group):
        app.cli.add_command(command)
    for part in (people, imports, cases, rates, editions, demo, jobs):
        part.register(app)
    for own in set(app.cli.commands.values()) - foreign:
        speak_plainly(own)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


@click.command("sweep")
@click.option("--at", "moment", metavar="ISO", help="按这一时刻办理，如 2026-10-16T00:00；默认现在")
@click.option("--only", metavar="NAME", help="只办理一项")
@click.option(
    "--rehearse", is_flag=True, help="只预演超期退回（return，默认）或毕业生团组织转换（convert），不改动任何数据"
)
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def sweep_command(moment: str | None, only: str | None, *, rehearse: bool, as_json: bool) -> None:
    """办理到期的事项：转为毕业生团组织、列入名册、超期退回、删除过期的上传、封存日志."""
    if only is not None and only not in sweeps.REGISTRY:
        click.echo(f"没有“{only}”这一项，可选：{'、'.join(sweeps.REGISTRY)}", err=True)
        raise SystemExit(WRONG_USE)
    try:
        at = clock.parse(moment) if moment else None
    except ValueError:
        click.echo(f"看不懂时间“{moment}”，请写成 2026-10-16T00:00", err=True)
        raise SystemExit(WRONG_USE) from None
    if rehearse:
        if only not in {None, *REHEARSALS}:
            click.echo(f"只有{'、'.join(REHEARSALS)}可以预演", err=True)
            raise SystemExit(WRONG_USE)
        REHEARSALS[only or "return"](at, as_json=as_json)
        return
    counts = {name: _sweep(name, at) for name in sweeps.REGISTRY if only in {None, name}}
    if as_json:
        _print_json(counts)
    else:
        for name, count in counts.items():
            words = zip(("应办", "已办", "跳过", "失败"), count.values(), strict=True)
            click.echo("\t".join([name, *(f"{word} {number}" for word, number in words)]))
    if any(count["failed"] for count in counts.values()):
        raise SystemExit(NOT_SO)


def _rehearse(at: datetime | None, *, as_json: bool) -> None:
    """What the return sweep would do at this moment, by default at the next one that has something to do."""
    found = timers.rehearse(at or timers.next_return() or clock.now(), most=None)
    if as_json:
        _print_json(
            {
                "at": clock.local(found.at).isoformat(),
                "found": found.number,
                "organisations": [
                    {"code": heap.org.code, "name": heap.org.short_name, "found": heap.number}
                    for heap in found.by_organisation
                ],
                "lines": [
                    {
                        "application": line.id,
                        "member": line.member.name,
                        "from": line.from_name,
                        "to": line.to_name,
                        "state": line.state.value,
                        "due": clock.local(line.due_at).isoformat() if line.due_at else None,
                        "waits_for": line.holder.code if line.holder else None,
                    }
                    for line in found.lines
                ],
            }
        )
        return
    click.echo(f"{clock.local(found.at):%Y-%m-%d %H:%M}\t退回 {found.number}")
    for heap in found.by_organisation:
        click.echo(f"{heap.org.short_name}\t{heap.number}")
    for line in found.lines:
        click.echo(f"{line.id}\t{line.member.name}\t{line.from_name}\t{line.to_name}\t{line.state.label}")


def _rehearse_conversion(at: datetime | None, *, as_json: bool) -> None:
    """What the conversion of 1 June would do with the marks as they stand, school by school (G-09)."""
    with clock.at(at or clock.now()):
        found, schools = conversion.forecast(""), conversion.by_school("")
        stranded = conversions.count_foreseen("")
    if as_json:
        named = [{"code": one.org.code, "name": one.org.short_name, **_figures(one.forecast)} for one in schools]
        whole = {"season": found.season, "day": found.day.isoformat(), **_figures(found), "stranded": stranded}
        _print_json({**whole, "schools": named})
        return
    click.echo(f"{found.day:%Y-%m-%d}\t{found.text}")
    if stranded:
        click.echo(f"转换后不能再接收的申请\t{stranded}")
    for one in schools:
        click.echo(f"{one.org.short_name}\t{one.forecast.text}")


def _figures(found: conversion.Forecast) -> dict[str, int]:
    return {"branches": found.branches, "members": found.members, "unmarked": found.unmarked}


REHEARSALS = {"return": _rehearse, "convert": _rehearse_conversion}


def _sweep(name: str, at: datetime | None) -> dict[str, int]:
    """One sweep; what goes wrong in it stops no other, unless the database itself is away."""
    try:
        return sweeps.run(name, at).as_dict()
    except OperationalError:
        raise
    except Exception as error:
        if not isinstance(error, DomainError):
            log.exception("sweep %s failed", name)
        click.echo(f"{name} 没有完成：{error}", err=True)
        return sweeps.SweepCounts(failed=1).as_dict()


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def doctor_command(*, as_json: bool) -> None:
    """检查数据应当始终成立的各项约束."""
    findings = doctor.examine()
    if as_json:
        _print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            verdict = "违反" if finding.broken else "通过"
            rows = [str(finding.rows)] if finding.rows else []
            click.echo("\t".join([verdict, finding.name, finding.says, str(finding.broken), *rows]))
    if any(finding.broken for finding in findings):
        raise SystemExit(NOT_SO)


@click.group("audit")
def audit_group() -> None:
    """操作日志."""


@audit_group.command("verify")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def audit_verify(*, as_json: bool) -> None:
    """核对全部封存的日志；被改动、删除或调换时指出第一处."""
    verdict = audit.verify()
    if as_json:
        _print_json(asdict(verdict))
    else:
        click.echo(f"封条 {verdict.seals} 个，记录 {verdict.events} 条，尚未封存 {verdict.unsealed} 条")
        if verdict.head:
            click.echo(f"最新封条 {verdict.head}（另处留存，可证明其前的记录没有被整段删去）")
    if verdict.bad:
        click.echo(verdict.bad, err=True)
        raise SystemExit(NOT_SO)
