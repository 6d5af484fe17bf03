"""What the documents' values are, which layer gives them, and that every one names its rule."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from zhtj.policy import layers, rulebook
from zhtj.policy.layers import PolicyError, layer, layer_names, policy_named
from zhtj.policy.model import Values
from zhtj.policy.vocabulary import Audience, Destination, PlaceTie, Reason, ReasonField

NAMES = [name for name in layer_names() if name != "base"]


def test_the_layers_are_those_of_the_documents():
    assert layer_names() == [
        "2019-national",
        "2020-anhui",
        "2020-college",
        "2020-national",
        "2022-harbin",
        "2022-nankai",
        "2022-national",
        "2024-anhui",
        "2024-letters",
        "2025-guangdong",
        "2026-national",
        "base",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_makes_a_whole_policy_whose_values_name_their_rules(name):
    policy = policy_named(name)

    given = {field for field in Values.model_fields if getattr(policy, field) is not None}
    assert given == policy.sources.keys()
    for field in given:
        source = policy.source(field)
        assert source.rule in rulebook.rules()
        assert source.layer in {head.name for head in policy.layers}
        assert source.document


@pytest.mark.parametrize(
    ("name", "field", "value", "rule"),
    [
        ("2020-national", "campaign_start", date(2020, 5, 1), "D-01"),
        ("2020-national", "campaign_end", date(2020, 12, 31), "D-01"),
        ("2020-national", "convert_date", date(2020, 6, 1), "G-09"),
        ("2020-national", "application_end", date(2020, 8, 31), "D-06"),
        ("2020-national", "review_end", date(2020, 9, 30), "D-08"),
        ("2020-national", "further_study_end", date(2020, 10, 31), "D-11"),
        ("2020-national", "auto_return_days", 10, "D-09"),
        ("2020-national", "county_fallback", "must", "T-03"),
        ("2020-national", "county_clear_months", 12, "D-16"),
        ("2020-national", "retention_max_months", 6, "D-18"),
        ("2020-national", "mark_edit", "free", "G-14"),
        ("2020-national", "release_by", "none", "PD-15"),
        ("2020-national", "reset_code_days", 2, "PD-03"),
        ("2020-national", "registration_code_days", 20, "PD-03"),
        ("2020-national", "activation_code_days", 30, "PD-03"),
        ("2020-national", "letter_valid_days", 90, "L-07"),
        ("2020-national", "leave_age", 28, "U-24"),
        ("2020-national", "target_xs", None, None),
        ("2019-national", "mark_edit", "forbidden", "G-14"),
        ("2019-national", "mark_by", ("school_domain",), "G-11"),
        ("2020-anhui", "special_unit_label", "特殊单位转接", "S-03"),
        ("2020-college", "auto_return_from", date(2020, 5, 1), "D-10"),
        ("2020-college", "overseas_approver", "college", "R-15"),
        ("2020-college", "retention_school_types", ("普通高等院校",), "K-11"),
        ("2020-college", "special_unit_remark", ("政审", "体检"), "S-04"),
        ("2022-harbin", "target_xs", 100, "M-13"),
        ("2022-harbin", "retention_max_months", 6, "D-18"),
        ("2022-nankai", "mark_edit", "approval", "K-01"),
        ("2022-nankai", "mark_edit_level", "city", "G-14"),
        ("2022-nankai", "retention_max_months", 12, "D-18"),
        ("2022-nankai", "retention_tiers", 2, "R-05"),
        ("2022-nankai", "file_check_required", True, "E-07"),
        ("2022-nankai", "county_fallback", "may", "K-07"),
        ("2026-national", "auto_return_from", date(2026, 10, 1), "PD-11"),
        ("2026-national", "retention_max_months", 12, "D-18"),
        ("2022-national", "retention_max_months", 12, "D-18"),
        ("2022-national", "retention_months", 6, "D-18"),
        ("2022-national", "application_end", date(2022, 8, 31), "D-06"),
        ("2022-national", "review_end", date(2022, 9, 30), "D-08"),
        ("2022-national", "auto_return_days", 10, "D-09"),
        ("2022-national", "further_study_setup_months", 1, "D-11"),
        ("2022-national", "overseas_stay", ("study", "life"), "PD-62"),
        ("2020-national", "overseas_stay", ("study",), "T-16"),
        ("2022-national", "residence_near", "city", "PD-62"),
        ("2020-national", "residence_near", None, None),
        ("2024-anhui", "auto_return_from", date(2024, 6, 1), "PD-62"),
        ("2024-anhui", "initiate_target", date(2024, 6, 30), "PD-62"),
        ("2024-letters", "letter_requires_completion", True, "PD-62"),
        ("2022-national", "letter_requires_completion", False, "PD-28"),
        ("2025-guangdong", "initiate_target", date(2025, 6, 30), "PD-62"),
        ("2025-guangdong", "society_end", date(2025, 11, 30), "PD-62"),
        ("2025-guangdong", "further_study_end", date(2025, 11, 30), "PD-62"),
        ("2025-guangdong", "campaign_end", date(2025, 12, 31), "D-01"),
        ("2026-national", "mark_edit", "free", "G-14"),
    ],
)
@pytest.mark.rule("PD-62")
def test_a_value_is_what_its_document_says(name, field, value, rule):
    policy = policy_named(name)

    assert getattr(policy, field) == value
    if rule is None:
        with pytest.raises(KeyError, match=field):
            policy.source(field)
    else:
        assert policy.source(field).rule == rule


@pytest.mark.rule("K-32")
@pytest.mark.parametrize("name", [name for name in NAMES if layer(name).layer.scope == "local"])
def test_what_a_local_document_leaves_out_stays_as_in_the_national_one(name):
    national, local = policy_named(layer(name).layer.extends), policy_named(name)

    said = set(layer(name).values)
    for field in Values.model_fields.keys() - said:
        here, there = getattr(local, field), getattr(national, field)
        if isinstance(there, date) and field not in {"dev_number_required_from", "certification_from"}:
            here, there = (here.month, here.day), (there.month, there.day)
        assert here == there, field
    assert set(national.table) <= set(local.table)


@pytest.mark.rule("PD-11", "PD-62")
def test_the_running_season_marks_what_its_documents_do_not_say():
    policy = policy_named("2026-national")

    assert [field for field, source in policy.sources.items() if source.assumed] == [
        "mark_change_after_conversion",
        "liaisons_due",
        "statistics_due",
        "residence_near",
    ]
    assumed = {(line.reasons, line.place, line.rule) for line in policy.table if line.assumed}
    assert assumed == {
        ((Reason.EMPLOYED_WITHOUT_ORG,), (PlaceTie.RESIDENCE,), "PD-62"),  # outside the city
        ((Reason.EMPLOYED_WITHOUT_ORG,), (PlaceTie.RESIDENCE,), "K-08"),  # where he is registered too
        ((Reason.UNPLACED,), (PlaceTie.ORIGIN, PlaceTie.PARENTS_RESIDENCE), "K-05"),  # no longer named
    }


@pytest.mark.rule("PD-62")
@pytest.mark.parametrize(
    ("name", "edition", "day"),
    [
        ("2019-national", "准备工作通知", "2019年4月26日"),
        ("2020-anhui", "第一版", "2020年"),
        ("2022-harbin", "4.0 版", "2022年5月"),
        ("2026-national", "4.0 版", "2022年5月"),
    ],
)
def test_a_policy_knows_the_edition_it_rests_on_and_its_day(name, edition, day):
    policy = policy_named(name)

    assert (policy.edition.edition, policy.edition.day) == (edition, day)


@pytest.mark.rule("PD-62")
def test_a_value_that_edition_4_states_anew_names_it_and_not_the_one_before():
    policy = policy_named("2026-national")

    assert policy.source("review_end").document == "《毕业生团员团组织关系转接工作指引》（4.0 版，2022 年 5 月）"
    assert policy.source("campaign_start").document.startswith("《毕业生团员团组织关系转接工作指引》（2020）")


@pytest.mark.rule("PD-12", "H-11")
@pytest.mark.parametrize("name", NAMES)
def test_the_receiver_follows_reason_and_kind(name):
    policy = policy_named(name)

    def number(reason, destination):
        found = policy.receiver(reason, destination)
        return found.number if found else None

    for destination in (Destination.NEW_STUDENTS, Destination.SCHOOL, Destination.OWN_SCHOOL, Destination.UNIT):
        assert number(Reason.FURTHER_STUDY, destination) == 2
    assert number(Reason.INTERNAL_UPGRADE, Destination.OWN_SCHOOL) == 2
    assert number(Reason.EMPLOYED_WITH_ORG, Destination.SCHOOL) == 1
    assert number(Reason.OVERSEAS_OFFICIAL, Destination.UNIT) == 1
    assert number(Reason.UNPLACED, Destination.TOWNSHIP_FLOATING) == 3
    assert number(Reason.UNPLACED, Destination.OWN_FLOATING) == 6
    assert number(Reason.FURTHER_STUDY, Destination.EXTERNAL) is None
    assert [each.number for each in policy.receivers] == list(range(1, 8))


def test_what_2019_left_open_is_read_back_from_2020_and_marked_assumed():
    policy = policy_named("2019-national")

    assert policy.source("auto_return_days").assumed
    assert policy.source("auto_return_days").layer == "2020-national"
    assert not policy.source("mark_edit").assumed
    assert not policy.source("letter_valid_days").assumed  # common to all years
    assert {line.assumed for line in policy.table if line.layer == "2020-national"} == {True}


def test_a_policy_cannot_be_changed():
    policy = policy_named("2026-national")

    with pytest.raises(ValidationError):
        policy.auto_return_days = 99
    with pytest.raises(TypeError):
        policy.sources["auto_return_days"] = None


@pytest.mark.parametrize("path", sorted(layers.DATA.glob("*.toml")), ids=lambda path: path.name)
def test_a_layer_is_read_in_a_minute(path):
    lines = path.read_text(encoding="utf-8").splitlines()

    assert lines[0].startswith("# "), "say first what this file is"
    assert max(len(line) for line in lines) <= 140
    assert len(lines) <= (1000 if path.name.endswith(layers.TABLE_SUFFIX) else 170)


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes a layer of the given source over the national one of 2020 and returns its policy."""

    def write(source: str):
        for path in layers.DATA.glob("*.toml"):
            (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
        head = (
            '[layer]\ntitle = "试"\ndocument = "试"\nscope = "local"\nextends = "2020-national"\nfirst_season = 2020\n'
        )
        (tmp_path / "test.toml").write_text(head + source, encoding="utf-8")
        monkeypatch.setattr(layers, "DATA", tmp_path)
        layers.layer.cache_clear()
        return policy_named("test")

    yield write
    layers.layer.cache_clear()
    layers.policy_named.cache_clear()


def test_a_layer_changes_one_value_and_keeps_the_rest(written):
    policy = written('[values]\nauto_return_days = { value = 7, rule = "PD-18", note = "试" }')

    assert policy.auto_return_days == 7
    assert policy.source("auto_return_days").layer == "test"
    assert policy.source("auto_return_days").note == "试"
    assert policy.source("auto_return_from").layer == "2020-national"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ('[values]\nauto_return_days = { value = 7, rule = "D-99" }', "D-99"),
        ("[values]\nauto_return_days = { value = 7 }", "rule"),
        ('[values]\nauto_return_days = { value = "ten", rule = "D-09" }', "auto_return_days"),
        ('[values]\nauto_return_days = { value = 0, rule = "D-09" }', "auto_return_days"),
        ('[values]\nauto_return_date = { value = 7, rule = "D-09" }', "auto_return_date"),
        ('[values]\nconvert_date = { value = "06-31", rule = "D-05" }', "convert_date"),
        ('[[destinations]]\nto = ["moon"]\nlevel = "allowed"\nrule = "T-01"\nwhy = "月亮。"', "moon"),
        ('[[destinations]]\nto = ["unit"]\nlevel = "allowed"\nrule = "T-01"\nwhy = "没说完"', "没说完"),
        ('[[destinations]]\nwhen = { hungry = true }\nlevel = "allowed"\nrule = "T-01"\nwhy = "饿。"', "hungry"),
        ('[[milestones]]\ndate = "08-31"\ntext = "没有出处"', "rule"),
        ("[values\n", "test.toml"),
    ],
)
def test_a_wrong_layer_is_refused_with_the_place(written, source, complaint):
    with pytest.raises(PolicyError, match=complaint):
        written(source)


def test_an_unknown_layer_is_refused_with_the_names_there_are():
    with pytest.raises(PolicyError, match="2022-nankai"):
        policy_named("2021-nowhere")


def test_the_common_layer_alone_belongs_to_no_year():
    with pytest.raises(PolicyError, match="年份"):
        policy_named("base")


# ---- the reasons of PD-10


def test_graduates_and_others_are_offered_the_reasons_of_the_decision():
    policy = policy_named("2026-national")

    assert [spec.label for spec in policy.reasons_for(Audience.GRADUATE).values()] == [
        "升学",
        "校内专升本",
        "已落实工作单位（单位有团组织）",
        "已落实工作单位（单位无团组织）",
        "转往特殊单位（参军入伍/涉密）",
        "未落实就业去向",
        "因公出国（境）",
        "因私出国（境）",
        "其他",
    ]
    assert [spec.label for spec in policy.reasons_for(Audience.OTHER).values()] == [
        "升学",
        "工作",
        "搬迁",
        "校内转专业",
        "转往特殊单位（参军入伍/涉密）",
        "其他",
    ]


def test_a_graduates_reason_says_which_rate_it_counts_for():
    reasons = policy_named("2026-national").reasons_for(Audience.GRADUATE)

    study = {code for code, spec in reasons.items() if spec.category == "further_study"}
    assert study == {Reason.FURTHER_STUDY, Reason.INTERNAL_UPGRADE}
    assert {spec.category for code, spec in reasons.items() if code not in study} == {"society"}


def test_the_place_is_asked_where_the_place_is_what_counts():
    reasons = policy_named("2026-national").reasons

    asked = reasons[Reason.EMPLOYED_WITHOUT_ORG].fields_for(Destination.TOWNSHIP)
    assert asked == (ReasonField.UNIT, ReasonField.ADDRESS, ReasonField.PLACE)
    assert reasons[Reason.EMPLOYED_WITH_ORG].fields_for(Destination.UNIT) == (ReasonField.UNIT,)
    assert reasons[Reason.SPECIAL_UNIT].fields_for(Destination.SPECIAL_POOL) == (ReasonField.REMARK,)


def test_a_special_unit_has_its_regional_name_and_remark():
    anhui, college = policy_named("2020-anhui"), policy_named("2020-college")

    assert anhui.reasons[Reason.SPECIAL_UNIT].label == "特殊单位转接"
    assert college.reasons[Reason.SPECIAL_UNIT].label == "转往特殊单位团组织"
    assert anhui.special_remark_fits("已办理入伍手续")
    assert not anhui.special_remark_fits("政审、体检齐备")
    assert college.special_remark_fits("政审、体检齐备")
    assert not college.special_remark_fits("")


@pytest.mark.parametrize(
    ("joined", "error_below", "warn_below"),
    [(date(2016, 12, 1), 12, None), (date(2017, 1, 1), 13, 14), (date(2024, 5, 1), 13, 14)],
)
def test_the_age_limit_depends_on_when_somebody_joined(joined, error_below, warn_below):
    limit = policy_named("2026-national").join_age(joined)

    assert (limit.error_below, limit.warn_below) == (error_below, warn_below)


def test_the_right_of_retention_depends_on_the_school():
    assert policy_named("2026-national").may_be_retained("中等职业院校")
    assert not policy_named("2026-national").may_be_retained("普通高中")
    assert not policy_named("2020-college").may_be_retained("中等职业院校")
    assert policy_named("2022-nankai").may_be_retained(None)
