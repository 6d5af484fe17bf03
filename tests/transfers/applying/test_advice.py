"""The adviser: for every row of the decision table the right destination, what is forbidden, and where that is."""

from __future__ import annotations

from datetime import date

import pytest

from tests.transfers.steps import accept_into, apply, do
from tests.world import World
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Purpose, Region
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.models import Member
from zhtj.policy.layers import policy_named
from zhtj.policy.vocabulary import Audience, Destination, PlaceTie, Reason, StayingCase, Suitability
from zhtj.transfers.applying.advice import Counsel, counsel, deadlines, offered
from zhtj.transfers.applying.known import UNSURE, Asked
from zhtj.transfers.kinds import admitting_ready
from zhtj.transfers.workflow import State

D, P, R = Destination, PlaceTie, Reason
COMPANY = "示例科技有限公司"
AT = "安徽省合肥市蜀山区井岗镇香樟大道88号"
FAR = "安徽省合肥市蜀山区小庙镇样例村"
COLLEGE = "普通高等院校"


@pytest.fixture
def world(world: World) -> World:
    """The tree with all that an adviser may point at: a second township, 青年之家, park, county branch, a school."""
    with unit_of_work():
        add = _adding(world)
        add("temple", "county", "共青团安徽省合肥市蜀山区小庙镇委员会", "团小庙镇委", township=True)
        add(
            "temple_floating",
            "temple",
            "安徽省合肥市蜀山区小庙镇流动团员团支部",
            "小庙镇流动团员团支部",
            Purpose.FLOATING,
        )
        add("home", "township", "井岗镇青年之家团支部", "井岗镇青年之家团支部", Purpose.YOUTH_HOME)
        add(
            "park", "county", "共青团香樟软件园工作委员会", "香樟软件园团工委", Purpose.PARK, Category.WORKING_COMMITTEE
        )
        add("park_floating", "park", "香樟软件园流动团员团支部", "香樟软件园流动团员团支部", Purpose.FLOATING)
        add("county_floating", "county", "安徽省合肥市蜀山区流动团员团支部", "蜀山区流动团员团支部", Purpose.FLOATING)
        world.add("south", "city", "共青团江南示范大学委员会", "江南示范大学团委", Category.COMMITTEE, COLLEGE)
        world.add("beijing", "centre", "共青团北京市委员会", "团北京市委", Category.LEADING_ORGAN, code="11")
        world.orgs["beijing"].system = Region.BEIJING
        world.orgs["township"].phone = "0551-65330001"
        member = session.merge(world.graduate)
        member.residence, member.household, member.origin = AT, FAR, FAR
    session.refresh(world.graduate)
    return world


def _adding(world: World):
    def add(key, parent, full, short, *purposes, township=None):
        purpose = purposes[0] if purposes else None
        category = Category.COMMITTEE if township else Category.BRANCH
        category = Category.WORKING_COMMITTEE if purpose is Purpose.PARK else category
        new = NewOrganisation(full, short, category, "农村", purpose=purpose, township_flag=township)
        world.orgs[key] = orgs.create(world.orgs[parent], new)

    return add


def freshmen(world: World, school: str = "south") -> None:
    """The admitting school builds its 新生团组织."""
    with unit_of_work():
        new = NewOrganisation(
            "江南示范大学2026级新生团支部", "2026级新生团支部", Category.BRANCH, COLLEGE, purpose=Purpose.NEW_STUDENTS
        )
        world.orgs["freshmen"] = orgs.create(world.orgs[school], new)


def ask(world: World, situation: str, **said) -> Counsel:
    return counsel(Asked(situation, world.graduate, **said))


def names(found: Counsel) -> list[str]:
    return [each.organisation.short_name for each in found.found if each.selectable]


def levels(found: Counsel) -> dict[str, tuple[Suitability, str]]:
    return {each.organisation.short_name: (each.verdict.level, each.verdict.rule) for each in found.found}


# Row, situation, facts; right destinations (or the case); rules of what is forbidden; rules of the notes.
ROWS = [
    (1, "further_study", {}, {D.NEW_STUDENTS}, None, {"T-10", "T-09"}, set()),
    (2, "employed_with_org", {}, {D.UNIT}, None, {"T-04", "T-20", "T-01"}, set()),
    (3, "employed_without_org", {}, {D.TOWNSHIP}, None, {"T-04", "T-20", "T-02"}, set()),
    (4, "employed_without_org", {"township_unable": True}, {D.COUNTY_FLOATING}, None, {"T-04"}, {"T-03"}),
    (5, "enlisted", {}, {D.SPECIAL_POOL}, None, {"S-02"}, set()),
    (6, "secret_unit", {}, {D.SPECIAL_POOL}, None, {"S-02"}, set()),
    (7, "unplaced", {}, {D.TOWNSHIP_FLOATING}, None, {"T-14", "T-07"}, set()),
    (8, "retained", {}, {D.OWN_FLOATING}, StayingCase.RETENTION, {"T-14"}, set()),
    (9, "overseas_study", {}, {D.OWN_OVERSEAS}, StayingCase.OVERSEAS_STUDY, set(), set()),
    (10, "overseas_official", {}, {D.UNIT}, None, {"T-20", "T-17"}, set()),
    (11, "overseas_private", {}, {D.TOWNSHIP}, None, {"T-18"}, set()),
    (12, "delayed", {}, {D.OWN_DELAYED}, StayingCase.DELAY, set(), set()),
    (13, "teacher", {}, set(), None, set(), set()),
    (14, "internal_upgrade", {}, {D.OWN_SCHOOL, D.NEW_STUDENTS}, None, {"T-22"}, set()),
    (15, "teaching_year", {}, {D.OWN_FLOATING}, StayingCase.RETENTION, {"T-10"}, set()),
    (16, "retake_exam", {}, {D.OWN_FLOATING}, StayingCase.RETENTION, {"T-14"}, set()),
    (17, "file_first", {}, {D.OWN_FLOATING}, StayingCase.RETENTION, {"T-04"}, set()),
    (18, "labour_dispatch", {}, {D.UNIT}, None, {"T-20"}, set()),
    (19, "probation", {}, {D.UNIT}, None, {"T-04"}, set()),
    (20, "employed_with_org", {"party_member": True}, {D.UNIT}, None, {"T-04"}, {"T-21"}),
    (21, "dropout", {}, {D.UNIT}, None, set(), set()),
]


@pytest.mark.parametrize("expected", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
@pytest.mark.rule("PD-11")
def test_every_row_of_the_decision_table_is_what_the_adviser_says(world, expected):
    row, situation, said, right, case, forbidden, notes = expected

    found = ask(world, situation, **said)

    assert found.situation.row == row or row in {4, 20}
    assert right <= set(found.right.destinations if found.right else ())
    assert bool(right) == (found.right is not None)
    assert found.case is case
    assert found.right is None or found.right.case is case
    assert forbidden <= {each.rule for each in found.forbidden}
    assert {each.rule for each in found.notes} == notes
    assert all(each.sentence.endswith("。") and each.source for each in [*found.others, *found.forbidden, *found.notes])


@pytest.mark.rule("X-09")
def test_row_22_who_joined_too_young_is_told_that_the_external_systems_refuse_him(world):
    with unit_of_work():
        member = session.merge(world.graduate)
        member.joined_on = date(2016, 5, 1)  # at twelve

    found = ask(world, "employed_without_org", unit_name="某公司", address="北京市海淀区某街道1号")

    assert found.region.short_name == "团北京市委"
    assert "X-09" in {each.rule for each in found.notes}
    assert found.barred.rule == "X-09"
    assert "线下转接" in found.barred.why
    assert (found.right, found.found) == (None, [])


@pytest.mark.parametrize(
    ("said", "region"),
    [
        ({"situation": "employed_without_org", "address": "北京市海淀区某街道1号"}, "团北京市委"),
        ({"situation": "employed_with_org", "unit_name": "北京某公司"}, "团北京市委"),
        ({"situation": "further_study", "unit_name": "北京某大学"}, "团北京市委"),
        # The unit lies here, whatever its name, and wherever he lives or comes from.
        ({"situation": "employed_without_org", "unit_name": "北京某公司", "address": AT}, None),
        ({"situation": "employed_without_org", "unit_name": "某店", "address": "安徽省合肥市"}, None),
        ({"situation": "unplaced"}, None),
        ({"situation": "unplaced", "place": P.RESIDENCE}, "团北京市委"),
    ],
)
def test_the_external_systems_are_known_by_where_he_goes(world, said, region):
    with unit_of_work():
        session.merge(world.graduate).residence = "北京市海淀区某街道2号"

    found = counsel(Asked(member=world.graduate, **said)).region

    assert (found.short_name if found else None) == region


def test_row_23_nobody_is_offered_to_apply_for_nothing(world):
    found = offered(policy_named("2026-national"), Audience.GRADUATE)

    assert {"no_application", "low_age"}.isdisjoint(key for group in found.values() for key in group)


# ---- the concrete organisations


@pytest.mark.rule("T-01")
def test_the_units_own_organisation_is_found_by_name_with_the_number_of_its_office(world):
    with unit_of_work():
        session.merge(world.orgs["company"]).phone = "0551-65550000"

    first = ask(world, "employed_with_org", unit_name=COMPANY).found[0]

    assert (first.organisation.code, first.kind) == (world.orgs["company"].code, D.UNIT)
    assert (first.verdict.level, first.contact.phone) == (Suitability.PREFERRED, "0551-65550000")
    assert first.line[-1] == "团蜀山区委"


def test_a_unit_without_administrator_is_reached_through_the_office_that_acts_for_it(world):
    with unit_of_work():
        _adding(world)("kiosk", "township", "示例小店团支部", "示例小店团支部")

    found = ask(world, "employed_with_org", unit_name="示例小店").found[0]

    assert (found.contact.name, found.contact.phone) == ("团井岗镇委", "0551-65330001")
    assert found.contact.stands_in_for == "示例小店团支部"


@pytest.mark.rule("T-02", "T-07")
def test_without_organisation_the_units_township_comes_first_and_what_takes_people_in_there(world):
    found = ask(world, "employed_without_org", unit_name="某小店", address="合肥市蜀山区井岗镇香樟软件园3栋")

    assert names(found)[0] == "团井岗镇委"
    assert levels(found) == {
        "团井岗镇委": (Suitability.PREFERRED, "T-02"),
        "井岗镇流动团员团支部": (Suitability.ALLOWED, "T-29"),
        "井岗镇青年之家团支部": (Suitability.ALLOWED, "O-14"),
        "香樟软件园团工委": (Suitability.ALLOWED, "T-07"),
        "香樟软件园流动团员团支部": (Suitability.ALLOWED, "T-07"),
        "蜀山区流动团员团支部": (Suitability.WARNED, "T-03"),
    }


def test_a_park_is_offered_to_those_alone_whose_unit_lies_in_it(world):
    found = ask(world, "employed_without_org", unit_name="某小店", address=AT.replace("香樟大道", "天湖路"))

    assert not [name for name in names(found) if "软件园" in name]


@pytest.mark.parametrize(
    ("moment", "unable", "level"),
    [
        ("2026-08-31T12:00", True, None),
        ("2026-08-31T12:00", None, None),
        ("2026-09-01T00:00", None, Suitability.WARNED),
        ("2026-09-01T00:00", True, Suitability.ALLOWED),
    ],
)
@pytest.mark.rule("T-03", "D-15")
def test_the_county_takes_over_from_september_where_the_township_cannot(world, clock_at, moment, unable, level):
    clock_at(moment)

    found = ask(world, "employed_without_org", unit_name="某小店", address=AT, township_unable=unable)

    county = levels(found).get("蜀山区流动团员团支部")
    assert (county[0] if county else None) == level
    assert any(each.rule == "D-15" for each in found.forbidden) == (level is None)


@pytest.mark.rule("T-04", "T-20")
def test_nothing_at_home_is_offered_to_the_employed(world):
    for situation in ("employed_with_org", "employed_without_org", "probation", "overseas_official"):
        found = ask(world, situation, unit_name="某小店", address=AT)

        assert not [name for name in names(found) if "小庙" in name], situation


@pytest.mark.rule("T-14", "K-05")
def test_the_unplaced_are_shown_the_floating_branches_of_all_their_places(world):
    found = ask(world, "unplaced")

    assert names(found)[:2] == ["井岗镇流动团员团支部", "小庙镇流动团员团支部"]
    assert {each.place for each in found.found[:2]} == {P.RESIDENCE, P.HOUSEHOLD}
    assert found.found[0].verdict.level is Suitability.PREFERRED


def test_a_place_that_was_named_is_the_only_one_looked_at(world):
    found = ask(world, "unplaced", place=P.PARENTS_RESIDENCE, address=FAR)

    assert names(found)[:2] == ["小庙镇流动团员团支部", "团小庙镇委"]
    assert {each.place for each in found.found} == {P.PARENTS_RESIDENCE}


@pytest.mark.rule("T-18")
def test_going_abroad_on_ones_own_leads_to_household_or_residence(world):
    found = ask(world, "overseas_private")

    assert set(names(found)[:2]) == {"团井岗镇委", "团小庙镇委"}
    assert P.ORIGIN not in {each.place for each in found.found}
    assert found.said.sentence.startswith("出发前办好")
    # What is advised is what is taken: the township of his residence, not as the place he comes from
    with pytest.raises(DomainError) as refused:
        apply(world, world.graduate, "township", reason="overseas_private", place="origin")
    assert refused.value.rule == "T-18"
    application = apply(world, world.graduate, "township", reason="overseas_private", place="residence")
    assert application.level is Suitability.PREFERRED


@pytest.mark.rule("T-06", "O-13")
def test_on_probation_the_unit_is_right_and_its_temporary_branch_takes_him_in(world):
    with unit_of_work():
        _adding(world)("trainees", "company", "示例科技有限公司临时团支部", "示例科技临时团支部", Purpose.TEMPORARY)

    found = ask(world, "probation", unit_name=COMPANY)

    assert (found.right.level, found.right.rule) == (Suitability.PREFERRED, "T-06")
    assert "临时团支部" in found.right.sentence
    assert levels(found)["示例科技团委"] == (Suitability.PREFERRED, "T-06")
    application = apply(world, world.graduate, "company")
    do(accept_into, application, world.seat("company"), world.orgs["trainees"])
    assert application.state is State.COMPLETED
    assert session.get(Member, world.graduate.id).org_id == world.orgs["trainees"].id


@pytest.mark.rule("T-17", "T-20")
def test_who_is_sent_abroad_goes_to_the_unit_that_sends_him_and_not_home(world):
    found = ask(world, "overseas_official", unit_name=COMPANY)

    assert levels(found)["示例科技团委"] == (Suitability.PREFERRED, "T-17")
    assert found.said.sentence == "出发前办好。"
    with pytest.raises(DomainError) as refused:
        apply(world, world.graduate, "temple", reason="overseas_official", unit_name=COMPANY, place="origin")
    assert refused.value.rule == "T-20"


@pytest.mark.rule("O-14")
def test_youth_homes_and_youth_societies_take_in_whom_the_table_says(world):
    with unit_of_work():
        _adding(world)("society", "city", "合肥市青年志愿者协会团支部", "青年志愿者协会团支部", Purpose.YOUTH_SOCIETY)
    small = {"reason": "employed_without_org", "unit_name": "某小店", "unit_address": AT}

    home = apply(world, world.graduate, "home", place="unit_location", **small)
    assert home.level is Suitability.ALLOWED
    # In a society those who have been away for half a year, which they state.
    with pytest.raises(DomainError, match="在外半年以上"):
        apply(world, world.classmate, "society", **small)
    society = apply(world, world.classmate, "society", **small, remark="在外一年，地点固定", confirmed=True)
    assert (society.level, society.kind) == (Suitability.WARNED, D.YOUTH_SOCIETY)
    assert society.warnings == ["在外半年以上、地点固定的才转到团属青年社团，请写明情况。"]


def test_labour_dispatch_may_lead_home_with_a_word_about_it(world):
    found = ask(world, "labour_dispatch", unit_name=COMPANY, address=AT)

    assert names(found)[0] == "示例科技团委"
    assert levels(found)["团小庙镇委"] == (Suitability.WARNED, "K-09")


@pytest.mark.rule("T-02", "K-08")
def test_living_where_one_is_registered_needs_a_word(world):
    with unit_of_work():
        session.merge(world.graduate).household = AT

    found = ask(world, "employed_without_org", unit_name="某小店", address=FAR)

    assert levels(found)["团小庙镇委"] == (Suitability.PREFERRED, "T-02")
    assert levels(found)["团井岗镇委"] == (Suitability.WARNED, "K-08")


@pytest.mark.parametrize(
    ("unit", "key", "first"),
    [(COMPANY, "employed_with_org", "示例科技团委"), ("某小店", "employed_without_org", "团井岗镇委")],
)
def test_who_does_not_know_whether_the_unit_has_an_organisation_is_told(world, unit, key, first):
    found = ask(world, UNSURE, unit_name=unit, address=AT)

    assert (found.key, names(found)[0]) == (key, first)


@pytest.mark.rule("O-10", "O-09")
def test_a_graduates_organisation_somebody_names_is_shown_with_why_it_cannot_be_chosen(world):
    with unit_of_work():
        world.add("leavers", "south", "江南示范大学2022级毕业班团支部", "毕业班团支部", Category.GRADUATES, COLLEGE)

    (found,) = ask(world, "employed_with_org", unit_name="江南示范大学2022级毕业班").found

    assert not found.selectable
    assert "毕业生团组织" in found.why_not


# ---- further study


@pytest.mark.rule("T-11", "D-12")
def test_before_the_admitting_school_is_ready_the_adviser_says_wait(world):
    found = ask(world, "further_study", unit_name="江南示范大学")

    assert found.ready is False
    assert found.waits
    assert not any(each.selectable for each in found.found)
    assert levels(found)["江南示范大学团委"] == (Suitability.FORBIDDEN, "T-11")
    assert "先不要申请" in found.found[0].why_not


@pytest.mark.rule("T-09", "T-10")
def test_once_it_is_ready_its_new_students_organisation_comes_first(world):
    freshmen(world)

    found = ask(world, "further_study", unit_name="江南示范大学")

    assert found.ready
    assert not found.waits
    assert levels(found) == {
        "2026级新生团支部": (Suitability.PREFERRED, "T-09"),
        "江南示范大学团委": (Suitability.ALLOWED, "T-09"),
    }
    assert "T-10" in {each.rule for each in found.forbidden}


def test_readiness_is_the_schools_whatever_part_of_it_is_named(world):
    freshmen(world)

    assert admitting_ready(world.orgs["south"]) is True
    assert admitting_ready(world.orgs["freshmen"]) is True
    assert admitting_ready(world.orgs["class1"]) is False
    assert admitting_ready(world.orgs["company"]) is None


@pytest.mark.rule("T-22")
def test_inside_the_school_only_its_own_organisations_come_into_question(world):
    found = ask(world, "internal_upgrade")

    assert names(found) == ["计算机学院团总支"]


# ---- visitors, others, special notes, days


def test_a_visitor_of_whom_nothing_is_known_gets_the_same_answer(world):
    found = counsel(Asked("employed_without_org", unit_name="某小店", address=AT))

    assert names(found)[0] == "团井岗镇委"
    assert found.audience is Audience.GRADUATE


def test_who_is_no_graduate_is_advised_with_the_reasons_he_is_offered(world):
    found = counsel(Asked("employed_with_org", world.sophomore, unit_name=COMPANY))
    moved = counsel(Asked("relocated", world.sophomore, place=P.RESIDENCE, address=AT))

    assert (found.reason, names(found)[0]) == (R.WORK, "示例科技团委")
    assert (moved.reason, moved.right.rule) == (R.RELOCATION, "T-28")
    assert "unplaced" not in {key for group in offered(found.policy, Audience.OTHER).values() for key in group}


def test_an_unknown_situation_is_refused(world):
    with pytest.raises(DomainError, match="请选择您的去向"):
        ask(world, "moon")


@pytest.mark.parametrize(
    ("policy", "situation", "day", "expected"),
    [
        ("2026-national", "further_study", "2026-10-14", ["D-11", "D-01"]),
        ("2026-national", "unplaced", "2026-08-01", ["D-07", "D-15", "D-08", "PD-11", "D-01"]),
        ("2020-anhui", "further_study", "2020-08-31", ["D-12", "D-08", "D-09", "D-11", "D-01"]),
        ("2020-college", "further_study", "2020-09-30", ["D-08", "D-11", "D-11", "D-01"]),
        ("2026-national", "overseas_study", "2026-05-01", []),
    ],
)
@pytest.mark.rule("D-07", "D-11", "D-12")
def test_the_days_that_concern_a_group_are_named(policy, situation, day, expected):
    chosen = policy_named(policy)

    found = deadlines(chosen, chosen.situations[situation], date.fromisoformat(day))

    assert [each.rule for each in found] == expected


@pytest.mark.rule("D-19")
def test_at_harbin_each_group_has_its_own_day():
    harbin = policy_named("2022-harbin")

    found = deadlines(harbin, harbin.situations["further_study"], date(2022, 9, 1))

    assert (date(2022, 10, 1), "录取研究生、公务员和其他特殊情况的毕业生完成转接") in [
        (each.day, each.text) for each in found
    ]
    assert [each.text for each in found if each.day == date(2022, 10, 31)][-1] == "全校基本完成各类转接"


def test_the_right_reason_is_what_the_application_will_say(world):
    assert ask(world, "employed_without_org").reason is R.EMPLOYED_WITHOUT_ORG
    assert ask(world, "teacher").reason is None
