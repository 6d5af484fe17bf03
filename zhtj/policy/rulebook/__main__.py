"""``make rules``: which rules the tests prove; with IDs: what those rules say, where they are decided, their tests."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path

import click

from zhtj.policy import rulebook
from zhtj.policy.rulebook import places
from zhtj.policy.rulebook.markers import Coverage, Family, collect, coverage

WIDTH = 100
MOST = 8


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report.

    Returns:
        0, or 1 if a test marks (or the caller asks for) an ID that the rulebook does not have.
    """
    parser = argparse.ArgumentParser(prog="python -m zhtj.policy.rulebook", description="规则手册与测试的对照")
    parser.add_argument("ids", nargs="*", metavar="编号", help="只看这几条规则，如 A-15 PD-18")
    parser.add_argument("--tests", type=Path, default=Path("tests"), help="测试所在目录（默认 tests）")
    parser.add_argument("--code", type=Path, default=places.ROOT, help="程序所在目录（默认本项目）")
    parser.add_argument("--covered", action="store_true", help="同时列出已有测试的编号")
    options = parser.parse_args(arguments)
    if options.ids:
        return _explain(options.ids, options.code, options.tests)
    report = coverage(rulebook.rules(), collect(options.tests))
    cited = places.cited(options.code)
    _print(report, with_covered=options.covered)
    _list("程序中还没有写明的", [id_ for family in report.families for id_ in _all(family) if id_ not in cited])
    return 1 if report.unknown else 0


def _print(report: Coverage, *, with_covered: bool) -> None:
    click.echo(f"应由软件实现的规则 {report.total} 条，已有测试证明 {report.covered} 条。\n")
    for family in report.families:
        click.echo(f"{family.name}  {len(family.covered):>3} / {family.total}")
        if with_covered and family.covered:
            _list("已证", family.covered)
        if family.missing:
            _list("未证", family.missing)
    if report.others:
        click.echo()
        _list("另外标注的决定、分歧和说明类条目", report.others)
    for marker in report.unknown:
        click.echo(f"手册中没有的编号 {marker.id}：{marker.place}", err=True)


def _all(family: Family) -> tuple[str, ...]:
    return (*family.covered, *family.missing)


def _list(title: str, ids: Sequence[str]) -> None:
    click.echo(textwrap.fill(f"{title}：{' '.join(ids)}", WIDTH, initial_indent="   ", subsequent_indent="   "))


def _explain(ids: Sequence[str], code: Path, tests: Path) -> int:
    unknown = [id_ for id_ in ids if id_ not in rulebook.rules()]
    for id_ in unknown:
        click.echo(f"手册中没有编号 {id_}", err=True)
    for id_ in ids:
        if id_ in unknown:
            continue
        rule = rulebook.rule(id_)
        click.echo(f"{id_}（{rule.kind}）\n{textwrap.fill(rule.text, WIDTH)}\n出处：{rulebook.source_of(id_)}")
        _lines("程序", [f"{place.path}:{place.line}  {place.text}" for place in places.find(id_, code)])
        _lines("测试", [f"{marker.place}  {marker.test}".rstrip() for marker in collect(tests, id_)])
        click.echo()
    return 1 if unknown else 0


def _lines(title: str, lines: Sequence[str]) -> None:
    """The first few of ``lines``, and how many more there are."""
    click.echo(f"{title}：" + ("" if lines else "还没有"))
    for line in lines[:MOST]:
        click.echo(f"  {line}")
    if len(lines) > MOST:
        click.echo(f"  另有 {len(lines) - MOST} 处")


if __name__ == "__main__":
    raise SystemExit(main())
