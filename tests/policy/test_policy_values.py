"""Every value of the policy is read somewhere: one that nobody reads promises what does not happen."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from zhtj.policy.layers import DATA
from zhtj.policy.model import Values

ROOT = Path(__file__).parents[2]
PLACEHOLDER = re.compile(r"\{(\w+)(?::\w+)?\}")
IN_TEMPLATE = re.compile(r"\.(\w+)")


def _attributes(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}


def read() -> set[str]:
    """Names that the program, its pages or the sentences of the layers read off something."""
    found: set[str] = set()
    for folder in ("zhtj", "jobs"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= _attributes(path)
    for path in (ROOT / "templates").rglob("*.html"):
        found |= set(IN_TEMPLATE.findall(path.read_text(encoding="utf-8")))
    for path in DATA.glob("*.toml"):
        found |= set(PLACEHOLDER.findall(path.read_text(encoding="utf-8")))
    return found


# Read by their names together, one for each of the five rates (``zhtj/rates/reports/targets.py``).
BY_NAME = {name for name in Values.model_fields if name.startswith("target_")}


@pytest.mark.rule("PD-61", "PD-11")
def test_every_value_of_the_policy_is_read_somewhere() -> None:
    assert sorted(Values.model_fields.keys() - read() - BY_NAME) == []
