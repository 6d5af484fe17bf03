"""``flask orgs …`` and ``flask members …``: files in and out on the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click
from flask import Flask

from zhtj.imports import meanings, spreadsheets
from zhtj.imports.files import finding, workbooks
from zhtj.imports.files.layouts import ORGANISATIONS, ROSTER
from zhtj.imports.files.problems import FileError
from zhtj.imports.files.tables import ImportTable, Layout, Meanings
from zhtj.imports.members import rosters
from zhtj.imports.models import ImportKind
from zhtj.imports.orgs import organisations
from zhtj.imports.plans import Plan
from zhtj.kernel import audit
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.orgs import tree_plan
from zhtj.orgs.changing import moving
from zhtj.orgs.divisions import changed
from zhtj.orgs.models import Organisation
from zhtj.orgs.queries import by_code_or_name
from zhtj.orgs.tree_load import load_tree
from zhtj.orgs.tree_plan import StepKind

NOT_SO, WRONG_USE = 1, 2
# A tree of which provinces are missing altogether gets tens of thousands of new organisations.
_LISTED = 200


def register(app: Flask) -> None:
    """Add both groups."""
    app.cli.add_command(orgs_group)
    app.cli.add_command(members_group)


@click.group("orgs")
def orgs_group() -> None:
    """组织体系：载入、导入、导出."""


@click.group("members")
def members_group() -> None:
    """团员：导入花名册."""


@orgs_group.command("load")
@click.option("--apply", "key", metavar="PLAN", help="办理这份方案；中断的，再执行一次即可接着办理")
def load_command(key: str | None) -> None:
    """载入全国组织体系；已经载入的，显示区划变化的方案，不作改动."""
    if key is not None:
        _apply_plan(key)
    elif tree_plan.is_empty():
        with unit_of_work():
            counts = load_tree(session)
        click.echo(f"新增 {counts.added.total()} 个组织，已有 {counts.found.total()} 个，检索词 {counts.terms} 条")
    else:
        _show_plan(tree_plan.find())


def _show_plan(plan: tree_plan.TreePlan) -> None:
    """Every step, and how it is carried out; the tree itself stays as it is (PD-56)."""
    left = plan.steps[plan.done :]
    if not left:
        click.echo(f"组织体系没有要改动的地方（区划截至 {changed.last_day()}）")
        return
    for number, step in enumerate(left):
        if step.kind is not StepKind.NEW or number < _LISTED:
            click.echo(str(step))
    if (new := sum(step.kind is StepKind.NEW for step in left)) > _LISTED:
        click.echo(f"……{StepKind.NEW.label}共 {new} 个组织")
    begun = f"，其中 {plan.done} 项已经办完" if plan.done else ""
    click.echo(f"方案 {plan.key}：共 {len(plan.steps)} 项{begun}，区划截至 {changed.last_day()}。还没有改动任何组织。")
    click.echo(f"办理：flask --app app orgs load --apply {plan.key}")


def _apply_plan(key: str) -> None:
    try:
        with audit.acting(None):
            count = 0
            for step in tree_plan.apply(key):
                click.echo(str(step))
                count += 1
    except DomainError as error:
        _fail(str(error), NOT_SO)
    click.echo(f"已办完 {count} 项")


@orgs_group.command("import")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="只核对，不导入")
@click.option("--partial", is_flag=True, help="跳过有错误的行，导入其余各行")
@click.option("--template", "template_file", metavar="FILE", type=click.Path(path_type=Path), help="生成导入模板")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出结果")
def import_organisations(
    file: Path | None, template_file: Path | None, *, dry_run: bool, partial: bool, as_json: bool
) -> None:
    """从 xlsx、xls 或 csv 文件导入组织；默认有一行错误就全部不导入."""
    if template_file is not None:
        _write_template(template_file, ORGANISATIONS)
        return
    table = _table(file, ORGANISATIONS, as_json=as_json)
    run = _run(
        lambda: organisations.preview(table),
        lambda plan: organisations.apply(plan, partial=partial),
        dry_run=dry_run,
    )
    _report(*run, dry_run=dry_run, partial=partial, as_json=as_json)


@orgs_group.command("export")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--org", "code", metavar="CODE", help="只导出这个组织及其下级（编码或全称）")
def export_organisations(file: Path | None, code: str | None) -> None:
    """导出组织到 xlsx 或 csv 文件，列与导入相同；不给文件名时以 csv 输出到屏幕."""
    scope = _organisation(code) if code else None
    headings = spreadsheets.organisation_headings()
    rows = spreadsheets.organisation_rows(scope)
    if file is None:
        count = spreadsheets.write_csv(sys.stdout, headings, rows)
    elif file.suffix.lower() == ".csv":
        with file.open("w", encoding="utf-8-sig", newline="") as target:
            count = spreadsheets.write_csv(target, headings, rows)
    elif file.suffix.lower() == ".xlsx":
        with file.open("wb") as binary:
            count = spreadsheets.write_xlsx(binary, ORGANISATIONS.title, headings, rows)
    else:
        _fail("文件名应以 .xlsx 或 .csv 结尾。")
    with unit_of_work():
        audit.record("export.organisations", "organisation", scope.id if scope else 0, rows=count)
    click.echo(f"已导出 {count} 个组织", err=True)


@orgs_group.command("move")
@click.argument("organisation", metavar="CODE")
@click.option("--to", "superior", required=True, metavar="CODE", help="新的上级组织（编码或全称），可以在另一个省")
@click.option("--why", required=True, metavar="TEXT", help="依据，记入日志，如批复文号")
def move_organisation(organisation: str, superior: str, why: str) -> None:
    """跨省迁移组织：连同下级和团员迁到新的上级下面，编码、名称和历年统计不变."""
    moved, to = _organisation(organisation), _organisation(superior)
    number, target = moved.id, to.id
    try:
        with audit.acting(None), unit_of_work():
            found, above = session.get_one(Organisation, number), session.get_one(Organisation, target)
            moving.move(found, above, why.strip(), across_provinces=True)
    except DomainError as error:
        _fail(str(error), NOT_SO)
    moved, to = session.get_one(Organisation, number), session.get_one(Organisation, target)
    click.echo(f"{moved.full_name}（{moved.code}）已迁到{to.full_name}下面。")


@members_group.command("import")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--org", "code", metavar="CODE", help="导入到这个组织及其下级（编码或全称）")
@click.option("--dry-run", is_flag=True, help="只核对，不导入")
@click.option("--partial", is_flag=True, help="跳过有错误的行，导入其余各行")
@click.option("--file-checked", is_flag=True, help="文件里入团时年龄过小的人，本人档案都已核查属实")
@click.option("--template", "template_file", metavar="FILE", type=click.Path(path_type=Path), help="生成导入模板")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出结果")
def import_members(
    file: Path | None,
    code: str | None,
    template_file: Path | None,
    *,
    dry_run: bool,
    partial: bool,
    file_checked: bool,
    as_json: bool,
) -> None:
    """从 xlsx、xls 或 csv 文件导入团员花名册；默认有一行错误就全部不导入."""
    if template_file is not None:
        _write_template(template_file, ROSTER)
        return
    if not code:
        _fail("请用 --org 指明导入到哪个组织（编码或全称）。")
    organisation = _organisation(code)
    organisation_id, layout = organisation.id, rosters.layout_for(organisation)
    table = _table(file, layout, as_json=as_json, known=meanings.of(organisation_id, ImportKind.MEMBERS))
    table = table.file_checked() if file_checked else table
    run = _run(
        lambda: rosters.preview(table, session.get_one(Organisation, organisation_id)),
        lambda plan: rosters.apply(plan, partial=partial),
        dry_run=dry_run,
    )
    _report(*run, dry_run=dry_run, partial=partial, as_json=as_json)


def _fail(message: str, status: int = WRONG_USE) -> NoReturn:
    click.echo(message, err=True)
    raise SystemExit(status)


def _organisation(words: str) -> Organisation:
    found = by_code_or_name(words)
    if found is None:
        _fail(f"没有编码或全称为“{words}”的组织。")
    if found.closed_at is not None:
        _fail(f"{found.full_name}已停用。")
    return found


def _table(file: Path | None, layout: Layout, *, as_json: bool, known: Meanings | None = None) -> ImportTable:
    if file is None:
        _fail("请指明要导入的文件。")
    try:
        data = file.read_bytes()
    except OSError as error:
        _fail(f"不能读取文件 {file}：{error.strerror}。")
    try:
        return finding.find(workbooks.read(data, file.name), layout, known)
    except FileError as error:
        if as_json:
            _print_json(Plan(errors=[error.problem]), accepted=0)
        _fail(f"{error.message}{error.fix}", NOT_SO)


def _run(preview: Callable[[], Plan], apply: Callable[..., int], *, dry_run: bool) -> tuple[Plan, int]:
    """The plan, and how many rows were imported."""
    try:
        if dry_run:
            return preview(), 0
        with unit_of_work():
            plan = preview()
            return plan, apply(plan)
    except DomainError as error:
        _fail(f"{error.message}{error.fix}", NOT_SO)


def _print_json(plan: Plan, *, accepted: int) -> None:
    click.echo(json.dumps({**plan.as_dict(), "accepted": accepted}, ensure_ascii=False, indent=2))


def _report(plan: Plan, imported: int, *, dry_run: bool, partial: bool, as_json: bool) -> None:
    """Result on standard output, problems on standard error; status 1 if errors kept everything out."""
    if as_json:
        _print_json(plan, accepted=plan.accepted if dry_run else imported)
    else:
        rows = f"读取 {plan.read} 行，{plan.bad_rows} 行有错误，可导入 {plan.accepted} 行"
        parts = f"新增 {plan.created}，更新 {len(plan.updates)}，无变化 {plan.unchanged}"
        done = "只核对，没有导入" if dry_run else f"已导入 {imported} 行"
        click.echo(f"{rows}（{parts}）；{done}")
        for kind, problems in (("错误", plan.errors), ("提醒", plan.warnings)):
            for problem in problems:
                click.echo(f"{kind}：{problem}", err=True)
    if plan.errors and not (partial and plan.accepted):
        _fail(f"有 {plan.bad_rows} 行错误，没有导入；改正后重试，或用 --partial 跳过这些行。", NOT_SO)


def _write_template(file: Path, layout: Layout) -> None:
    if file.suffix.lower() != ".xlsx":
        _fail("模板文件名应以 .xlsx 结尾。")
    file.write_bytes(spreadsheets.template(layout))
    click.echo(f"已生成模板 {file}", err=True)
