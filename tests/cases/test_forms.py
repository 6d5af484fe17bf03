"""What each form asks, how much of an explanation it wants, and what its register shows."""

from __future__ import annotations

import pytest

from zhtj.cases.kinds import KINDS

# Kind: what may be left open.
MAY = {
    "mark_change": "month no_time",
    "correction": "name id_number joined file_checked",
    "profile": "ethnicity political_status dev_number household origin student_no major degree",
    "removal": "keep",
    "statement": "dues life",
    "e_file": "why",
    "missing_organisation": "phone",
    "retention": "mobile dues life remark leader leader_phone",
    "overseas_study": "purpose abroad",
    "delay": "branch",
}
# Kind: what must be answered, and with how many characters at least.
MUST: dict[str, dict[str, int]] = {
    "mark_change": {"ground": 0, "detail": 5},
    "own_month": {"month": 0, "detail": 5},
    "correction": {"why": 5},
    "restoration": {"text": 5},
    "profile": {"why": 2},
    "removal": {"ground": 0, "detail": 5},
    "standing": {"measure": 0, "why": 5},
    "occupied_number": {"number": 0, "occupant": 2},
    "statement": {"purpose": 0, "text": 10},
    "e_file": {"source": 0},
    "external_answer": {"answer": 0, "note": 5},
    "missing_organisation": {
        "full_name": 4,
        "short_name": 2,
        "category": 0,
        "industry": 0,
        "parent": 0,
        "why": 5,
    },
    "township": {"is_township": 0},
    "relocation": {"parent": 0, "why": 5},
    "retention": {"ground": 0, "detail": 2, "plan": 0},
    "retention_extension": {"why": 5},
    "overseas_study": dict.fromkeys(
        (
            *("ethnicity", "major", "level", "graduated", "country", "university", "subject_abroad", "degree"),
            *("begins", "ends", "contact", "relation", "contact_mobile"),
        ),
        0,
    ),
    "delay": {"month": 0, "why": 2, "place": 0},
}
CHOICES: dict[tuple[str, str], str] = {
    ("mark_change", "no_time"): "staff mixed other",
    ("mark_change", "ground"): "study_length entry_error",
    ("correction", "file_checked"): "yes",
    ("profile", "political_status"): "共青团员 中共预备党员 中共党员 群众",
    ("removal", "ground"): "entry_error duplicate death moved",
    ("standing", "measure"): "over_age suspend remove left resume",
    ("statement", "purpose"): "mistaken_removal joined commissioned objection other",
    ("e_file", "source"): "developed transferred",
    ("external_answer", "answer"): "confirm fail",
    ("missing_organisation", "category"): "committee working_committee general_branch branch",
    ("township", "is_township"): "yes no",
    ("retention", "ground"): "no_study no_job retake undecided file_first teaching commissioned dropout other",
    ("retention", "plan"): "study job other",
    ("overseas_study", "level"): "本科 硕士 博士 专科",
    ("overseas_study", "purpose"): "study life",
    ("overseas_study", "degree"): "硕士 博士 本科 交流研究",
    ("delay", "place"): "delayed_branch study_branch",
}
# Registers that no document has a form for.
HEADINGS: dict[str, str] = {
    "own_month": "序号 姓名 所在团支部 正确毕业时间 具体情况 提交时间 结果",
    "correction": "序号 姓名 所在团支部 身份证号 更正内容 原因 提交时间 结果",
    "profile": "序号 姓名 所在团支部 更正内容 原因 提交时间 结果",
    "standing": "序号 姓名 所在团支部 怎样处理 依据 核实的情况 提交时间 结果",
    "statement": "序号 姓名 所在团支部 事由 情况说明 提交时间 结果",
    "e_file": "序号 姓名 所在团支部 类别 来源 替换原因 提交时间 结果",
    "external_answer": "序号 姓名 所在团支部 对方系统的结果 依据 提交时间 结果",
    "missing_organisation": "序号 组织全称 组织简称 组织类别 单位所属行业类别 上级组织 联系电话 原因 提交时间 结果",
    "relocation": "序号 组织全称 新的上级组织 原因 提交时间 结果",
    "retention_extension": "序号 姓名 所在团支部 延长原因 提交时间 结果",
    "overseas_study": (
        "序号 姓名 学院 原团支部 前往国家（地区）、学校 攻读专业（学位） 计划学习时间 国内联系人（关系） "
        "国内联系电话 境外联系方式 提交时间 批准时间 结果"
    ),
    "delay": "序号 姓名 学院 原团支部 现在的团支部 预计毕业时间 延迟毕业原因 编入 提交时间 办结时间 结果",
}


def test_every_kind_asks_what_it_must_know_and_leaves_open_what_it_need_not() -> None:
    asked = {kind.key: {one.name: one.at_least for one in kind.fields if one.required} for kind in KINDS.values()}
    assert asked == MUST
    optional = {kind.key: " ".join(one.name for one in kind.fields if not one.required) for kind in KINDS.values()}
    assert {key: names for key, names in optional.items() if names} == MAY


def test_every_choice_is_on_offer_in_its_order() -> None:
    offered = {
        (kind.key, one.name): " ".join(value for value, _ in one.choices)
        for kind in KINDS.values()
        for one in kind.fields
        if one.choices and one.name != "industry"
    }
    assert offered == CHOICES


@pytest.mark.rule("PD-34")
@pytest.mark.parametrize("key", HEADINGS)
def test_a_register_says_of_whom_what_and_how_it_ended(key: str) -> None:
    assert " ".join(column.heading for column in KINDS[key].columns) == HEADINGS[key]
