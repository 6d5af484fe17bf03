"""Graduates who come from 北京, 广东, 福建: a row without origin, counted as incoming and as nobody's own (PD-24)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from tests.rates.conftest import SEASON, SOCIETY, Area
from tests.transfers.steps import EMPLOYED, acting, do
from tests.uploads import SHOT
from tests.world import id_number
from zhtj import doctor
from zhtj.graduation import destinations
from zhtj.graduation.models import RegisterRow
from zhtj.identity import reminders
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, NotFound
from zhtj.notices.models import Message
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Region
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.models import Sex
from zhtj.people.operations import NewMember
from zhtj.rates import drill_down
from zhtj.rates.counting import counters, recount
from zhtj.rates.models import RateCounter
from zhtj.rates.rules import Figures, RateKind
from zhtj.transfers import operations
from zhtj.transfers.deciding import external
from zhtj.transfers.deciding.external import Incoming
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground
from zhtj.transfers.watching import exceptions_register, graduates
from zhtj.transfers.watching.graduates import GraduateFilters

EVERYONE_ABOVE = ("team", "company", "county", "city", "province", "centre")


@pytest.fixture
def area(area: Area) -> Area:
    with unit_of_work():
        new = NewOrganisation(
            "共青团北京市委员会", "团北京市委", Category.LEADING_ORGAN, code="11", system=Region.BEIJING
        )
        area.world.orgs["beijing"] = orgs.create(area.world.orgs["centre"], new)
    return area


def newcomer(serial: int = 480) -> NewMember:
    return NewMember("京来", id_number(serial), f"1380001{serial:04d}", Sex.MALE, date(2019, 5, 1))


def arrive(area: Area, person: NewMember | None = None, **changes: Any) -> Application:
    """Somebody from Beijing is recorded at the company's team."""
    seat = area.world.seat("team")
    wanted = Incoming(
        region=area.world.orgs["beijing"],
        origin_name="北京示例大学团支部",
        person=person or newcomer(),
        destination=area.world.orgs["team"],
        reason="employed_with_org",
        note="收到北京系统的转接通知。",
        upload=SHOT,
    )
    with acting(seat):
        return external.record_incoming(replace(wanted, **changes), seat)


def incoming(area: Area, key: str) -> tuple[int, int]:
    """Incoming society graduates of an organisation, and how many of them are completed."""
    figures = area.figures(key)
    return figures.incoming_society, figures.incoming_society_done


@pytest.mark.rule("PD-24", "M-02")
def test_a_graduate_from_an_external_system_counts_as_incoming_up_to_the_country(area: Area) -> None:
    # Given nobody from outside, and own graduates a, b, c and q
    before = {key: area.figures(key) for key in EVERYONE_ABOVE}
    # When a graduate of a school in Beijing is recorded at the team
    application = arrive(area)
    # Then he has a row without origin, and counts as incoming at every level, as nobody's own
    row = session.get_one(RegisterRow, application.register_row_id)
    assert (row.season, row.origin_org_id, row.season_path, row.category) == (SEASON, None, "", SOCIETY)
    for key in EVERYONE_ABOVE:
        assert area.figures(key) == before[key] + Figures(incoming_society=1), key
    assert str(area.rate("centre")) == "0.00%"
    # And completed he is in the numerator too
    do(operations.accept, application, area.world.seat("team"))
    for key in EVERYONE_ABOVE:
        assert area.figures(key) == before[key] + Figures(incoming_society=1, incoming_society_done=1), key
    assert (area.rate("city").numerator, area.rate("city").denominator) == (1, 4)
    # And each figure is exactly its people
    assert (
        drill_down.listing(drill_down.ListQuery(area.world.orgs["centre"].path, SEASON, "incoming_society")).count()
        == 1
    )


@pytest.mark.rule("PD-24")
def test_a_refused_entrant_counts_nowhere(area: Area) -> None:
    before = {key: area.figures(key) for key in EVERYONE_ABOVE}
    application = arrive(area)
    do(operations.refuse, application, area.world.seat("team"), Ground.NOT_OURS, "经核实，本单位没有这名团员")
    assert {key: area.figures(key) for key in EVERYONE_ABOVE} == before
    # When he is recorded once more, then with the row he has
    again = arrive(area)
    assert again.register_row_id == application.register_row_id
    assert incoming(area, "centre") == (1, 0)


@pytest.mark.rule("PD-24")
def test_who_does_not_graduate_has_no_row(area: Area) -> None:
    assert arrive(area, reason="work").register_row_id is None
    assert incoming(area, "centre") == (0, 0)


def test_for_a_reason_of_graduates_and_others_alike_it_has_to_be_said(area: Area) -> None:
    with pytest.raises(DomainError) as caught:
        arrive(area, reason="other")
    assert caught.value.field == "graduate"
    assert arrive(area, newcomer(481), reason="other", graduate=True).register_row_id is not None
    assert arrive(area, newcomer(482), reason="other", graduate=False).register_row_id is None


def test_what_is_said_has_to_fit_the_reason(area: Area) -> None:
    for reason, said in (("work", True), ("employed_with_org", False)):
        with pytest.raises(DomainError) as caught:
            arrive(area, reason=reason, graduate=said)
        assert caught.value.field == "reason"


@pytest.mark.rule("PD-24", "M-01")
def test_further_study_counts_for_the_other_rate(area: Area) -> None:
    arrive(area, reason="further_study", graduate=True)
    assert area.figures("centre").incoming_study == 1
    assert str(area.rate("centre", RateKind.FURTHER_STUDY)) == "0.00%"


def test_outside_the_campaign_nobody_gets_a_row(area: Area, clock_at: Callable[[str], None]) -> None:
    clock_at("2027-02-01T09:00")
    assert arrive(area).register_row_id is None


def test_who_graduated_here_and_comes_back_keeps_his_row(area: Area) -> None:
    world = area.world
    name = {"external_name": "北京某公司团支部", "external_name_again": "北京某公司团支部"}
    out = area.goes(world.graduate, "beijing", **EMPLOYED, **name)
    do(external.confirm, out, world.seat("class1"), "对方系统已显示该团员。", SHOT)
    known = world.graduate.account
    session.refresh(world.graduate)
    person = NewMember(world.graduate.name, known.id_number or "", known.mobile, Sex.MALE, date(2019, 5, 1))
    back = arrive(area, person)
    assert back.register_row_id == out.register_row_id
    # A secondary transfer: in nobody's incoming figures
    assert incoming(area, "company") == (0, 0)


def test_no_list_of_own_graduates_has_him(area: Area) -> None:
    application = arrive(area)
    for key in ("team", "company", "county", "province", "centre"):
        seat = area.world.seat(key)
        names = [one.row.member.name for one in graduates.listing(seat, SEASON, GraduateFilters()).page().rows]
        assert "京来" not in names
    # Nor can anybody enter his destination, or list him among the special cases
    do(operations.refuse, application, area.world.seat("team"), Ground.NOT_OURS, "经核实，本单位没有这名团员")
    assert destinations.of_member(area.world.seat("centre"), application.member_id) is None
    with pytest.raises(NotFound):
        exceptions_register.of_application(area.world.seat("province"), application)


def test_nobody_is_reminded_of_his_papers(area: Area) -> None:
    arrive(area)
    with unit_of_work():
        reminders.remind()
    titles = session.scalars(select(Message.title)).all()
    assert not [title for title in titles if title.startswith("1 名毕业生")]


@pytest.mark.rule("PD-25")
def test_recount_and_doctor_agree_with_him(area: Area) -> None:
    do(operations.accept, arrive(area), area.world.seat("team"))
    arrive(area, newcomer(481))
    assert not [finding.name for finding in doctor.examine() if finding.broken]
    found = recount.recount()
    assert (found.standings, found.places) == (0, 0)
    assert incoming(area, "centre") == (2, 1)
    # Days past are told from the same rows
    assert not session.scalars(counters.differing(SEASON)).all()
    assert session.scalar(select(RateCounter.incoming_society).where(RateCounter.path == area.world.orgs["team"].path))
