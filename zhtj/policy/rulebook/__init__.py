"""The rulebook (规则手册): every rule, conflict and decision by its ID, with the document it comes from.

``rules.md`` holds the rules (``A-15``) and the conflicts (``K-14``), ``decisions.md`` the project's own decisions
(``PD-18``), ``rules.csv`` which rules software has to prove.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent
ID = re.compile(r"\b(?:PD-\d{2}|K-\d{2}b?|[A-Z]-\d{2})\b")

_RULE = re.compile(r"^- \*\*(?P<id>[A-Z]-\d{2})\*\* (?P<text>.*)$", re.MULTILINE)
_CONFLICT = re.compile(r"^\| \*\*(?P<id>K-\d{2}b?)\*\* \| (?P<text>.*) \|$", re.MULTILINE)
_DECISION = re.compile(r"\*\*(?P<id>PD-\d{2})\b(?P<text>.*?)(?=\*\*PD-|^## |\Z)", re.MULTILINE | re.DOTALL)
_CITATION = re.compile(r"〔([^〕]*)〕")
_TITLE_LENGTH = 90

DOCUMENTS: Mapping[str, str] = MappingProxyType(
    {
        "000-A": "安徽《2020 年度全省学社衔接工作提示单》",
        "000-G": "《毕业生团员团组织关系转接工作指引》（2020）",
        "000-Q": "《毕业生团员团组织关系转接工作指引》（2020）常见问题",
        "001": "某学院《团员组织关系转接工作指引》（2020 届）",
        "002-附1": "团中央基层建设部 2019 年通知附件 1",
        "002": "团中央基层建设部 2019 年通知",
        "003": "哈尔滨信息工程学院 2022 届通知",
        "004-附": "南开大学问答（2022）附件",
        "004-L": "《团员组织关系介绍信》注意事项",
        "004-告": "《流动团员管理服务告知书》",
        "004": "南开大学问答（2022）",
    }
)
_IN_CHINESE = {
    "and caption": "及图注",
    "caption": "图注",
    "addressees": "主送",
    "end": "末段",
    "form": "样表",
    "note": "填写说明",
    "(second)": "（第二段）",
}


class EntryKind(StrEnum):
    """What an entry asks for (条目类别); the first three stand in ``rules.csv``."""

    SYSTEM = "system"
    CONTENT = "content"
    CONTEXT = "context"
    CONFLICT = "conflict"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the rulebook.

    Args:
        id: ``A-15``, ``K-14b`` or ``PD-18``.
        kind: what it asks for.
        text: what it says, without the citations.
        citations: places in the documents, as the rulebook writes them (``000-Q15``).
    """

    id: str
    kind: EntryKind
    text: str
    citations: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """``A`` of ``A-15``; ``PD`` of a decision."""
        return self.id.partition("-")[0]

    @property
    def title(self) -> str:
        """The first sentence, shortened to one line."""
        first = re.split(r"(?<=[.;。；])\s", self.text, maxsplit=1)[0]
        return first if len(first) <= _TITLE_LENGTH else first[: _TITLE_LENGTH - 1] + "…"


def _plain(text: str) -> str:
    return " ".join(_CITATION.sub("", text).replace("**", "").split())


def _citations(text: str) -> tuple[str, ...]:
    parts = [part.strip() for group in _CITATION.findall(text) for part in group.split(";")]
    return tuple(dict.fromkeys(part for part in parts if document_of(part)))


def document_of(citation: str) -> str:
    """The document a citation code stands for, in Chinese; empty if it names none."""
    return next((name for code, name in DOCUMENTS.items() if citation.startswith(code)), "")


@cache
def rules() -> Mapping[str, Rule]:
    """Every entry by its ID, in the order of the rulebook.

    Raises:
        ValueError: ``rules.md`` and ``rules.csv`` do not hold the same IDs.
    """
    with (FOLDER / "rules.csv").open(encoding="utf-8", newline="") as file:
        kinds = {row["id"]: EntryKind(row["kind"]) for row in csv.DictReader(file)}
    document = (FOLDER / "rules.md").read_text(encoding="utf-8")
    texts = {match["id"]: match["text"] for match in _RULE.finditer(document)}
    if texts.keys() != kinds.keys():
        raise ValueError(f"rules.md and rules.csv differ: {sorted(texts.keys() ^ kinds.keys())}")
    found = {id_: Rule(id_, kinds[id_], _plain(text), _citations(text)) for id_, text in texts.items()}
    for match in _CONFLICT.finditer(document):
        found[match["id"]] = Rule(match["id"], EntryKind.CONFLICT, _plain(match["text"].replace(" | ", ". ")))
    for match in _DECISION.finditer((FOLDER / "decisions.md").read_text(encoding="utf-8")):
        found[match["id"]] = Rule(match["id"], EntryKind.DECISION, _plain(match["text"]))
    return MappingProxyType(found)


def rule(id_: str) -> Rule:
    """The entry with this ID.

    Raises:
        KeyError: the rulebook has no such ID.
    """
    try:
        return rules()[id_]
    except KeyError:
        raise KeyError(f"规则手册中没有 {id_}") from None


def source_of(id_: str) -> str:
    """Where a rule stands, in plain Chinese: ``《…工作指引》（2020）常见问题 15``.

    Raises:
        KeyError: the rulebook has no such ID.
    """
    entry = rule(id_)
    if entry.kind is EntryKind.DECISION:
        return "本系统约定"
    if entry.kind is EntryKind.CONFLICT:
        return "各文件说法不一，本系统选定一种"
    if not entry.citations:
        return "；".join(dict.fromkeys(source_of(other) for other in ID.findall(entry.text) if other != id_))
    return "；".join(_in_chinese(citation) for citation in entry.citations)


def _in_chinese(citation: str) -> str:
    code = next(code for code in DOCUMENTS if citation.startswith(code))
    place = citation[len(code) :].strip()
    for english, chinese in _IN_CHINESE.items():
        place = place.replace(english, chinese)
    return f"{DOCUMENTS[code]} {place}".strip()
