"""The demonstration shows who stays: retained, abroad, waiting; a log, a round, a place found."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from zhtj.cases.models import Case, Round, SignedForm
from zhtj.cases.workflow import CaseState
from zhtj.demo.stays import PEOPLE
from zhtj.floating.models import Contact, Stay, StayKind
from zhtj.kernel.database import session

pytestmark = pytest.mark.slow("loads a whole demonstration")


def test_who_stays_in_the_demonstration(demo: Flask) -> None:
    del demo
    query = select(Stay.kind, func.count()).where(Stay.retained_until.is_not(None)).group_by(Stay.kind)
    kept = {kind: number for kind, number in session.execute(query)}  # noqa: C416 - rows are no pairs to mypy
    assert kept == {StayKind.SCHOOL: 3, StayKind.OVERSEAS: 2}
    waiting = select(func.count()).where(
        Case.kind.in_(("retention", "overseas_study")), Case.state == CaseState.WAITING
    )
    assert session.scalar(waiting) == 3
    assert session.scalar(select(func.count(SignedForm.id))) == sum(one.signs for one in PEOPLE)
    assert session.scalar(select(func.count(Contact.id))) == sum(one.heard is not None for one in PEOPLE)
    assert session.scalar(select(func.count(Stay.id)).where(Stay.due_on.is_not(None))) == 1
    assert session.scalar(select(func.count(Round.id))) == 1
