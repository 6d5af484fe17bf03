"""``flask orgs …`` and ``flask members …`` as an operator's scripts see them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.imports.conftest import DATA
from tests.imports.making import csv_bytes
from zhtj.imports.files import layouts, tables, workbooks
from zhtj.imports.files.layouts import ORGANISATIONS
from zhtj.imports.spreadsheets import write_csv, write_xlsx
from zhtj.kernel.audit import AuditEvent
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member, Seat

ROSTER = str(DATA / "roster-sample.xlsx")
ORGS = str(DATA / "orgs-sample.xlsx")


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=list(arguments))


def members(session: Session) -> int:
    session.expire_all()
    return session.scalar(select(func.count()).select_from(Member)) or 0


def test_the_sample_organisations_are_imported(app: Flask, city: Organisation, session: Session) -> None:
    del city
    done = run(app, "orgs", "import", ORGS, "--json")

    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["read"], answer["accepted"], answer["errors"]) == (0, 16, 16, [])
    assert session.scalar(select(func.count()).select_from(Seat)) == 16


@pytest.mark.rule("PD-31")
def test_without_partial_one_bad_row_keeps_everybody_out(
    app: Flask, university: Organisation, session: Session
) -> None:
    done = run(app, "members", "import", ROSTER, "--org", university.code, "--json")

    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["read"], answer["accepted"], len(answer["errors"])) == (1, 425, 0, 26)
    assert set(answer["errors"][0]) == {"row", "column", "cause", "fix"}
    assert len(done.stderr.splitlines()) == 1
    assert members(session) == 0


@pytest.mark.rule("PD-31")
def test_with_partial_the_others_enter(app: Flask, university: Organisation, session: Session) -> None:
    done = run(app, "members", "import", ROSTER, "--org", university.full_name, "--partial", "--json")

    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["read"], answer["accepted"]) == (0, 425, 399)
    assert len({one["row"] for one in answer["errors"]}) == 26
    assert members(session) == 399


@pytest.mark.parametrize("partial", [[], ["--partial"]])
def test_a_dry_run_only_tells(app: Flask, university: Organisation, session: Session, partial: list[str]) -> None:
    done = run(app, "members", "import", ROSTER, "--org", university.code, "--dry-run", "--json", *partial)

    answer = json.loads(done.stdout)
    assert (answer["read"], answer["accepted"], len(answer["errors"])) == (425, 399, 26)
    assert done.exit_code == (0 if partial else 1)
    assert members(session) == 0


def test_without_json_each_problem_is_one_line_in_chinese(app: Flask, university: Organisation) -> None:
    done = run(app, "members", "import", ROSTER, "--org", university.code, "--dry-run")

    assert done.stdout.startswith("读取 425 行，26 行有错误，可导入 399 行")
    lines = done.stderr.splitlines()
    assert lines[0] == "错误：第 30 行“姓名”：没有填写姓名。请补上。"
    assert sum(line.startswith("错误：第 ") for line in lines) == 26


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["members", "import", ROSTER], 2, "--org"),
        (["members", "import", ROSTER, "--org", "9999"], 2, "没有编码或全称"),
        (["members", "import", "nowhere.xlsx", "--org", "3401"], 2, "不能读取文件"),
        (["members", "import", "--org", "3401"], 2, "指明要导入的文件"),
        (["members", "import", ORGS, "--org", "3401"], 1, "没有找到表头行"),
        (["orgs", "import"], 2, "指明要导入的文件"),
        (["orgs", "export", "tree.pdf"], 2, ".xlsx 或 .csv"),
        (["orgs", "export", "--org", "9999"], 2, "没有编码或全称"),
        (["members", "import", "--template", "x.csv"], 2, ".xlsx"),
    ],
)
def test_wrong_use_is_one_line_in_chinese(
    app: Flask, city: Organisation, arguments: Sequence[str], status: int, words: str
) -> None:
    del city
    done = run(app, *arguments)
    assert done.exit_code == status
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_a_file_that_cannot_be_used_answers_in_json_too(app: Flask, city: Organisation, tmp_path: Path) -> None:
    del city
    (tmp_path / "a.csv").write_bytes(csv_bytes([["姓名", "手机号码"], ["王敏", "1"]]))

    done = run(app, "members", "import", str(tmp_path / "a.csv"), "--org", "3401", "--json")

    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["read"], answer["accepted"]) == (1, 0, 0)
    assert [(one["row"], one["column"]) for one in answer["errors"]] == [(1, "身份证号码、所在团支部")]


def test_what_is_exported_can_be_imported_unchanged(
    app: Flask, university: Organisation, session: Session, tmp_path: Path
) -> None:
    for name in ("tree.xlsx", "tree.csv"):
        done = run(app, "orgs", "export", "--org", university.code, str(tmp_path / name))
        assert (done.exit_code, done.stderr) == (0, "已导出 16 个组织\n")

        again = json.loads(run(app, "orgs", "import", str(tmp_path / name), "--json").stdout)

        assert (again["read"], again["unchanged"], again["errors"], again["warnings"]) == (16, 16, [], [])
    exported = session.scalars(select(AuditEvent).where(AuditEvent.action == "export.organisations")).all()
    assert [event.detail["rows"] for event in exported] == [16, 16]


def test_export_without_a_file_is_csv_on_standard_output(app: Flask, university: Organisation) -> None:
    done = run(app, "orgs", "export", "--org", university.code)

    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 16
    assert list(rows[0]) == [column.name for column in ORGANISATIONS.columns]
    assert (rows[0]["组织全称"], rows[0]["书记姓名"], rows[0]["组织编码"]) == (
        "共青团江淮示范大学委员会",
        "周静怡",
        university.code,
    )


def test_the_whole_tree_is_exported_from_the_top(app: Flask, university: Organisation) -> None:
    del university
    rows = list(csv.DictReader(io.StringIO(run(app, "orgs", "export").stdout)))
    assert [row["组织编码"] for row in rows][:3] == ["0", "34", "3401"]
    assert len(rows) == 20


def test_no_text_is_ever_a_formula(tmp_path: Path) -> None:
    words = ['=HYPERLINK("http://example.com")', "+1", "-1", "@SUM(A1)", "\t=1", "https://example.com", "平常"]
    target = io.BytesIO()
    write_xlsx(target, "表", ["列"] * len(words), [words])
    cells = next(load_workbook(io.BytesIO(target.getvalue())).active.iter_rows(min_row=2))
    assert [(cell.data_type, cell.value) for cell in cells] == [("s", word) for word in words]
    assert [cell.hyperlink for cell in cells] == [None] * len(words)

    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        write_csv(file, ["列"] * len(words), [words])
    written = list(csv.reader((tmp_path / "a.csv").open(encoding="utf-8", newline="")))[1]
    assert [word[0] for word in written] == ["'", "'", "'", "'", "'", "h", "平"]


@pytest.mark.parametrize(("group", "layout"), [("members", layouts.ROSTER), ("orgs", ORGANISATIONS)])
def test_templates_are_written(app: Flask, tmp_path: Path, group: str, layout: tables.Layout) -> None:
    file = tmp_path / "模板.xlsx"
    done = run(app, group, "import", "--template", str(file))
    assert done.exit_code == 0
    headings = workbooks.read(file.read_bytes())[0].rows[-1][1]
    assert headings == [column.heading for column in layout.columns]
