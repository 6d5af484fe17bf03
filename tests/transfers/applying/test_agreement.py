"""One destination table: adviser, form, preview and start say the same of every destination (PD-11, PD-60)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.transfers.applying import country
from tests.transfers.applying.country import AT_HOME, AT_WORK
from tests.transfers.steps import acting
from tests.world import World
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member
from zhtj.policy.destinations import Advice
from zhtj.policy.layers import policy_named
from zhtj.policy.vocabulary import Audience, Destination, PlaceTie, ReasonField, Suitability
from zhtj.transfers import operations
from zhtj.transfers.applying import checks, drafts, situations
from zhtj.transfers.applying.advice import Counsel, counsel, offered
from zhtj.transfers.applying.known import Asked
from zhtj.transfers.applying.situations import Submission
from zhtj.transfers.many import mass_starts
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import Initiator
from zhtj.web.member.applying.answers import DraftAnswers, Filling

pytestmark = pytest.mark.rule("PD-60", "PD-11")

SHOP = "某小店"
PLACES = tuple(place for place in PlaceTie if place is not PlaceTie.NONE)
# Everything a destination can be for a graduate of class1, and the same kind of place elsewhere.
TO = (
    *("company", "south", "north", "freshmen", "college", "class2", "city"),
    *("township", "floating", "village", "home", "park", "park_floating", "county_floating", "society"),
    *("temple", "luogang", "luogang_floating", "garden", "garden_floating", "jinshui_floating", "sanhe"),
    *("kept", "abroad", "late"),
)


@pytest.fixture
def world(session: Session) -> World:
    del session
    return country.build()


def situations_of(audience: Audience) -> list[str]:
    policy = policy_named("2026-national")
    return [key for group in offered(policy, audience).values() for key in group]


def details(found: Counsel, place: PlaceTie) -> DraftAnswers:
    """What goes into the draft with the adviser's answer."""
    return DraftAnswers(
        reason=found.reason.value if found.reason else "",
        unit_name=found.asked.unit_name,
        unit_address=found.asked.address,
        place=place.value,
        situation=found.key,
        unable=found.unable_at(place),
    )


def judged(filling: Filling, to: Organisation) -> Iterator[tuple[str, object]]:
    """The form's verdict and what the start says, told in words that can be compared."""
    (situation,) = filling.judged([to])
    yield "form", situation.verdict
    wanted = Submission(
        member=filling.member,
        destination=to,
        reason=filling.answers.reason,
        remark="情况属实",
        confirmed=True,
        **{name: value for name, value in filling.said.items() if name != "remark"},
    )
    (start,) = situations.situations([(wanted, filling.leaver, Initiator.MEMBER)])
    yield "start", start.verdict
    problem = checks.first(start, checks.TABLE)
    yield "checks", problem.rule if problem else ""


@pytest.mark.slow("every situation, every destination, every place")
@pytest.mark.parametrize("key", situations_of(Audience.GRADUATE))
def test_adviser_form_and_start_judge_every_destination_alike(world: World, key: str) -> None:
    member = world.graduate
    first = counsel(Asked(key, member))
    if first.reason is None or not policy_named("2026-national").reasons[first.reason].chooses_destination:
        return
    needs = policy_named("2026-national").reasons[first.reason].needs
    unit = SHOP if {ReasonField.UNIT, ReasonField.SCHOOL} & {*needs} else ""
    by_unit = ReasonField.UNIT in needs
    for place, unable in product(PLACES, (False, True) if key in {"unplaced", "employed_without_org"} else (False,)):
        asked = Asked(
            key,
            member,
            unit_name=unit,
            address=AT_WORK if by_unit else "",
            place=None if by_unit else place,
            township_unable=unable or None,
        )
        found = counsel(asked)
        with unit_of_work():
            drafts.save(member, details(found, place).kept())
        filling = Filling(member)
        for name in TO:
            to = world.orgs[name]
            advised = found.judged_at(to, place)
            said = dict(judged(filling, to))
            where = f"{key} → {name} as {place.value}"
            assert said["form"] == advised.verdict, where
            assert said["start"] == advised.verdict, where
            assert (said["checks"] == "PD-10") == (advised.verdict.case is not None), where
            if advised.verdict.blocks:
                assert said["checks"] == advised.verdict.rule, where
            elif advised.verdict.case is None and filling.is_placed:
                assert said["checks"] in {"", "M-12", "O-10"}, where


@pytest.mark.slow("every situation to its end")
@pytest.mark.parametrize("key", situations_of(Audience.GRADUATE))
def test_what_the_adviser_offers_is_accepted_and_what_he_greys_is_refused(world: World, key: str) -> None:
    for address in (AT_WORK, AT_HOME, ""):
        found = counsel(Asked(key, world.graduate, unit_name=SHOP if address else "中原示范大学", address=address))
        for each in found.found:
            member = session.get_one(Member, world.graduate.id)
            wanted = Submission(
                member=member,
                destination=each.organisation,
                reason=found.reason.value if found.reason else "",
                place=each.place.value if each.place else None,
                unit_name=found.asked.unit_name,
                unit_address=address or None,
                situation=found.key,
                remark="情况属实",
                confirmed=True,
            )
            assert started(world, wanted) == each.selectable, (key, address, each.organisation.short_name)


def started(world: World, wanted: Submission) -> bool:
    """Whether it can be started; nothing stays of it."""
    seat = world.own_seat(wanted.member)
    problem = checks.first(situations.read(wanted, seat), checks.CHECKS)
    return problem is None


@pytest.mark.parametrize("key", situations_of(Audience.GRADUATE))
@pytest.mark.parametrize("unable", [False, True])
@pytest.mark.parametrize("address", ["", AT_WORK])
def test_no_page_allows_and_forbids_the_same_place(world: World, key: str, address: str, *, unable: bool) -> None:
    found = counsel(Asked(key, world.graduate, unit_name=SHOP, address=address, township_unable=unable or None))

    open_now = {(each.kind, each.place or PlaceTie.NONE) for each in found.found if each.selectable}
    open_now |= {cell for each in [found.right, *found.others] if each for cell in cells(each)}
    for each in found.forbidden:
        assert not cells(each) & open_now, each.sentence
        # Its sentence names the place alone: then nothing at that place is offered either.
        for place in each.places:
            local = {kind for kind in Destination if kind.place_bound}
            spoken = set(each.kinds) & local
            assert not {(kind, place) for kind in spoken} & open_now, each.sentence


def cells(option: Advice) -> set[tuple[Destination, PlaceTie]]:
    return {
        (kind, place)
        for kind in option.destinations
        for place in ((option.places or tuple(PlaceTie)) if kind.place_bound else (PlaceTie.NONE,))
    }


# ---- single rulings


def apply(world: World, to: str, **said: Any) -> Application:
    member = session.get_one(Member, world.graduate.id)
    with acting(world.own_seat(member)):
        wanted = Submission(member=member, destination=world.orgs[to], **said)
        return operations.submit(wanted, world.own_seat(member))


def refusal(world: World, to: str, **said: Any) -> tuple[str, str]:
    """Rule and field of what stands in the way."""
    member = session.get_one(Member, world.graduate.id)
    wanted = Submission(member=member, destination=world.orgs[to], **said)
    problem = checks.first(situations.read(wanted, world.own_seat(member)), checks.CHECKS)
    return (problem.rule or "", problem.field or "") if problem else ("", "")


EMPLOYED = {"reason": "employed_without_org", "unit_name": SHOP, "unit_address": AT_WORK}


@pytest.mark.parametrize(
    ("to", "place", "rule"),
    [
        ("township", "unit_location", ""),
        ("floating", "unit_location", ""),
        ("county_floating", "unit_location", "T-03"),  # a warning to be confirmed
        ("temple", "unit_location", "PD-60"),  # another township of the same county
        ("luogang", "unit_location", "T-02"),  # another county, where he has nothing
        ("garden", "unit_location", "T-04"),  # where he is registered
        ("garden", "household", "T-04"),
        ("garden", "residence", "T-04"),
        ("township", "residence", ""),
        ("township", "household", ""),  # whatever he calls it, his unit is there
    ],
)
@pytest.mark.rule("T-02", "T-04")
def test_a_relation_holds_only_where_the_place_is(world: World, to: str, place: str, rule: str) -> None:
    assert refusal(world, to, place=place, **EMPLOYED)[0] == rule


@pytest.mark.parametrize(
    ("to", "place", "rule"),
    [
        ("floating", "residence", ""),
        ("garden_floating", "household", ""),
        ("garden_floating", "residence", ""),  # a true relation counts, whatever he calls it
        ("temple", "residence", "PD-60"),
        ("luogang", "residence", "T-14"),
        ("sanhe", "household", "T-14"),
    ],
)
@pytest.mark.rule("T-14")
def test_the_unplaced_go_to_the_place_they_name_and_to_no_other(world: World, to: str, place: str, rule: str) -> None:
    assert refusal(world, to, reason="unplaced", place=place)[0] == rule


@pytest.mark.parametrize(
    ("residence", "level"),
    [
        ("安徽省合肥市包河区骆岗街道", Suitability.PREFERRED),  # the same prefecture-rank city
        ("安徽省阜阳市颍州区三合镇", Suitability.WARNED),
    ],
)
@pytest.mark.rule("PD-62", "T-02")
def test_a_usual_residence_counts_where_it_is_near_the_unit(world: World, residence: str, level: Suitability) -> None:
    with unit_of_work():
        session.merge(world.graduate).residence = residence
    to = "luogang" if "包河" in residence else "sanhe"

    application = apply(world, to, place="residence", remark="住在这里", confirmed=True, **EMPLOYED)

    assert application.level is level


@pytest.mark.rule("T-02")
def test_an_address_without_township_is_asked_for_and_never_replaced(world: World) -> None:
    typed = {"reason": "employed_without_org", "unit_name": SHOP, "unit_address": "上海市浦东新区张江路1号"}

    found = counsel(Asked("employed_without_org", world.graduate, unit_name=SHOP, address=typed["unit_address"]))

    assert found.incomplete is not None
    assert "没有写到乡镇、街道" in found.incomplete.message
    assert not found.found
    assert refusal(world, "zhangjiang", place="unit_location", **typed) == ("PD-60", "address")


@pytest.mark.rule("T-28")
def test_who_moves_lives_at_the_new_address(world: World) -> None:
    found = counsel(Asked("relocated", world.sophomore, address=AT_HOME.replace("花园口镇样例村", "花园口镇新村")))

    assert [each.organisation for each in found.found][:1] == [world.orgs["garden"]]
    assert found.found[0].place is PlaceTie.RESIDENCE
    assert world.orgs["township"] not in [each.organisation for each in found.found]
    with unit_of_work():
        drafts.save(world.sophomore, DraftAnswers("relocation", unit_address=AT_HOME, place="residence").kept())
    assert Filling(world.sophomore).address == AT_HOME


@pytest.mark.rule("T-03")
def test_a_township_that_has_said_no_comes_after_the_county(world: World) -> None:
    found = counsel(
        Asked("employed_without_org", world.graduate, unit_name=SHOP, address=AT_WORK, township_unable=True)
    )

    first, *others = found.found
    assert first.organisation == world.orgs["county_floating"]
    assert first.verdict.level is Suitability.ALLOWED
    levels = {each.organisation.short_name: each.verdict.level for each in others}
    assert levels["团井岗镇委"] is Suitability.WARNED
    with unit_of_work():
        drafts.save(world.graduate, details(found, PlaceTie.UNIT_LOCATION).kept())
    (form,) = Filling(world.graduate).judged([world.orgs["county_floating"]])
    assert form.verdict == first.verdict


@pytest.mark.rule("T-02", "T-08")
def test_the_dispatched_are_advised_by_what_their_unit_has(world: World) -> None:
    without = counsel(Asked("labour_dispatch", world.graduate, unit_name=SHOP, address=AT_WORK))
    within = counsel(Asked("labour_dispatch", world.graduate, unit_name="示例人力派遣公司"))

    assert without.found[0].organisation == world.orgs["township"]
    assert without.found[0].verdict.level is Suitability.PREFERRED
    home = next(each for each in without.found if each.organisation == world.orgs["garden"])
    assert (home.verdict.level, home.verdict.rule) == (Suitability.WARNED, "K-09")
    assert "T-04" not in {each.rule for each in without.forbidden}
    assert within.found[0].organisation == world.orgs["agency"]
    said = {**EMPLOYED, "situation": "labour_dispatch", "remark": "劳务派遣", "confirmed": True}
    assert refusal(world, "garden", place="household", **said)[0] == ""
    assert apply(world, "garden", place="household", **said).situation == "labour_dispatch"


@pytest.mark.rule("T-23", "T-25")
def test_who_stays_first_is_told_one_thing(world: World) -> None:
    for key in ("teaching_year", "file_first"):
        found = counsel(Asked(key, world.graduate))

        assert found.right is not None
        assert found.right.case is not None
        assert found.others == []
        assert not any("升学的只转到录取学校" in each.sentence for each in found.forbidden)


@pytest.mark.rule("T-11", "D-12")
def test_before_the_school_is_ready_there_is_one_instruction(world: World) -> None:
    found = counsel(Asked("further_study", world.graduate, unit_name="江南示范大学"))

    assert found.waits
    assert found.others == []
    verdict = found.found[0].verdict
    assert verdict.blocks
    assert verdict.instead == ""


@pytest.mark.rule("PD-23", "T-04")
def test_a_bulk_start_says_of_each_line_what_the_adviser_says(world: World) -> None:
    contents = [
        {"member": world.graduate.id, "to": world.orgs["garden"].code, "place": "工作单位所在地", **EMPLOYED},
        {"member": world.classmate.id, "to": world.orgs["township"].code, "place": "工作单位所在地", **EMPLOYED},
    ]

    away, right = mass_starts.examine_out(world.seat("college"), contents, {})

    assert away.error is not None
    assert away.error.rule == "T-04"
    assert right.error is None
