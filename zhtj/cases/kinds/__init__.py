"""The kinds of cases, one small module each; in the order in which they are offered."""

from __future__ import annotations

from zhtj.cases.kind import CaseKind
from zhtj.cases.kinds import (
    correction,
    delay,
    e_file,
    external_answer,
    measures,
    occupied_number,
    overseas,
    own_month,
    profile,
    relocation,
    removal,
    restoration,
    retention,
    statement,
)
from zhtj.cases.kinds.organisations import mark_change, missing_organisation, township
from zhtj.kernel.errors import NotFound

KINDS: dict[str, CaseKind] = {
    kind.key: kind
    for kind in (
        mark_change.KIND,
        own_month.KIND,
        correction.KIND,
        profile.KIND,
        removal.KIND,
        measures.KIND,
        occupied_number.KIND,
        statement.KIND,
        restoration.KIND,
        e_file.KIND,
        external_answer.KIND,
        missing_organisation.KIND,
        township.KIND,
        relocation.KIND,
        retention.KIND,
        retention.EXTENSION,
        overseas.KIND,
        delay.KIND,
    )
}


def kind_of(key: str) -> CaseKind:
    """The kind with this key. Raises NotFound."""
    if key not in KINDS:
        raise NotFound
    return KINDS[key]
