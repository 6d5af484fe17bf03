"""What a line of the list of marks offers."""

from __future__ import annotations

from datetime import date

import pytest

from zhtj.graduation.models import BranchMark, NoTime
from zhtj.orgs.models import Category, Organisation
from zhtj.web.desks.graduation.marking_lines import MarkingLine

BRANCH, GRADUATES = Organisation(category=Category.BRANCH), Organisation(category=Category.GRADUATES)
DATED = BranchMark(month=date(2026, 6, 1))


@pytest.mark.rule("G-02", "G-14")
def test_branches_without_a_mark_are_marked_together() -> None:
    assert MarkingLine(BRANCH, None, 30).is_pickable
    assert not MarkingLine(BRANCH, DATED, 30).is_pickable
    assert not MarkingLine(GRADUATES, None, 30).is_pickable


@pytest.mark.rule("G-05", "G-16", "G-17")
def test_members_are_marked_one_by_one_where_they_differ() -> None:
    assert MarkingLine(BRANCH, BranchMark(no_time=NoTime.MIXED), 30).one_by_one == "逐人标记"
    assert MarkingLine(GRADUATES, DATED, 30).one_by_one == "延迟毕业、教师"
    assert MarkingLine(BRANCH, DATED, 30).one_by_one == ""
    assert MarkingLine(BRANCH, BranchMark(no_time=NoTime.STAFF), 30).one_by_one == ""
    assert MarkingLine(GRADUATES, None, 30).one_by_one == ""
