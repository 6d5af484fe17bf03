"""What an organisation has said once about headings and words of its files, and is not asked again."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, select

from zhtj.imports.files.tables import Layout, Meanings
from zhtj.imports.models import ImportKind, ImportMeaning
from zhtj.kernel import audit
from zhtj.kernel.database import insert_rows, session
from zhtj.kernel.errors import DomainError

_LONGEST = 120


def of(org_id: int, kind: ImportKind) -> Meanings:
    """What the organisation has said about such files."""
    said = session.scalars(select(ImportMeaning).where(ImportMeaning.org_id == org_id, ImportMeaning.kind == kind))
    headings: dict[str, str] = {}
    values: dict[tuple[str, str], str] = {}
    for one in said:
        if one.column:
            values[one.column, one.words] = one.meaning
        else:
            headings[one.words] = one.meaning
    return Meanings(headings, values)


def remember(
    org_id: int, kind: ImportKind, layout: Layout, headings: Mapping[str, str], values: Mapping[tuple[str, str], str]
) -> Meanings:
    """Keep what is said now; it takes the place of what was said before.

    Args:
        org_id: whose files.
        kind: of file.
        layout: its columns.
        headings: column meant, by heading; "" for one that is not to be read.
        values: one of the column's fixed list, by column and words.

    Raises:
        DomainError: no such column or value, or two headings for one column.
    """
    choices = {column.name: column.choices for column in layout.columns}
    meant = [name for name in headings.values() if name]
    if not set(meant) <= choices.keys() or any(
        value not in choices.get(column, ()) for (column, _), value in values.items()
    ):
        raise DomainError("选择的内容不存在。", fix="请刷新页面后重新选择。")
    if len(set(meant)) != len(meant):
        raise DomainError("两列选成了同一列。", fix="每一列只能对应一列，多余的请选“不导入”。")
    said = {("", heading): name for heading, name in headings.items()} | dict(values)
    said = {(column, words[:_LONGEST]): meaning for (column, words), meaning in said.items()}
    for column, words in said:
        session.execute(
            delete(ImportMeaning).where(
                ImportMeaning.org_id == org_id,
                ImportMeaning.kind == kind,
                ImportMeaning.column == column,
                ImportMeaning.words == words,
            )
        )
    insert_rows(
        ImportMeaning,
        [
            {"org_id": org_id, "kind": kind, "column": column, "words": words, "meaning": meaning}
            for (column, words), meaning in said.items()
        ],
    )
    audit.record("import.meanings", "organisation", org_id, kind=kind.value, count=len(said))
    return Meanings(headings, values)
