"""Terms that run out, contacts that are due: told in time, each once, whatever was missed (D-18, R-03, R-12)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Select, func, select

from tests.floating.steps import apply, grant, stay_of
from tests.transfers.steps import acting
from tests.world import World
from zhtj import sweeps
from zhtj.floating import operations as floating
from zhtj.floating import queries as ledger
from zhtj.floating.queries import LedgerFilters
from zhtj.floating.rules import DeadlineStage, contact_stage, stage
from zhtj.kernel.database import session
from zhtj.notices.models import Message
from zhtj.people.models import Member


@pytest.fixture
def kept(school: World) -> World:
    """丁一 is retained until 31 December; the next contact is due on 14 April."""
    grant(school, apply(school, school.graduate), "college", "university")
    return school


def told_himself(world: World) -> Select[str]:
    """The titles of what he has been told, the newest first."""
    return select(Message.title).where(Message.member_id == world.graduate.id).order_by(Message.id.desc())


def told(world: World, key: str = "") -> list[str]:
    """What the sweep tells him, or an organisation, now."""
    session.expire_all()
    newest = session.scalar(select(Message.id).order_by(Message.id.desc()).limit(1)) or 0
    sweeps.run("floating")
    session.expire_all()
    query = select(Message.title).where(Message.id > newest)
    who = Message.org_id == world.orgs[key].id if key else Message.member_id == world.graduate.id
    return list(session.scalars(query.where(who)))


@pytest.mark.rule("D-18", "PD-36")
def test_the_end_of_a_retention_is_told_a_month_a_week_ahead_and_when_it_has_passed(kept: World, clock_at: Any) -> None:
    clock_at("2026-11-30T09:00")
    assert told(kept) == []
    for day, titles in (
        ("2026-12-01", ["转出期限快到了"]),
        ("2026-12-23", []),  # the last week has seven days
        ("2026-12-24", ["转出期限快到了"]),
        ("2027-01-01", ["应转出，已经逾期"]),
    ):
        clock_at(f"{day}T09:00")
        assert told(kept) == titles, day
        # Twice is the same as once
        assert told(kept) == []
    assert ledger.listing(kept.seat("college"), LedgerFilters("late")).count() == 1
    # Whoever looks after him finds him among the timers, and moves him on
    (timer,) = ledger.deadlines(kept.seat("university"))
    assert (timer.due_on, timer.rule) == (date(2026, 12, 31), "D-18")


@pytest.mark.rule("PD-36", "D-18")
def test_after_an_outage_only_what_still_applies_is_told(kept: World, clock_at: Any) -> None:
    clock_at("2027-02-01T09:00")
    assert told(kept, "college") == ["1 名流动团员转出期限快到或已到"]
    assert told(kept) == []


@pytest.mark.rule("R-03", "R-11", "D-17")
def test_a_place_found_brings_the_day_forward_and_is_told_again(kept: World, clock_at: Any) -> None:
    own = kept.own_seat(session.get_one(Member, kept.graduate.id))
    with acting(own):
        floating.found(own, session.get_one(Member, kept.graduate.id), date(2026, 10, 14), "示例科技有限公司")
    assert stay_of(kept.graduate).deadline == date(2026, 11, 14)
    clock_at("2026-10-15T09:00")
    assert told(kept) == ["转出期限快到了"]


@pytest.mark.rule("R-12", "R-17")
def test_whoever_is_not_heard_of_is_told_and_listed(kept: World, clock_at: Any) -> None:
    stay = stay_of(kept.graduate)
    assert stay.contact_by == date(2027, 4, 14)
    clock_at("2027-01-02T09:00")
    told(kept)
    clock_at("2027-03-31T09:00")
    before = session.scalar(select(func.count(Message.id)))
    done = sweeps.run("floating").done
    assert done == session.scalar(select(func.count(Message.id))) - before > 0
    assert session.scalars(told_himself(kept)).first() == "该和团组织联系了"
    assert ledger.listing(kept.seat("college"), LedgerFilters("silent")).count() == 0
    clock_at("2027-04-15T09:00")
    assert told(kept, "kept") == ["1 名流动团员该联系了"]
    assert ledger.listing(kept.seat("college"), LedgerFilters("silent")).count() == 1
    # One contact, and the half-year begins anew
    seat = kept.seat("college")
    with acting(seat):
        member = session.get_one(Member, kept.graduate.id)
        floating.contacted(seat, member, date(2027, 4, 15), "电话联系，仍在找工作", None)
    assert stay_of(kept.graduate).contact_by == date(2027, 10, 15)
    assert told(kept) == []


@pytest.mark.rule("R-12")
def test_the_half_year_runs_from_the_latest_contact_in_whatever_order_they_are_logged(
    kept: World, clock_at: Any
) -> None:
    clock_at("2026-12-10T09:00")
    seat = kept.seat("college")
    for on, latest, by in (
        (date(2026, 11, 1), date(2026, 11, 1), date(2027, 5, 1)),
        # A second one moves the day
        (date(2026, 12, 1), date(2026, 12, 1), date(2027, 6, 1)),
        # One that is older, logged late, does not
        (date(2026, 11, 15), date(2026, 12, 1), date(2027, 6, 1)),
    ):
        with acting(seat):
            floating.contacted(seat, session.get_one(Member, kept.graduate.id), on, "电话联系，仍在找工作", None)
        stay = stay_of(kept.graduate)
        assert (stay.last_contact_on, stay.contact_by) == (latest, by), on
    assert len(ledger.log_of(stay_of(kept.graduate))) == 3


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(-400, 400))
def test_stages_only_rise_as_the_day_comes_nearer(deadline: date, offset: int) -> None:
    today = date.fromordinal(deadline.toordinal() + offset)
    tomorrow = date.fromordinal(today.toordinal() + 1)
    assert stage(deadline, tomorrow) >= stage(deadline, today)
    assert contact_stage(deadline, tomorrow) >= contact_stage(deadline, today)
    assert (stage(deadline, today) is DeadlineStage.PAST) == (today > deadline)


@pytest.mark.rule("D-17", "D-18")
def test_when_the_place_came_to_nothing_the_old_term_is_told_anew(kept: World, clock_at: Any) -> None:
    seat, member = kept.seat("college"), session.get_one(Member, kept.graduate.id)
    clock_at("2026-11-20T09:00")
    with acting(seat):
        floating.found(seat, member, date(2026, 11, 20), "示例科技有限公司")
    clock_at("2026-12-02T09:00")
    assert told(kept) == ["转出期限快到了"]
    with acting(seat):
        floating.lost(seat, session.get_one(Member, kept.graduate.id))
    assert stay_of(kept.graduate).deadline == date(2026, 12, 31)
    assert told(kept) == ["转出期限快到了"]


def test_without_a_day_nothing_comes_nearer() -> None:
    assert (stage(None, date(2026, 10, 14)), contact_stage(None, date(2026, 10, 14))) == (DeadlineStage.FAR,) * 2
