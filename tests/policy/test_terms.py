"""Terms, ages and days of the policy stand in its layers and nowhere else; nothing ties a transfer to a diploma."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A figure with a unit in which the policy measures, or a day of the season.
TERM = re.compile(
    r"(?<![0-9])(?:[0-9]{1,2}|[一二两三六十]{1,3}) ?(?:个月(?!前)|周岁|天[内没后未]|年[内以])|半年"
    r"|(?<![0-9年-])(?:5|6|8|9|10|12) ?月 ?(?:1|20|30|31) ?日|九月起|年底"
    # Since when somebody who joined must have a number, and how long it is.
    r"|20[0-9]{2} ?年(?:及以后|以前)入团|12 ?位"
)
# What only looks like one: examples in hints, the demonstration's inventions, a decision that no policy varies.
SPARED = {
    "zhtj/demo/": "the demonstration's people",
    "zhtj/policy/data/": "the layers themselves",
    "zhtj/policy/spoken.py": "how a term is said",
    "zhtj/policy/rulebook/": "the rules",
    "templates/components/": "examples of components",
    "zhtj/web/rendering/gallery.py": "examples of components",
    "templates/_components.html": "examples of components",
}
ALLOWED = {
    # Not of the policy: how long a file is kept, how far a list looks, what is implausible.
    ("templates/exports/list.html", "一天后"),
    ("zhtj/transfers/watching/graduates.py", "3 天内"),
    ("zhtj/people/finding/members.py", "一年内"),
    ("zhtj/letters/record.py", "一年以"),
    # The season freezes on 31 December by PD-08, whatever a policy says.
    ("zhtj/rates/explain.py", "12月31日"),
    # The form of 2022 as it is printed, which the record it is drawn from follows; another form is another template.
    ("templates/letters/2022.html", "12位"),
    ("zhtj/letters/record.py", "12 位"),
    ("zhtj/letters/printing/pages.py", "12位"),
    # What stands at the head of a roster to be filled in; what is filled in is judged by the policy.
    ("zhtj/imports/files/layouts.py", "2017 年及以后入团"),
    ("zhtj/imports/files/layouts.py", "12 位"),
}


def sentences() -> Iterator[tuple[str, str]]:
    """Every text that people may read: strings of the code, lines of the templates."""
    for path in sorted((ROOT / "zhtj").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
            documents = token.type == tokenize.STRING and token.string.lstrip("rbfRBF").startswith('"""')
            if token.type in {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)} and not documents:
                yield name, token.string
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        yield path.relative_to(ROOT).as_posix(), text


@pytest.mark.rule("PD-61")
def test_no_sentence_writes_down_a_term_that_the_policy_gives():
    found = {
        (name, match[0])
        for name, text in sentences()
        if not any(name.startswith(spared) for spared in SPARED)
        for match in TERM.finditer(text)
    }

    assert found - ALLOWED == set()
    assert found >= ALLOWED, "an exception that is no longer needed"


@pytest.mark.rule("PD-62")
def test_nothing_but_the_help_speaks_of_diplomas():
    """No function may tie a transfer to one; the help says that none does."""
    speaking = {name for name, text in sentences() if re.search("毕业证|学位证", text)}

    assert speaking == {"templates/public/help.html"}
