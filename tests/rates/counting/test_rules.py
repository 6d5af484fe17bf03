"""Each rule of the five rates by an example (M-01 … M-12, PD-24)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.rates import town
from tests.rates.conftest import Area
from tests.rates.town import ABROAD, HOME, SPECIAL, STUDY, UNIT
from tests.transfers.steps import accept_into, acting, do
from tests.uploads import SHOT
from zhtj import sweeps
from zhtj.cases.membership import records
from zhtj.floating import operations as floating
from zhtj.floating.operations import Terms
from zhtj.graduation import destinations, personal
from zhtj.graduation import operations as graduation
from zhtj.graduation.destinations import Given
from zhtj.graduation.models import MarkKind
from zhtj.graduation.personal import OwnMark
from zhtj.graduation.queries import register_row
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.models import Member
from zhtj.rates.rules import Figures, Rate, RateKind
from zhtj.transfers import operations
from zhtj.transfers.applying.situations import Submission
from zhtj.transfers.deciding import external
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import State

OWN = ("class1", "college", "university", "city", "province", "centre")
NOBODY_COMES = Figures()
DELAYED = OwnMark(MarkKind.DELAYED, date(2027, 6, 1), "学分未修满")
TEACHER = OwnMark(MarkKind.TEACHER)


@pytest.fixture
def wide(session: Session) -> Area:
    """Five graduates of class 1 (a, b, c and two more) and two of Q's class; nobody has said where he goes."""
    del session
    return town.whole()


def pair(rate: Rate) -> tuple[int, int]:
    return rate.numerator, rate.denominator


def completed(wide: Area, member: Member, to: str, **details: Any) -> Application:
    """He applies, and the branch accepts."""
    application = wide.goes(member, to, **details)
    do(operations.accept, application, wide.world.seat(to))
    return application


def mark(wide: Area, member: Member, wanted: OwnMark) -> None:
    seat = wide.world.seat("university")
    with acting(seat):
        personal.mark_members(seat, session.merge(member).org, [member.id], wanted)


def unmark(wide: Area, member: Member) -> None:
    seat = wide.world.seat("university")
    with acting(seat):
        personal.undo(seat, [member.id])


def says(wide: Area, member: Member, reason: str) -> None:
    """He registers where he goes."""
    with acting(wide.world.own_seat(session.merge(member))):
        row = register_row(member.id, 2026)
        assert row is not None
        destinations.enter(row, Given(reason, unit_name="示例单位", address="示例路1号"))


def keep(wide: Area, member: Member, key: str) -> None:
    """The school keeps him in one of its branches."""
    world = wide.world
    with acting(world.seat("university")):
        member, branch = session.merge(member), session.merge(world.orgs[key])
        floating.keep(member, branch, Terms(town.RETAINED_UNTIL, None, world.orgs["college"]), "case:1")


# -- the five rates


@pytest.mark.rule("M-01", "PD-24")
def test_further_study_is_completed_over_own_and_incoming(wide: Area) -> None:
    # Given: a goes to study in Q and has arrived, b says he will study; q applies to a school in P2
    world = wide.world
    completed(wide, world.graduate, "q_freshmen", **STUDY)
    says(wide, world.classmate, "further_study")
    wide.goes(wide.stranger, "freshmen", **STUDY)
    # Then A / (B + C), where C are only those from outside
    sx = RateKind.FURTHER_STUDY
    found = {key: pair(wide.rate(key, sx)) for key in ("city", "p2", "province", "q", "centre")}
    assert found == {"city": (1, 2), "p2": (0, 1), "province": (1, 3), "q": (1, 2), "centre": (1, 3)}
    assert str(wide.rate("province", sx)) == "33.33%"
    # And none of the three counts as flowing to society
    assert pair(wide.rate("city")) == (0, 3)


@pytest.mark.rule("M-02", "PD-24")
def test_inside_an_area_a_transfer_counts_once_as_its_own(wide: Area) -> None:
    completed(wide, wide.world.graduate, "team", **UNIT)
    completed(wide, wide.world.classmate, "p2_team", **UNIT)
    completed(wide, wide.third, "q_team", **UNIT)
    # The city has the team, the province both, the country all three: nobody comes to them from outside.
    found = {key: pair(wide.rate(key)) for key in ("university", "county", "city", "p2", "province", "q", "centre")}
    assert found == {
        "university": (3, 5),
        "county": (1, 1),
        "city": (3, 5),
        "p2": (1, 1),
        "province": (3, 5),
        "q": (1, 3),
        "centre": (3, 7),
    }


@pytest.mark.rule("M-03", "M-12")
def test_whoever_is_kept_at_the_school_is_not_completed(wide: Area) -> None:
    before = wide.figures("university")
    keep(wide, wide.world.graduate, "kept")
    assert wide.figures("university") == before
    assert pair(wide.rate("university")) == (0, 5)
    # He counts where he graduated, and once he goes on from there
    completed(wide, wide.world.graduate, "team", **UNIT)
    assert pair(wide.rate("class1")) == (1, 5)


@pytest.mark.rule("M-12")
def test_nobody_transfers_into_the_schools_floating_branch(wide: Area) -> None:
    before = wide.figures("university")
    for details in (HOME, {"reason": "other", "remark": "暂时没有单位", "confirmed": True}):
        with pytest.raises(DomainError):
            wide.goes(wide.world.graduate, "kept", **details)
    assert wide.figures("university") == before


@pytest.mark.rule("M-12")
def test_nor_is_anybody_put_there_who_was_taken_in_by_the_school(wide: Area) -> None:
    admitted = {**STUDY, "remark": "本校拟录取研究生，编号附后", "confirmed": True}
    application = wide.goes(wide.world.graduate, "university", **admitted)
    do(operations.release, application, wide.world.seat("college"))
    do(operations.accept, application, wide.world.seat("university"))
    with pytest.raises(DomainError, match="不能分配到学校的流动"):
        do(operations.allocate, application, wide.world.seat("university"), wide.world.orgs["kept"])
    assert wide.figures("university").done == 0


@pytest.mark.rule("M-04")
def test_whoever_has_done_nothing_is_in_the_denominator(wide: Area) -> None:
    for key in OWN[:-1]:
        assert wide.figures(key) == Figures(society=5, unregistered=5), key
    assert str(wide.rate("class1")) == "0.00%"
    # Having registered, he is no longer unregistered, and counts all the same
    says(wide, wide.third, "unplaced")
    assert wide.figures("class1") == Figures(society=5, unregistered=4)


@pytest.mark.rule("M-05", "PD-24")
def test_only_employers_organisations_count_for_the_unit_rate(wide: Area) -> None:
    world = wide.world
    more = session.query(Member).filter_by(org_id=world.orgs["class1"].id).order_by(Member.id).all()[3:]
    completed(wide, world.graduate, "team", **UNIT)
    at_home = wide.goes(world.classmate, "floating", **HOME)
    do(operations.accept, at_home, world.seat("township"))
    army = wide.goes(wide.third, "pool", **SPECIAL)
    do(operations.approve, army, world.seat("province"))
    beijing = wide.goes(more[0], "beijing", **ABROAD)
    do(external.confirm, beijing, world.seat("class1"), "电话核实，对方已接收", SHOT)
    completed(wide, more[1], "q_freshmen", **STUDY)
    # Over all graduates but those who study: the company here and the one in Beijing; neither township nor army
    assert pair(wide.rate("city", RateKind.UNIT)) == (2, 4)
    assert pair(wide.rate("city")) == (4, 4)


@pytest.mark.rule("M-06")
def test_initiated_is_whoever_applied_unless_it_was_only_withdrawn(wide: Area) -> None:
    world, initiated = wide.world, RateKind.INITIATED
    withdrawn = wide.goes(world.graduate, "team", **UNIT)
    assert pair(wide.rate("class1", initiated)) == (1, 5)
    do(operations.withdraw, withdrawn, world.own_seat(world.graduate))
    assert pair(wide.rate("class1", initiated)) == (0, 5)
    # A refusal takes nothing away; it is those who graduated here that count, wherever they go
    refused = wide.goes(world.classmate, "q_team", by="class1", **UNIT)
    do(operations.refuse, refused, world.seat("q_team"), Ground.OTHER, "户籍不在本地不接收")
    assert pair(wide.rate("class1", initiated)) == (1, 5)
    assert pair(wide.rate("q", initiated)) == (0, 2)
    wide.goes(world.graduate, "team", **UNIT)
    assert pair(wide.rate("class1", initiated)) == (2, 5)


@pytest.mark.rule("M-07")
def test_done_are_own_graduates_of_both_kinds_and_nobody_who_comes(wide: Area) -> None:
    world, done = wide.world, RateKind.DONE
    completed(wide, world.graduate, "team", **UNIT)
    completed(wide, world.classmate, "q_freshmen", **STUDY)
    assert pair(wide.rate("city", done)) == (2, 5)
    assert pair(wide.rate("county", done)) == (0, 0)
    assert pair(wide.rate("q", done)) == (0, 2)


@pytest.mark.rule("M-08")
@pytest.mark.parametrize("purpose", [Purpose.YOUTH_HOME, Purpose.PARK])
def test_homes_of_youth_and_parks_complete(wide: Area, purpose: Purpose) -> None:
    world = wide.world
    with unit_of_work():
        parent = session.merge(world.orgs["township" if purpose is Purpose.YOUTH_HOME else "county"])
        new = NewOrganisation(f"井岗镇{purpose.label}团支部", purpose.label, Category.BRANCH, "农村", purpose=purpose)
        world.orgs["place"] = orgs.create(parent, new)
        world.appoint("place")
    without = {"reason": "employed_without_org", "unit_name": "示例小店", "unit_address": "安徽省合肥市蜀山区井岗镇"}
    completed(wide, world.graduate, "place", **without, place="unit_location")
    assert pair(wide.rate("university")) == (1, 5)


@pytest.mark.rule("M-08")
def test_unit_school_township_county_and_special_unit_complete(wide: Area, clock_at: Callable[[str], None]) -> None:
    world = wide.world
    more = session.query(Member).filter_by(org_id=world.orgs["class1"].id).order_by(Member.id).all()
    completed(wide, more[0], "team", **UNIT)
    completed(wide, more[1], "q_freshmen", **STUDY)
    township = wide.goes(more[2], "township", **HOME)
    do(accept_into, township, world.seat("township"), world.orgs["floating"])
    county = wide.goes(more[3], "township", **HOME)
    do(operations.take_over, county, world.seat("county"), world.orgs["county_floating"])
    army = wide.goes(more[4], "pool", **SPECIAL)
    do(operations.approve, army, world.seat("province"))
    assert wide.figures("university").done == 5
    assert pair(wide.rate("university", RateKind.DONE)) == (5, 5)


@pytest.mark.rule("M-08", "M-11", "PD-24")
@pytest.mark.parametrize("disposed", ["delayed", "teacher", "abroad"])
def test_whoever_is_out_of_scope_is_in_no_denominator(wide: Area, disposed: str) -> None:
    # Given an application on its way to Q
    world = wide.world
    wide.goes(world.graduate, "q_team", **UNIT)
    assert (wide.figures("class1").society, wide.figures("q").incoming_society) == (5, 1)
    if disposed == "abroad":
        keep(wide, wide.third, "abroad")
        # Then who studies abroad is counted nowhere
        assert wide.figures("class1").society == 4
        return
    mark(wide, world.graduate, DELAYED if disposed == "delayed" else TEACHER)
    # Then he counts neither where he graduates nor where he goes, and for none of the five
    assert wide.figures("class1") == Figures(society=4, unregistered=4)
    assert wide.figures("q").incoming_society == 0
    assert all(pair(kind.of(wide.figures("class1")))[1] in {0, 4} for kind in RateKind)
    # And the mark taken back, he counts again on both sides
    unmark(wide, world.graduate)
    assert wide.figures("class1") == Figures(society=5, unregistered=4, initiated=1)
    assert wide.figures("q").incoming_society == 1


@pytest.mark.rule("M-09", "PD-24")
@pytest.mark.parametrize("way", ["withdraw", "refuse"])
def test_a_wrong_application_leaves_no_trace_in_either_sides_rate(
    wide: Area, way: str, clock_at: Callable[[str], None]
) -> None:
    clock_at("2026-08-20T09:00")
    world = wide.world
    says(wide, world.graduate, "employed_with_org")
    keys = ("class1", "city", "province", "q", "q_team", "centre")
    before = {key: [str(wide.rate(key, kind)) for kind in _THREE] for key in keys}
    wrong = wide.goes(world.graduate, "q_team", **UNIT)
    assert str(wide.rate("q")) != before["q"][0] or wide.figures("q").incoming_society == 1
    if way == "withdraw":
        do(operations.withdraw, wrong, world.own_seat(world.graduate))
    else:
        do(operations.refuse, wrong, world.seat("q_team"), Ground.OTHER, "户籍不在本地不接收")
    assert {key: [str(wide.rate(key, kind)) for kind in _THREE] for key in keys} == before
    assert wide.figures("q").incoming_society == 0


_THREE = (RateKind.FURTHER_STUDY, RateKind.SOCIETY, RateKind.DONE)


@pytest.mark.rule("M-10")
def test_only_this_years_graduates_count(wide: Area) -> None:
    world = wide.world
    # Class 2 graduates next year, class 3 graduated last year and some of it are left
    with unit_of_work():
        graduation.mark_branch(session.merge(world.orgs["class2"]), month=date(2027, 6, 1))
        graduation.mark_branch(session.merge(world.orgs["class3"]), month=date(2025, 6, 1))
        world.enrol("遗留", "class3")
        graduation.open_register()
    assert wide.figures("university") == Figures(society=5, unregistered=5)
    # And who moves without graduating counts nowhere
    work = {"reason": "work", "unit_name": "示例科技有限公司"}
    moved = wide.goes(world.sophomore, "q_team", **work)
    do(operations.accept, moved, world.seat("q_team"))
    assert wide.figures("q") == Figures(society=2, unregistered=2)
    assert wide.figures("university") == Figures(society=5, unregistered=5)


# -- what becomes of applications


@pytest.mark.rule("PD-24")
def test_a_returned_one_stays_with_whoever_let_it_lapse_until_he_applies_again(
    wide: Area, clock_at: Callable[[str], None]
) -> None:
    world = wide.world
    wide.goes(world.graduate, "p2_team", **UNIT)
    clock_at("2026-10-26T09:00")
    assert sweeps.run("return").done == 1
    # Then P2 keeps him, not completed
    assert pair(wide.rate("p2")) == (0, 1)
    # When he applies elsewhere, P2 is rid of him; and is still when he takes that back
    again = wide.goes(world.graduate, "q_team", **UNIT)
    assert (pair(wide.rate("p2")), pair(wide.rate("q"))) == ((0, 0), (0, 3))
    do(operations.withdraw, again, world.own_seat(world.graduate))
    assert (pair(wide.rate("p2")), pair(wide.rate("q"))) == ((0, 0), (0, 2))
    assert pair(wide.rate("class1")) == (0, 5)
    # What P2 let lapse happened all the same: on that day he was with it
    assert wide.figures("p2", date(2026, 10, 25)).incoming_society == 1


@pytest.mark.rule("PD-24")
def test_what_his_own_branch_let_lapse_is_not_the_new_sides(wide: Area, clock_at: Callable[[str], None]) -> None:
    world = wide.world
    seat = world.seat("p2_team")
    with acting(seat):
        wanted = Submission(session.merge(world.graduate), session.merge(world.orgs["p2_team"]), **UNIT)
        application = operations.submit(wanted, seat)
    assert application.state is State.AWAITING_RELEASE
    assert pair(wide.rate("p2")) == (0, 1)
    clock_at("2026-10-26T09:00")
    assert sweeps.run("return").done == 1
    assert wide.figures("p2") == NOBODY_COMES
    assert wide.figures("p2", date(2026, 10, 20)).incoming_society == 1
    assert wide.figures("p2", date(2026, 10, 25)) == NOBODY_COMES
    assert pair(wide.rate("class1", RateKind.INITIATED)) == (1, 5)


@pytest.mark.rule("PD-24")
@pytest.mark.parametrize("key", ["pool", "beijing"])
def test_special_units_and_external_systems_count_at_the_origin_only(wide: Area, key: str) -> None:
    world = wide.world
    application = wide.goes(world.graduate, key, **(SPECIAL if key == "pool" else ABROAD))
    if key == "pool":
        do(operations.approve, application, world.seat("province"))
    else:
        do(external.confirm, application, world.seat("class1"), "电话核实，对方已接收", SHOT)
    assert {pair(wide.rate(each)) for each in ("class1", "university", "city", "province")} == {(1, 5)}
    above = session.merge(world.orgs[key])
    while above.parent is not None:
        if above.id not in {world.orgs[each].id for each in OWN}:
            world.orgs["above"] = above
            assert wide.figures("above") == NOBODY_COMES
        above = above.parent


@pytest.mark.rule("PD-24")
def test_a_secondary_transfer_counts_nowhere_and_undoes_nothing(wide: Area) -> None:
    world = wide.world
    completed(wide, world.graduate, "p2_team", **UNIT)
    before = {key: wide.figures(key) for key in ("class1", "p2", "q", "province", "centre")}
    second = wide.goes(world.graduate, "q_team", **UNIT)
    assert {key: wide.figures(key) for key in before} == before
    do(operations.accept, second, world.seat("q_team"))
    assert {key: wide.figures(key) for key in before} == before


@pytest.mark.rule("PD-24", "M-07")
def test_whoever_leaves_the_league_leaves_the_denominators(wide: Area) -> None:
    member = wide.third
    with acting(wide.world.seat("university")):
        records.archive(session.merge(member), "died", "case:1")
    assert wide.figures("class1") == Figures(society=4, unregistered=4)
    with acting(wide.world.seat("university")):
        records.restore(session.merge(member), "case:2")
    assert wide.figures("class1") == Figures(society=5, unregistered=5)


@pytest.mark.rule("PD-24")
def test_the_later_word_decides_the_rate_until_completion(wide: Area) -> None:
    world = wide.world
    says(wide, world.graduate, "further_study")
    application = wide.goes(world.graduate, "q_team", **UNIT)
    assert (wide.figures("class1").further_study, wide.figures("q").incoming_society) == (0, 1)
    says(wide, world.graduate, "further_study")
    assert (wide.figures("class1").further_study, wide.figures("q").incoming_study) == (1, 1)
    do(operations.accept, application, world.seat("q_team"))
    assert wide.figures("q").incoming_study_done == 1


@pytest.mark.rule("PD-24")
@pytest.mark.parametrize(
    ("numerator", "denominator", "shown"),
    [(1, 3, "33.33%"), (2, 3, "66.67%"), (1, 800, "0.13%"), (1, 160, "0.63%"), (3, 800, "0.38%"), (7, 7, "100.00%")],
)
def test_two_decimals_half_up(numerator: int, denominator: int, shown: str) -> None:
    assert str(Rate(numerator, denominator)) == shown


@pytest.mark.rule("PD-24")
def test_nothing_of_nothing_is_a_dash() -> None:
    assert (Rate(0, 0).value, str(Rate(0, 0))) == (None, "—")
    assert [str(kind.of(Figures())) for kind in RateKind] == ["—"] * 5


@pytest.mark.rule("PD-08")
def test_a_late_mark_counts_from_its_day(wide: Area, clock_at: Callable[[str], None]) -> None:
    before = clock.today()
    clock_at(clock.now() + timedelta(days=3))  # type: ignore[arg-type]
    with unit_of_work():
        graduation.mark_branch(session.merge(wide.world.orgs["class2"]), month=date(2026, 6, 1))
    assert (wide.figures("college").society, wide.figures("college", before).society) == (7, 5)
