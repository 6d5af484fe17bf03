"""The destination table answers every case, says why, and never leaves anybody without a way out."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhtj.policy import rulebook
from zhtj.policy.destinations import Answers, advise, groups, judge, options, rows
from zhtj.policy.layers import layer_names, policy_named
from zhtj.policy.parts import Facts
from zhtj.policy.vocabulary import Audience, CountsAs, Destination, PlaceTie, Reason, StayingCase, Suitability

PATIENT = settings(deadline=None)  # a busy machine is no failure
NAMES = [name for name in layer_names() if name != "base"]
RUNNING = policy_named("2026-national")
R, D, P = Reason, Destination, PlaceTie
GUIDE = "《毕业生团员团组织关系转接工作指引》"
YES, BEST, ASK, NO = Suitability.ALLOWED, Suitability.PREFERRED, Suitability.WARNED, Suitability.FORBIDDEN

FACTS = st.builds(Facts, **{name: st.sampled_from([None, None, True, False]) for name in Facts.model_fields})
POLICIES = st.sampled_from([policy_named(name) for name in NAMES])


@pytest.mark.parametrize("name", NAMES)
def test_every_reason_destination_and_place_gets_a_verdict_with_rule_and_sentence(name):
    policy = policy_named(name)

    for reason, destination, place in product(Reason, Destination, PlaceTie):
        verdict = judge(policy, reason, destination, place)
        assert verdict.rule in rulebook.rules()
        assert verdict.source
        assert verdict.why.endswith("。")
        assert len(verdict.why) <= 70


@pytest.mark.parametrize(
    ("reason", "destination", "place", "facts", "expected"),
    [
        # row 1: further study
        (R.FURTHER_STUDY, D.NEW_STUDENTS, None, {}, (BEST, "T-09")),
        (R.FURTHER_STUDY, D.SCHOOL, None, {}, (YES, "T-09")),
        (R.FURTHER_STUDY, D.NEW_STUDENTS, None, {"admitting_ready": False}, (NO, "T-11")),
        (R.FURTHER_STUDY, D.TOWNSHIP, P.HOUSEHOLD, {}, (NO, "T-10")),
        (R.FURTHER_STUDY, D.TOWNSHIP_FLOATING, P.PARENTS_RESIDENCE, {}, (NO, "T-10")),
        # row 2: the unit has an organisation
        (R.EMPLOYED_WITH_ORG, D.UNIT, None, {}, (BEST, "T-01")),
        (R.EMPLOYED_WITH_ORG, D.TOWNSHIP, P.HOUSEHOLD, {}, (NO, "T-04")),
        (R.EMPLOYED_WITH_ORG, D.TOWNSHIP_FLOATING, P.ORIGIN, {}, (NO, "T-20")),
        (R.EMPLOYED_WITH_ORG, D.TOWNSHIP, P.RESIDENCE, {}, (NO, "T-01")),
        (R.EMPLOYED_WITH_ORG, D.TOWNSHIP, P.UNIT_LOCATION, {}, (ASK, "T-01")),
        # row 3: it has none
        (R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.UNIT_LOCATION, {}, (BEST, "T-02")),
        (R.EMPLOYED_WITHOUT_ORG, D.YOUTH_HOME, P.UNIT_LOCATION, {}, (YES, "O-14")),
        (R.EMPLOYED_WITHOUT_ORG, D.PARK, P.UNIT_LOCATION, {}, (YES, "T-07")),
        (R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.RESIDENCE, {}, (BEST, "T-02")),
        (R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.RESIDENCE, {"near_unit": True}, (BEST, "T-02")),
        (R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.RESIDENCE, {"near_unit": False}, (ASK, "PD-62")),
        (R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.RESIDENCE, {"also_household": True}, (ASK, "K-08")),
        (R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP_FLOATING, P.RESIDENCE, {"near_unit": True}, (YES, "T-29")),
        (R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP_FLOATING, P.RESIDENCE, {"near_unit": False}, (ASK, "PD-62")),
        (R.EMPLOYED_WITHOUT_ORG, D.YOUTH_HOME, P.RESIDENCE, {}, (NO, "O-14")),
        (R.EMPLOYED_WITHOUT_ORG, D.PARK, P.RESIDENCE, {}, (NO, "O-14")),
        (R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.HOUSEHOLD, {}, (NO, "T-04")),
        (R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.NONE, {}, (NO, "T-02")),
        (R.EMPLOYED_WITHOUT_ORG, D.UNIT, None, {}, (NO, "T-01")),
        # row 4: the county
        (R.EMPLOYED_WITHOUT_ORG, D.COUNTY_FLOATING, P.UNIT_LOCATION, {"township_unable": True}, (YES, "T-03")),
        (R.EMPLOYED_WITHOUT_ORG, D.COUNTY_FLOATING, P.UNIT_LOCATION, {}, (ASK, "T-03")),
        (R.EMPLOYED_WITHOUT_ORG, D.COUNTY_FLOATING, P.RESIDENCE, {"township_unable": True}, (YES, "T-03")),
        (R.EMPLOYED_WITHOUT_ORG, D.COUNTY_FLOATING, P.RESIDENCE, {"near_unit": False}, (ASK, "PD-62")),
        (R.EMPLOYED_WITHOUT_ORG, D.COUNTY_FLOATING, P.RESIDENCE, {"county_open": False}, (NO, "D-15")),
        (R.UNPLACED, D.COUNTY_FLOATING, P.HOUSEHOLD, {"township_unable": True}, (YES, "T-03")),
        # A township that has said no is only warned about once the county takes over, and the county itself is not.
        (R.UNPLACED, D.TOWNSHIP, P.RESIDENCE, {"township_unable": True, "county_open": True}, (ASK, "T-03")),
        (R.UNPLACED, D.TOWNSHIP_FLOATING, P.RESIDENCE, {"township_unable": True, "county_open": True}, (ASK, "T-03")),
        (R.UNPLACED, D.TOWNSHIP_FLOATING, P.RESIDENCE, {"township_unable": True, "county_open": False}, (BEST, "T-14")),
        (R.UNPLACED, D.COUNTY_FLOATING, P.HOUSEHOLD, {"township_unable": True, "county_open": True}, (YES, "T-03")),
        (R.UNPLACED, D.COUNTY_FLOATING, P.HOUSEHOLD, {"township_unable": True, "county_open": False}, (NO, "D-15")),
        # rows 5, 6: special units
        (R.SPECIAL_UNIT, D.SPECIAL_POOL, None, {}, (BEST, "S-02")),
        (R.SPECIAL_UNIT, D.UNIT, None, {}, (NO, "S-02")),
        (R.EMPLOYED_WITH_ORG, D.SPECIAL_POOL, None, {}, (NO, "S-02")),
        # row 7: no destination yet
        (R.UNPLACED, D.TOWNSHIP_FLOATING, P.RESIDENCE, {}, (BEST, "T-14")),
        (R.UNPLACED, D.TOWNSHIP_FLOATING, P.HOUSEHOLD, {}, (YES, "T-14")),
        (R.UNPLACED, D.TOWNSHIP_FLOATING, P.ORIGIN, {}, (ASK, "K-05")),
        (R.UNPLACED, D.TOWNSHIP_FLOATING, P.PARENTS_RESIDENCE, {}, (ASK, "K-05")),
        (R.UNPLACED, D.TOWNSHIP, P.ORIGIN, {}, (ASK, "K-05")),
        (R.UNPLACED, D.COUNTY_FLOATING, P.ORIGIN, {"township_unable": True}, (ASK, "K-05")),
        (R.UNPLACED, D.COUNTY_FLOATING, P.ORIGIN, {"county_open": False}, (NO, "D-15")),
        (R.UNPLACED, D.TOWNSHIP, P.HOUSEHOLD, {}, (YES, "K-06")),
        (R.UNPLACED, D.TOWNSHIP_FLOATING, P.HOUSEHOLD, {"employed_elsewhere": True}, (NO, "T-05")),
        (R.UNPLACED, D.TOWNSHIP_FLOATING, P.UNIT_LOCATION, {}, (NO, "T-14")),
        (R.UNPLACED, D.TOWNSHIP_FLOATING, P.NONE, {}, (NO, "T-14")),
        (R.UNPLACED, D.UNIT, None, {}, (NO, "T-01")),
        # rows 10, 11: abroad
        (R.OVERSEAS_OFFICIAL, D.UNIT, None, {}, (BEST, "T-17")),
        (R.OVERSEAS_OFFICIAL, D.TOWNSHIP, P.HOUSEHOLD, {}, (NO, "T-20")),
        (R.OVERSEAS_PRIVATE, D.TOWNSHIP, P.HOUSEHOLD, {}, (BEST, "T-18")),
        (R.OVERSEAS_PRIVATE, D.TOWNSHIP, P.PARENTS_RESIDENCE, {}, (BEST, "T-18")),
        (R.OVERSEAS_PRIVATE, D.TOWNSHIP, P.ORIGIN, {}, (NO, "T-18")),
        # row 14: inside the school
        (R.INTERNAL_UPGRADE, D.OWN_SCHOOL, None, {}, (BEST, "T-22")),
        (R.INTERNAL_UPGRADE, D.NEW_STUDENTS, None, {"inside_own_school": False}, (NO, "T-22")),
        (R.INTERNAL_TRANSFER, D.SCHOOL, None, {}, (NO, "T-22")),
        # rows 18, 19, 21, 22
        (R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.HOUSEHOLD, {"labour_dispatch": True}, (ASK, "K-09")),
        (R.EMPLOYED_WITH_ORG, D.UNIT, None, {"probation": True}, (BEST, "T-06")),
        (R.OTHER, D.UNIT, None, {"dropout": True}, (YES, "T-26")),
        (R.FURTHER_STUDY, D.EXTERNAL, None, {"low_age": True}, (NO, "X-09")),
        (R.FURTHER_STUDY, D.EXTERNAL, None, {}, (YES, "X-02")),
        # everybody
        (R.FURTHER_STUDY, D.GRADUATES, None, {}, (NO, "O-10")),
        (R.UNPLACED, D.OTHER_SCHOOL_BRANCH, None, {}, (NO, "R-01")),
        (R.UNPLACED, D.LEADING_ORGAN, None, {}, (NO, "T-01")),
        (R.UNPLACED, D.TOWNSHIP_FLOATING, P.RESIDENCE, {"delayed": True}, (NO, "R-08")),
        # those who are no graduates of the season
        (R.WORK, D.UNIT, None, {}, (BEST, "T-01")),
        (R.WORK, D.TOWNSHIP, P.UNIT_LOCATION, {}, (YES, "T-02")),
        (R.WORK, D.TOWNSHIP, P.RESIDENCE, {}, (YES, "D-20")),
        (R.WORK, D.TOWNSHIP, P.HOUSEHOLD, {}, (NO, "T-04")),
        (R.RELOCATION, D.VILLAGE, P.RESIDENCE, {}, (BEST, "T-28")),
        (R.RELOCATION, D.TOWNSHIP, P.HOUSEHOLD, {}, (YES, "T-28")),
        (R.RELOCATION, D.TOWNSHIP, P.ORIGIN, {}, (NO, "T-28")),
        (R.OTHER, D.TOWNSHIP, P.NONE, {}, (ASK, "PD-10")),
    ],
)
@pytest.mark.rule("PD-11", "PD-62")
def test_the_running_season_decides_as_the_decision_table_says(reason, destination, place, facts, expected):
    verdict = judge(RUNNING, reason, destination, place, **facts)

    assert (verdict.level, verdict.rule) == expected
    assert verdict.blocks == (NO in expected)
    assert verdict.needs_remark == (ASK in expected)


@pytest.mark.parametrize(
    ("name", "reason", "destination", "place", "expected"),
    [
        ("2020-national", R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.RESIDENCE, (NO, "T-02")),
        ("2019-national", R.UNPLACED, D.VILLAGE, P.HOUSEHOLD, (YES, "K-06")),
        ("2020-national", R.UNPLACED, D.VILLAGE, P.HOUSEHOLD, (ASK, "K-06")),
        ("2020-college", R.OVERSEAS_PRIVATE, D.TOWNSHIP_FLOATING, P.ORIGIN, (BEST, "K-13")),
        ("2020-college", R.OVERSEAS_OFFICIAL, D.TOWNSHIP, P.UNIT_LOCATION, (YES, "T-02")),
        ("2022-national", R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.RESIDENCE, (BEST, "T-02")),
        ("2022-national", R.UNPLACED, D.TOWNSHIP_FLOATING, P.ORIGIN, (ASK, "K-05")),
        ("2020-national", R.UNPLACED, D.TOWNSHIP_FLOATING, P.ORIGIN, (BEST, "T-14")),
        ("2020-national", R.UNPLACED, D.TOWNSHIP_FLOATING, P.HOUSEHOLD, (BEST, "T-14")),
        ("2020-national", R.UNPLACED, D.TOWNSHIP_FLOATING, P.PARENTS_RESIDENCE, (YES, "T-14")),
        ("2022-harbin", R.FURTHER_STUDY, D.TOWNSHIP, P.HOUSEHOLD, (NO, "T-10")),
        ("2022-harbin", R.UNPLACED, D.TOWNSHIP_FLOATING, P.ORIGIN, (BEST, "T-14")),
        ("2022-harbin", R.UNPLACED, D.TOWNSHIP_FLOATING, P.PARENTS_RESIDENCE, (ASK, "K-05")),
        ("2022-nankai", R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.RESIDENCE, (YES, "T-02")),
        ("2022-nankai", R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.HOUSEHOLD, (NO, "T-04")),
        ("2022-nankai", R.UNPLACED, D.TOWNSHIP, P.RESIDENCE, (BEST, "T-14")),
        ("2022-nankai", R.UNPLACED, D.TOWNSHIP_FLOATING, P.HOUSEHOLD, (YES, "T-14")),
        ("2022-nankai", R.UNPLACED, D.TOWNSHIP_FLOATING, P.ORIGIN, (NO, "K-05")),
    ],
)
def test_years_and_places_differ_as_their_documents_do(name, reason, destination, place, expected):
    verdict = judge(policy_named(name), reason, destination, place)

    assert (verdict.level, verdict.rule) == expected


def test_no_local_layer_goes_past_the_lines_that_are_read_first():
    nankai = policy_named("2022-nankai")

    assert judge(nankai, R.UNPLACED, D.TOWNSHIP, P.RESIDENCE, employed_elsewhere=True).rule == "T-05"
    assert judge(nankai, R.UNPLACED, D.TOWNSHIP_FLOATING, P.RESIDENCE, delayed=True).rule == "R-08"


@pytest.mark.parametrize(
    ("reason", "destination", "facts", "case", "rule"),
    [
        (R.UNPLACED, D.OWN_FLOATING, {}, StayingCase.RETENTION, "T-15"),
        (R.UNPLACED, D.OWN_FLOATING, {"retake_exam": True}, StayingCase.RETENTION, "T-24"),
        (R.FURTHER_STUDY, D.OWN_FLOATING, {"teaching_year": True}, StayingCase.RETENTION, "T-23"),
        (R.EMPLOYED_WITH_ORG, D.OWN_FLOATING, {"file_first": True}, StayingCase.RETENTION, "T-25"),
        (R.OTHER, D.OWN_FLOATING, {"dropout": True}, StayingCase.RETENTION, "T-26"),
        (R.FURTHER_STUDY, D.OWN_OVERSEAS, {}, StayingCase.OVERSEAS_STUDY, "T-16"),
        (R.OVERSEAS_PRIVATE, D.OWN_OVERSEAS, {}, StayingCase.OVERSEAS_STUDY, "PD-62"),
        (R.OTHER, D.OWN_DELAYED, {}, StayingCase.DELAY, "T-19"),
    ],
)
def test_staying_put_opens_a_case_instead_of_a_transfer(reason, destination, facts, case, rule):
    verdict = judge(RUNNING, reason, destination, **facts)

    assert (verdict.level, verdict.case, verdict.rule) == (YES, case, rule)


def test_at_nankai_a_delayed_graduate_is_kept_where_he_studies():
    verdict = judge(policy_named("2022-nankai"), R.OTHER, D.OWN_SCHOOL, delayed=True)

    assert (verdict.case, verdict.rule) == (StayingCase.DELAY, "T-19")
    assert judge(RUNNING, R.OTHER, D.OWN_SCHOOL, delayed=True).case is None


@pytest.mark.parametrize(
    ("reason", "facts", "rule"),
    [
        (R.UNPLACED, {"retention_right": False}, "R-01"),
        (R.UNPLACED, {"delayed": True}, "R-08"),
        (R.EMPLOYED_WITH_ORG, {}, "R-01"),
        (R.FURTHER_STUDY, {}, "T-09"),
    ],
)
def test_who_may_not_be_retained_is_told_so(reason, facts, rule):
    verdict = judge(RUNNING, reason, D.OWN_FLOATING, **facts)

    assert (verdict.level, verdict.case, verdict.rule) == (NO, None, rule)


# ---- why, and what instead


def test_the_sentence_names_the_reason_and_the_way_out():
    verdict = judge(RUNNING, R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.HOUSEHOLD)

    assert verdict.sentence.startswith("已经就业的不能转到户籍地。可以转到：工作单位所在地的乡镇街道团组织；")
    assert verdict.source.startswith("《毕业生团员团组织关系转接工作指引》（2020）常见问题 5")


def test_a_reason_that_fits_better_is_named():
    verdict = judge(RUNNING, R.UNPLACED, D.UNIT)

    assert verdict.reasons == ((R.EMPLOYED_WITH_ORG, "已落实工作单位（单位有团组织）"),)
    assert verdict.sentence.endswith("可改选原因：“已落实工作单位（单位有团组织）”。")


def test_a_better_reason_is_one_that_is_offered_to_the_same_people():
    for policy, reason, destination, place in product([RUNNING], Reason, Destination, PlaceTie):
        for better, _ in judge(policy, reason, destination, place).reasons:
            assert set(policy.reasons[better].audiences) & set(policy.reasons[reason].audiences)


@pytest.mark.slow("goes through every question the table can be asked")
@PATIENT
@given(policy=POLICIES, reason=st.sampled_from(Reason), facts=FACTS)
def test_every_alternative_is_itself_legal(policy, reason, facts):
    known = dict(facts)
    for destination, place in product(Destination, PlaceTie):
        for other in judge(policy, reason, destination, place, **known).alternatives:
            for to, at in product(other.destinations, other.places or PlaceTie):
                assert judge(policy, reason, to, at, **known).level in {BEST, YES}


@PATIENT
@given(policy=POLICIES, reason=st.sampled_from(Reason), facts=FACTS)
def test_options_and_verdicts_are_one_table(policy, reason, facts):
    for option in options(policy, reason, facts):
        for to, at in product(option.destinations, option.places or PlaceTie):
            verdict = judge(policy, reason, to, at, **dict(facts))
            assert (verdict.level, verdict.rule, verdict.why) == (option.level, option.rule, option.sentence)


def test_what_is_not_bound_to_a_place_does_not_ask_for_one():
    assert {judge(RUNNING, R.EMPLOYED_WITH_ORG, D.UNIT, place) for place in PlaceTie} == {
        judge(RUNNING, R.EMPLOYED_WITH_ORG, D.UNIT)
    }


def test_an_unknown_fact_is_refused():
    with pytest.raises(ValueError, match="hungry"):
        judge(RUNNING, R.UNPLACED, D.TOWNSHIP, P.RESIDENCE, hungry=True)


# ---- the 23 rows


COUNTS = {
    CountsAs.COMPLETED: {1, 2, 3, 4, 5, 6, 7, 10, 11, 14, 18, 19, 20, 21},
    CountsAs.NOT_COMPLETED: {8, 15, 16, 17, 23},
    CountsAs.OUT_OF_SCOPE: {9, 12, 13},
    CountsAs.NONE: {22},
}


def test_the_decision_table_has_its_rows_and_counts_them_as_written():
    table = rows(RUNNING)

    assert [row.row for row in table] == list(range(1, 24))
    for counts, numbers in COUNTS.items():
        assert {row.row for row in table if row.counts is counts} == numbers
    assert {row.row for row in table if row.rate == "SX"} == {1, 14, 15}


@pytest.mark.parametrize("row", rows(RUNNING), ids=lambda row: str(row.row))
def test_a_row_is_offered_by_the_adviser_applies_by_itself_or_needs_nobody(row):
    assert bool(row.group) + (row.when is not None) == (0 if row.row == 23 else 1)
    assert row.say.endswith("。")
    if row.reason:
        allowed = RUNNING.reasons[row.reason].initiators
        assert set(row.initiators) <= set(allowed)


# ---- the adviser


def test_the_adviser_asks_where_somebody_is_going():
    offered = groups(RUNNING)

    assert list(offered) == [
        "继续读书",
        "工作",
        "参军或去涉密单位",
        "还没有落实去向",
        "出国（境）",
        "仍在学校",
        "其他情况",
    ]
    assert "employed_without_org" in offered["工作"]


def test_the_employed_without_organisation_are_sent_to_the_units_township_and_not_home():
    advice = advise(RUNNING, Answers(situation="employed_without_org", places=(P.HOUSEHOLD,)))

    said, best, *rest = advice
    assert (said.level, said.title) == (None, "已落实工作单位，单位没有团组织")
    assert (best.level, best.title, best.rule) == (BEST, "工作单位所在地的乡镇街道团组织", "T-02")
    assert best.source
    assert next((each.title, each.rule) for each in rest if each.level is NO) == ("户籍所在地的属地团组织", "T-04")


def test_whoever_wants_to_stay_sees_the_case_first_and_then_where_he_could_go():
    advice = advise(RUNNING, Answers(situation="retained"))

    assert advice[1].case is StayingCase.RETENTION
    assert advice[2].destinations == (D.TOWNSHIP_FLOATING,)


def test_overseas_students_are_shown_their_case_alone():
    said, case = advise(RUNNING, Answers(situation="overseas_study"))

    assert said.rule == "T-16"
    assert (case.case, case.title) == (StayingCase.OVERSEAS_STUDY, "办理“出国（境）学习研究”")


def test_circumstances_add_their_word_at_the_end():
    answers = Answers(situation="unplaced", party_member=True, township_unable=True)

    advice = advise(RUNNING, answers)

    assert [each.rule for each in advice[-2:]] == ["T-03", "T-21"]
    assert any(each.destinations == (D.COUNTY_FLOATING,) and each.level is YES for each in advice)


def test_nobody_is_advised_to_open_a_case_he_did_not_ask_for():
    advice = advise(RUNNING, Answers(situation="employed_with_org"))

    assert {each.case for each in advice} == {None}


@pytest.mark.rule("T-18")
@pytest.mark.parametrize("name", ["2020-national", "2022-national", "2026-national"])
def test_abroad_on_ones_own_is_before_departure_to_household_or_residence_and_nowhere_else(name):
    policy = policy_named(name)
    fits = {P.HOUSEHOLD, P.RESIDENCE, P.PARENTS_RESIDENCE}
    township = {place: judge(policy, R.OVERSEAS_PRIVATE, D.TOWNSHIP, place) for place in PlaceTie}

    assert {place for place, verdict in township.items() if verdict.level is BEST} == fits
    assert {(each.level, each.rule) for place, each in township.items() if place not in fits} == {(NO, "T-18")}
    for place in fits:
        assert "出发前" in township[place].why
        assert judge(policy, R.OVERSEAS_PRIVATE, D.TOWNSHIP_FLOATING, place).level is YES
    for elsewhere in (D.UNIT, D.SCHOOL, D.OWN_SCHOOL, D.PARK, D.YOUTH_SOCIETY, D.LEADING_ORGAN):
        assert judge(policy, R.OVERSEAS_PRIVATE, elsewhere, P.RESIDENCE).level is NO
    said, *_ = advise(policy, Answers(situation="overseas_private"))
    assert said.sentence.startswith("出发前办好")


@pytest.mark.rule("PD-62")
@pytest.mark.parametrize(("name", "stays"), [("2020-national", False), ("2022-national", True)])
def test_who_lives_abroad_may_stay_since_2022_and_is_told_so(name, stays):
    said, best, *rest = advise(policy_named(name), Answers(situation="overseas_private"))

    assert (best.level, best.rule) == (BEST, "T-18")
    assert (StayingCase.OVERSEAS_STUDY in {each.case for each in rest}) == stays
    assert ("也可以申请把关系留在学校" in said.sentence) == stays


@pytest.mark.rule("PD-62")
@pytest.mark.parametrize(
    ("name", "reason", "destination", "place", "source"),
    [
        # What edition 4.0 says anew is cited as edition 4.0, whichever layer's line it is; what it leaves out is not.
        ("2022-national", R.UNPLACED, D.TOWNSHIP_FLOATING, P.RESIDENCE, f"{GUIDE}（4.0 版，2022 年 5 月）"),
        ("2026-national", R.FURTHER_STUDY, D.TOWNSHIP, P.HOUSEHOLD, f"{GUIDE}（4.0 版，2022 年 5 月）"),
        ("2020-national", R.FURTHER_STUDY, D.TOWNSHIP, P.HOUSEHOLD, f"{GUIDE}（2020） §2.2"),
        ("2026-national", R.EMPLOYED_WITHOUT_ORG, D.TOWNSHIP, P.HOUSEHOLD, f"{GUIDE}（2020）常见问题 5"),
        # A local document is cited for what it says itself.
        ("2022-nankai", R.UNPLACED, D.TOWNSHIP, P.RESIDENCE, f"{GUIDE}（2020） §2.4"),
    ],
)
def test_a_verdict_names_the_edition_that_says_so(name, reason, destination, place, source):
    assert judge(policy_named(name), reason, destination, place).source.split("；")[0] == source


@PATIENT
@given(
    policy=POLICIES,
    key=st.sampled_from(sorted(RUNNING.situations)),
    places=st.lists(st.sampled_from(PlaceTie), unique=True).map(tuple),
    facts=FACTS,
)
def test_whatever_is_answered_the_advice_is_worth_reading(policy, key, places, facts):
    advice = advise(policy, Answers(situation=key, places=places, **dict(facts)))

    assert advice[0].level is None
    assert all(each.title and each.sentence.endswith("。") and each.source for each in advice)
    reason = policy.situations[key].reason
    if reason and not policy.situations[key].case and Audience.GRADUATE in policy.reasons[reason].audiences:
        assert any(each.level in {BEST, YES, ASK} for each in advice)


def test_an_unknown_situation_is_refused():
    with pytest.raises(KeyError):
        advise(RUNNING, Answers(situation="moon"))
