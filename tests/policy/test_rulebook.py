"""The rulebook is complete by itself, and the markers of tests are read from their source."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from zhtj.policy import rulebook
from zhtj.policy.rulebook import EntryKind
from zhtj.policy.rulebook.__main__ import main
from zhtj.policy.rulebook.markers import collect, coverage

TESTS = Path(__file__).parents[1]
MARK = "pytest.mark." + "rule"  # so that no search for markers finds the examples below


def test_every_listed_rule_has_a_text_and_a_kind():
    with (rulebook.FOLDER / "rules.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["id"]: row["kind"] for row in csv.DictReader(file)}

    rules = rulebook.rules()

    assert {
        id_: rule.kind for id_, rule in rules.items() if rule.kind not in {EntryKind.CONFLICT, EntryKind.DECISION}
    } == listed
    assert Counter(rule.kind for rule in rules.values()) == {
        EntryKind.SYSTEM: 276,
        EntryKind.CONTENT: 23,
        EntryKind.CONTEXT: 25,
        EntryKind.CONFLICT: 34,
        EntryKind.DECISION: 67,
    }
    assert all(rule.text and rule.title for rule in rules.values())


def test_the_folder_refers_to_no_file_outside_itself():
    for path in rulebook.FOLDER.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"[\w./-]+\.(?:md|csv|txt|xlsx?)\b", text)
        assert {name for name in named if not (rulebook.FOLDER / name).is_file() or "/" in name} == set(), path.name
        assert re.findall(r"\bseeds?\b|\.\./", text) == [], path.name


@pytest.mark.parametrize(
    ("id_", "source"),
    [
        ("A-15", "《毕业生团员团组织关系转接工作指引》（2020）常见问题 15"),
        ("D-12", "安徽《2020 年度全省学社衔接工作提示单》 §二.5"),
        ("O-04", "团中央基层建设部 2019 年通知附件 1 §一.1"),
        ("L-07", "《团员组织关系介绍信》注意事项 5"),
        ("D-21", "《流动团员管理服务告知书》 4"),
        (
            "R-02",
            (
                "《毕业生团员团组织关系转接工作指引》（2020） §2.4；"
                "某学院《团员组织关系转接工作指引》（2020 届） §二.4；"
                "哈尔滨信息工程学院 2022 届通知 §二.4；南开大学问答（2022） Q57, Q72"
            ),
        ),
        ("PD-18", "本系统约定"),
        ("K-14b", "各文件说法不一，本系统选定一种"),
    ],
)
def test_a_rule_names_its_document_in_plain_chinese(id_, source):
    assert rulebook.source_of(id_) == source


def test_every_rule_names_a_source():
    assert all(rulebook.source_of(id_) for id_ in rulebook.rules())


def test_an_unknown_id_is_refused():
    with pytest.raises(KeyError, match="Z-01"):
        rulebook.source_of("Z-01")


def test_a_rule_knows_its_family_and_text():
    rule = rulebook.rule("A-15")

    assert (rule.family, rule.kind, rule.citations) == ("A", EntryKind.SYSTEM, ("000-Q15",))
    assert "mandatory reason" in rule.text
    assert "〔" not in rule.text
    assert rulebook.rule("PD-18").title == "The ten days."


def test_decisions_that_share_a_paragraph_stand_each_for_itself():
    assert [rulebook.rule(f"PD-{number}").title for number in (52, 53, 54, 55)] == [
        "Strong sign-in.",
        "Who can see me.",
        "See as.",
        "Names.",
    ]
    assert "**" not in rulebook.rule("PD-54").text
    assert "compatibility" not in rulebook.rule("PD-54").text


@pytest.fixture
def marked(tmp_path: Path):
    """Writes one test file with the given source and returns its folder."""

    def write(source: str) -> Path:
        (tmp_path / "test_example.py").write_text(source.replace("RULE", MARK), encoding="utf-8")
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("source", "ids"),
    [
        ('@RULE("A-15")\ndef test_a(): ...', ["A-15"]),
        ('@RULE("A-15", "PD-17")\n@RULE("K-14b")\ndef test_a(): ...', ["A-15", "PD-17", "K-14b"]),
        ('@RULE("A-15")\nclass TestA:\n    @RULE("A-16")\n    def test_b(self): ...', ["A-15", "A-16"]),
        ('pytestmark = RULE("L-05")', ["L-05"]),
        ('pytestmark = [RULE("L-05"), pytest.mark.slow, RULE("L-06")]', ["L-05", "L-06"]),
        ('@pytest.mark.parametrize("x", [pytest.param(1, marks=RULE("G-09"))])\ndef test_a(x): ...', ["G-09"]),
        ('from pytest import mark\n@mark.rule("D-09")\nasync def test_a(): ...', ["D-09"]),
        ('text = \'RULE("A-15")\'  # RULE("A-16")', []),
        ("@RULE(ID)\ndef test_a(): ...", ["ID"]),
        ('@other.rule("A-15")\ndef test_a(): ...', []),
    ],
)
def test_markers_are_read_wherever_they_stand(marked, source, ids):
    assert sorted(marker.id for marker in collect(marked(source))) == sorted(ids)


def test_coverage_counts_system_rules_by_family_and_finds_unknown_ids(marked):
    markers = collect(marked('@RULE("D-09", "D-10", "D-20", "PD-18", "D-99")\ndef test_a(): ...'))

    report = coverage(rulebook.rules(), markers)

    deadlines = next(family for family in report.families if family.name == "D")
    assert deadlines.covered == ("D-09", "D-10")
    assert "D-01" in deadlines.missing
    assert deadlines.total == 17
    assert report.covered == 2
    assert report.total == 276
    assert report.others == ("D-20", "PD-18")
    assert [(marker.id, marker.line) for marker in report.unknown] == [("D-99", 1)]


def test_the_report_fails_on_an_unknown_id_and_names_its_place(marked, capsys):
    folder = marked('@RULE("D-99")\ndef test_a(): ...')

    assert main(["--tests", str(folder)]) == 1
    assert f"D-99：{folder / 'test_example.py'}:1" in capsys.readouterr().err


def test_the_report_lists_what_is_proven_and_what_is_not(marked, capsys):
    folder = marked('@RULE("S-01", "PD-10")\ndef test_a(): ...')

    assert main(["--tests", str(folder), "--covered"]) == 0
    printed = capsys.readouterr().out
    assert "应由软件实现的规则 276 条，已有测试证明 1 条。" in printed
    assert "S    1 / 9\n   已证：S-01\n   未证：S-02 S-03" in printed
    assert "PD-10" in printed


def test_one_rule_is_explained_with_its_tests(marked, capsys):
    folder = marked('@RULE("S-01")\ndef test_a(): ...')

    assert main(["S-01", "--tests", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "old school's organisation or the member" in printed
    assert "出处：《毕业生团员团组织关系转接工作指引》（2020） §2.3" in printed
    assert "test_example.py:1" in printed
    assert main(["Z-01", "--tests", str(folder)]) == 1


@pytest.mark.slow("reads every test there is")
def test_no_test_of_ours_marks_a_rule_that_does_not_exist():
    assert coverage(rulebook.rules(), collect(TESTS)).unknown == ()
