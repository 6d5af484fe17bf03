"""Names built, taken apart and spelled for the search. Pure: no database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhtj.orgs import naming
from zhtj.orgs.naming import Fit, Term, initials, normalise, own_name, place_name, search_terms

HANZI = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=8)


@pytest.mark.rule("PD-05")
def test_a_committee_carries_the_whole_administrative_path():
    line = ["安徽省", "合肥市", "蜀山区", "井岗镇"]
    assert naming.full_name(line) == "共青团安徽省合肥市蜀山区井岗镇委员会"
    assert naming.short_name("井岗镇") == "团井岗镇委"


@pytest.mark.rule("O-07")
def test_a_township_branch_bears_its_name_since_2020():
    line = ["安徽省", "合肥市", "蜀山区", "井岗镇"]
    assert naming.floating_full_name(line) == "安徽省合肥市蜀山区井岗镇流动团员团支部"
    assert naming.floating_short_name("井岗镇") == "井岗镇流动团员团支部"


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("共青团安徽省合肥市蜀山区井岗镇委员会", "安徽省合肥市蜀山区井岗镇"),
        ("团井岗镇委", "井岗镇"),
        ("团团山镇委", "团山镇"),
        ("团山镇团委", "团山镇"),
        ("江淮示范大学团委", "江淮示范大学"),
        ("共青团江淮示范大学委员会", "江淮示范大学"),
        ("计算机学院团总支", "计算机学院"),
        ("共青团江淮示范大学计算机学院总支部委员会", "江淮示范大学计算机学院"),
        ("计算机学院2022级软件工程专业1班团支部", "计算机学院2022级软件工程专业1班"),
        ("中央和国家机关团工委", "中央和国家机关"),
        ("共青团中央企业工作委员会", "中央企业"),
        ("团共青团农场委", "共青团农场"),
        ("中国共产主义青年团示例集团委员会", "示例集团"),
        ("团紫蓬山管委会委", "紫蓬山管委会"),
        ("井岗镇", "井岗镇"),
    ],
)
def test_the_distinctive_part_of_a_name(name: str, own: str):
    assert own_name(name) == own


@given(HANZI)
def test_a_short_name_gives_back_its_place(place: str):
    assert own_name(naming.short_name(place)) == place


@pytest.mark.parametrize(
    ("own", "place"),
    [
        ("蜀山区", "蜀山"),
        ("三里庵街道", "三里庵"),
        ("浦东新区", "浦东"),
        ("恩施土家族苗族自治州", "恩施"),
        ("西双版纳傣族自治州", "西双版纳"),
        ("新疆维吾尔自治区", "新疆"),
        ("内蒙古自治区", "内蒙古"),
        ("博尔塔拉蒙古自治州", "博尔塔拉"),
        ("孙各庄满族乡", "孙各庄"),
        ("达尔汗苏木", "达尔汗"),
        ("阿里地区", "阿里"),
        ("三甜水乡", "三甜水"),
        ("和县", None),
        ("江淮示范大学", None),
    ],
)
def test_people_say_the_place_without_its_kind(own: str, place: str | None):
    assert place_name(own) == place


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("重庆市", "cqs"),
        ("长沙市", "css"),
        ("厦门市", "xms"),
        ("六安市", "las"),
        ("乐清市", "yqs"),
        ("乐山市", "lss"),
        ("长治市", "czs"),
        ("长子县", "zzx"),
        ("朝阳区", "cyq"),
        ("单县", "sx"),
        ("浚县", "xx"),
        ("洪洞县", "htx"),
        ("涡阳县", "gyx"),
        ("铅山县", "ysx"),
        ("井陉县", "jxx"),
        ("计算机学院2022级1班", "jsjxy2022j1b"),
        ("八五〇农场", "bwlnc"),
    ],
)
def test_pinyin_initials_read_places_as_people_do(name: str, letters: str):
    assert initials(name) == letters


@given(HANZI)
def test_every_sign_has_one_initial(name: str):
    assert len(initials(name)) == len(name)


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        (" JGZ ", "jgz"),
        ("ｊｇｚ", "jgz"),
        ("３４０１０４１００", "340104100"),
        ("340104100-001", "340104100-001"),
        ("科技城（东渚街道）", "科技城东渚街道"),
        ("港口物流产业园-永安洲镇", "港口物流产业园永安洲镇"),
        ("·", ""),
    ],
)
def test_case_width_and_punctuation_do_not_matter(typed: str, normal: str):
    assert normalise(typed) == normal


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("井岗镇学社衔接临时团支部", "井岗镇流动团员团支部"),
        ("井岗镇流动团支部", "井岗镇流动团员团支部"),
        ("流动", "流动团员团支部"),
        ("井岗镇流动团员团支部", "井岗镇流动团员团支部"),
        ("流动人口服务中心团支部", "流动人口服务中心团支部"),
    ],
)
def test_the_floating_branch_by_its_other_names(typed: str, meant: str):
    assert naming.as_floating_branch(typed) == meant


def test_a_committee_is_found_from_every_inner_sign_on():
    terms = search_terms(
        code="340104001", full_name="共青团安徽省合肥市蜀山区三里庵街道委员会", short_name="团三里庵街道委"
    )
    wholes = {"340104001", "三里庵街道", "三里庵", "slajd", "sla"}
    parts = {"里庵街道", "庵街道", "街道", "lajd", "ajd", "jd"}
    assert terms == {Term(Fit.WHOLE, text) for text in wholes} | {Term(Fit.PART, text) for text in parts}


def test_a_floating_branch_is_found_by_its_whole_name_and_by_what_it_is():
    terms = search_terms(
        code="340104100-001",
        full_name="安徽省合肥市蜀山区井岗镇流动团员团支部",
        short_name="井岗镇流动团员团支部",
        branch=True,
    )
    assert terms == {
        Term(Fit.WHOLE, "340104100-001"),
        Term(Fit.WHOLE, "井岗镇流动团员"),
        Term(Fit.WHOLE, "jgzldty"),
        Term(Fit.PART, "流动团员"),
        Term(Fit.PART, "ldty"),
    }


def test_a_class_branch_is_found_from_where_something_begins():
    terms = search_terms(
        code="3401-001-001-001",
        full_name="江淮示范大学计算机学院2022级软件工程专业1班团支部",
        short_name="计算机学院2022级软件工程专业1班团支部",
        branch=True,
    )
    texts = {term.text for term in terms}
    assert {"计算机学院2022级软件工程专业1班", "2022级软件工程专业1班", "软件工程专业1班", "1班"} <= texts
    assert {"jsjxy2022jrjgczy1b", "rjgczy1b"} <= texts
    assert "算机学院2022级软件工程专业1班" not in texts


def test_a_short_name_of_its_own_is_found_beside_the_full_one():
    terms = search_terms(code="3401-001", full_name="共青团江淮示范大学计算机学院总支部委员会", short_name="计科团总支")
    texts = {term.text for term in terms if term.fit is Fit.WHOLE}
    assert {"计科", "江淮示范大学计算机学院"} <= texts
