"""How the demonstration is made: a seed decides, an interruption makes nothing, people are inventable."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.conftest import Installation
from tests.demo.conftest import PROVINCES, build, loaded, silent
from zhtj import doctor
from zhtj.demo import calendar, universities, world
from zhtj.demo.invention import RARE, Inventor
from zhtj.demo.plots import Crowd
from zhtj.graduation.models import RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.database import db, session
from zhtj.letters.printing.fonts import missing
from zhtj.orgs.models import Organisation, Tier
from zhtj.people import identity
from zhtj.people.models import Account, Member, Membership, Seat, Sex
from zhtj.transfers.models import Application

pytestmark = pytest.mark.slow("loads a whole demonstration")


def told(session: Session) -> list[list[tuple[Any, ...]]]:
    """All that a seed decides."""
    queries = (
        select(Organisation.id, Organisation.code, Organisation.full_name, Organisation.office_id),
        select(Account.id, Account.name, Account.id_number, Account.mobile, Account.activated_at),
        select(Member.id, Member.account_id, Member.org_id, Member.student_no, Member.joined_on, Member.residence),
        select(
            Application.id, Application.member_id, Application.to_org_id, Application.state, Application.submitted_at
        ),
    )
    return [[tuple(row) for row in session.execute(query.order_by("id"))] for query in queries]


def test_the_same_seed_gives_the_same_world(
    installations: dict[str, Installation], demonstrations: dict[str, Flask]
) -> None:
    worlds = []
    for app in (loaded(installations["sqlite"], demonstrations), build(installations["sqlite"])):
        with app.app_context():
            worlds.append(told(session()))
    assert worlds[0] == worlds[1]


def test_another_seed_gives_other_people_and_other_fates() -> None:
    one, same, other = (
        [
            *Crowd(random.Random(seed), 0.5).plots(50),
            *(Inventor(random.Random(seed + number)).name() for number in range(50)),
        ]
        for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_an_interrupted_load_leaves_nothing(live: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(world, "_begin_season", interrupt)
    with live.app_context():
        with pytest.raises(KeyboardInterrupt):
            world.load("small", 1, provinces=PROVINCES, say=silent)
        assert session.scalar(select(func.count()).select_from(Organisation)) == 0
        assert session.scalar(select(func.count()).select_from(Account)) == 0


def test_a_school_has_one_university_more(
    installations: dict[str, Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(universities, "SUBJECTS", universities.SUBJECTS[:1])
    app = build(installations["sqlite"], size="school")
    with app.app_context():
        added = session.scalars(select(Organisation).where(Organisation.full_name.contains("淮上示范大学"))).all()
        assert {
            tier: len([one for one in added if one.tier is tier]) for tier in (Tier.BASIC, Tier.SECOND, Tier.BRANCH)
        } == {
            Tier.BASIC: 1,
            Tier.SECOND: 1,
            Tier.BRANCH: 10,
        }
        path = next(one.path for one in added if one.tier is Tier.BASIC)
        entered = select(Membership.id).join(Membership.org).where(Membership.began_by == "import")
        assert 270 <= len(session.scalars(entered.where(Organisation.path.startswith(path))).all()) <= 330
        rows = session.scalars(select(RegisterRow.id).where(RegisterRow.season_path.startswith(path))).all()
        applied = session.scalars(
            select(Application.id)
            .join(Organisation, Organisation.id == Application.from_org_id)
            .where(Organisation.path.startswith(path))
        ).all()
        assert len(rows) / 3 < len(applied) < len(rows) * 2 / 3
        # Every county of the province has somebody to decide about those who go home.
        assert not session.scalars(
            select(Organisation.id).where(
                Organisation.tier == Tier.COUNTY, ~select(Seat.id).where(Seat.org_id == Organisation.id).exists()
            )
        ).all()
        assert not [finding.name for finding in doctor.examine() if finding.broken]
        db.session.remove()


def test_invented_people_are_plausible_and_different() -> None:
    inventor = Inventor(random.Random(7))
    people = [
        inventor.student(entered=2022, major="数学", student_no=str(number), places=["某省某市某镇"])
        for number in range(3000)
    ]
    assert len({one.id_number for one in people}) == len({one.mobile for one in people}) == 3000
    for one in people:
        known = identity.read(one.id_number, today=date(2026, 10, 14))
        assert known.sex is one.sex
        assert 14 <= known.age_on(one.joined_on) <= 18
        assert len(one.mobile or "") == 11
    names = "".join(one.name for one in people)
    assert all(sign in names for sign in RARE)
    assert missing(names) == []
    assert {one.sex for one in people} == set(Sex)


def test_offices_decide_on_working_days_and_in_office_hours() -> None:
    chance = random.Random(3)
    for number in range(200):
        asked = calendar.any_hour(date(2026, 6, 20), date(2026, 9, 18), chance)
        moments = [
            calendar.office_after(asked, chance),
            calendar.office_hour(date(2026, 9, 28), date(2026, 10, 13), chance),
        ]
        assert asked < moments[0]
        for moment in map(clock.local, moments):
            assert moment.weekday() < 5
            assert not date(2026, 10, 1) <= moment.date() <= date(2026, 10, 7), number
            assert 8 <= moment.hour < 17


def test_nobody_of_the_crowd_is_returned_in_the_first_night() -> None:
    for plot in Crowd(random.Random(5), 1.0).plots(500):
        assert plot is not None
        answered = bool(plot.turns)
        assert answered or clock.local(plot.at).date() >= date(2026, 10, 8)
        assert all(turn.at < calendar.START for turn in plot.turns)
