"""``flask policy compare``: the dry run of an edition on the command line; it writes nothing (PD-62)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup

from zhtj.editions.comparing import Compared, DryRun, known_layers
from zhtj.editions.summary import DryRunCounts
from zhtj.editions.text_changes import TextChange
from zhtj.kernel.command_line import WRONG_USE
from zhtj.kernel.database import reading_only
from zhtj.orgs import queries as orgs

group = AppGroup("policy", help="政策层。", short_help="政策层")


@group.command("layers", help="列出全部政策层。", short_help="列出全部政策层")
def layers() -> None:
    """Names and titles, the newest first."""
    for name, title in known_layers().items():
        click.echo(f"{name}\t{title}")


@group.command(
    "compare",
    help="试行一个政策层：对某一届真实的申请，逐份说明办理、建议、统计会有什么不同，哪些文字会变。不改动任何数据。",
    short_help="试行一个政策层，不改动数据",
)
@click.argument("layer")
@click.option("--season", type=int, required=True, help="届别，如 2025。")
@click.option("--org", "organisation", help="只比较这个组织及下级的毕业生：组织编码或组织全称；默认全部。")
@click.option("--lines", is_flag=True, help="逐份列出有不同的申请。")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出；与 --lines 同用时每份一行。")
def compare(layer: str, season: int, organisation: str | None, *, lines: bool, as_json: bool) -> None:
    """Compare, chunk by chunk; the lines are printed as they are found."""
    with reading_only():
        run = DryRun(layer, season, _path(organisation))
        run.check()
        counts, texts = DryRunCounts(), run.texts()
        for found in run.chunks():
            counts.add(found)
            for one in found if lines else ():
                if one.changes:
                    click.echo(_as_json(one) if as_json else _as_text(one))
        if as_json:
            whole = {"layer": layer, "season": season, **counts.as_dict(), "texts": [asdict(each) for each in texts]}
            click.echo(json.dumps(whole, ensure_ascii=False, indent=None if lines else 2))
        else:
            _tell(run, counts, texts)


def _path(organisation: str | None) -> str:
    if organisation is None:
        return ""
    found = orgs.by_code_or_name(organisation)
    if found is None:
        click.echo(f"没有编码或全称为“{organisation}”的组织。", err=True)
        raise SystemExit(WRONG_USE)
    return found.path


def _as_json(one: Compared) -> str:
    changes = [asdict(each) for each in one.changes]
    line: dict[str, Any] = {"application": one.application_id, "reason": one.reason.value, "changes": changes}
    return json.dumps(line, ensure_ascii=False)


def _as_text(one: Compared) -> str:
    said = "；".join(f"{each.difference.label}：{each.before} → {each.after}" for each in one.changes)
    return f"{one.application_id}\t{one.reason.value}\t{said}"


def _tell(run: DryRun, counts: DryRunCounts, texts: list[TextChange]) -> None:
    before, after = run.policies()
    click.echo(f"{run.season} 届\t{before.layers[-1].title} → {after.layers[-1].title}")
    click.echo(f"申请\t{counts.total}\t有不同\t{counts.differing}")
    for touched, number in counts.touched.items():
        click.echo(f"{touched.label}\t{number}")
    for difference in counts.found:
        reasons = "，".join(
            f"{after.reasons[each].label if each in after.reasons else each.value} {number}"
            for each, number in counts.reasons(difference)
        )
        click.echo(f"{difference.label}\t{counts.of(difference)}\t{reasons}")
    click.echo(f"文字\t{len(texts)}")
    for text in texts:
        click.echo(f"{text.part}\t{text.name}\t{text.before}\t{text.after}\t{text.source}".rstrip())


def register(app: Flask) -> None:
    """Add the group."""
    app.cli.add_command(group)
