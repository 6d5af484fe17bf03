"""``python -m zhtj.policy.rulebook A-15`` names the line that decides a rule first."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from zhtj.policy.rulebook import places
from zhtj.policy.rulebook.__main__ import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def program(tmp_path: Path):
    """Writes source files into a project's folder and returns it."""

    def write(sources: dict[str, str]) -> Path:
        for name, source in sources.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, encoding="utf-8")
        return tmp_path

    return write


def found(folder: Path, id_: str = "A-15") -> list[str]:
    return [f"{place.path.as_posix()}:{place.line}  {place.text}" for place in places.find(id_, folder)]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (
            'def f(text):\n    if not text:\n        raise Problem(\n            "无", rule="A-15"\n        )\n',
            '2  if not text: raise Problem( "无", rule="A-15" )',
        ),
        ('def f():\n    go()\n    raise Problem(rule="A-15")\n', '3  raise Problem(rule="A-15")'),
        ('def f(a):\n    if a:\n        return Problem("无", "A-15")\n', '2  if a: return Problem("无", "A-15")'),
        ('def f(a):\n    if a:\n        yield Problem("无", "A-15")\n', '2  if a: yield Problem("无", "A-15")'),
        (
            'def f(\n    a: int,\n) -> bool:\n    """Whether it may be (A-15)."""\n',
            '1  def f( a: int, ) -> bool: """Whether it may be (A-15)."""',
        ),
        (
            "# A-15: nobody is refused without a word,\n# whoever asks.\nLEAST = 5\n",
            "3  LEAST = 5 # A-15: nobody is refused without a word,",
        ),
        ('LEAST = 5\n"""A-15: how much."""\n', '1  LEAST = 5 """A-15: how much."""'),
        ('class A:\n    """One (A-15)."""\n', '1  class A: """One (A-15)."""'),
        ('"""All of it (A-15)."""\n', '1  """All of it (A-15)."""'),
        ('@route("/x")\ndef f():\n    go(form="A-15")\n', '3  go(form="A-15")'),
    ],
)
def test_the_line_is_shown_that_decides_not_only_the_one_that_names_the_rule(program, source, shown):
    assert found(program({"zhtj/room/rules.py": source})) == [f"zhtj/room/rules.py:{shown}"]


def test_values_of_a_policy_and_rows_of_a_table_are_shown_whole(program):
    layer = 'days = { value = [\n  1,\n], rule = "A-15" }\n\n[[rows]]\nto = ["unit"]\nrule = "A-15"\n'
    page = "{# A-15: said to everybody. #}\n<p>{{ reason }}</p>\n"

    assert found(program({"zhtj/policy/data/2020.toml": layer, "templates/page.html": page})) == [
        "templates/page.html:2  <p>{{ reason }}</p> # A-15: said to everybody.",
        'zhtj/policy/data/2020.toml:1  days = { value = [ 1, ], rule = "A-15" }',
        'zhtj/policy/data/2020.toml:5  [[rows]] to = ["unit"] rule = "A-15"',
    ]


def test_what_decides_comes_before_what_refuses_explains_or_shows(program):
    refuses = 'def f(a):\n    if a:\n        raise Problem(rule="A-15")\n'
    folder = program(
        {
            "zhtj/web/pages.py": refuses,
            "zhtj/people/queries.py": '"""Lists (A-15)."""\n\n\ndef g():\n    """Whether (A-15)."""\n',
            "zhtj/people/rules.py": f"{refuses}    return a + 1  # A-15: one more\n",
            "zhtj/policy/rulebook/other.py": '"""A-15: the rulebook itself is no place."""\n',
        }
    )

    assert [line.partition("  ")[0] for line in found(folder)] == [
        "zhtj/people/rules.py:4",
        "zhtj/people/rules.py:2",
        "zhtj/web/pages.py:2",
        "zhtj/people/queries.py:4",
        "zhtj/people/queries.py:1",
    ]


def test_one_rule_is_explained_with_the_line_that_decides_it(program, capsys):
    folder = program({"zhtj/rules.py": 'if not text:\n    raise Problem(rule="A-15")\n', "tests/test_a.py": ""})

    assert main(["A-15", "--code", str(folder), "--tests", str(folder / "tests")]) == 0
    assert 'zhtj/rules.py:1  if not text: raise Problem(rule="A-15")' in capsys.readouterr().out


@pytest.mark.slow("starts the command")
def test_it_answers_in_less_than_a_second_without_the_application():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # PD-22 is among the rules cited most.
    command = [sys.executable, "-X", "importtime", "-m", "zhtj.policy.rulebook", "PD-22"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert "程序：\n  zhtj/" in done.stdout
    assert [line for line in done.stderr.splitlines() if "sqlalchemy" in line or "flask" in line] == []
    # Time of the processor: others may be at work on the machine.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
