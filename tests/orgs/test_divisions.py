"""What is read out of the division data (PD-05). Pure: no database."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import pytest

from zhtj.orgs import divisions
from zhtj.orgs.divisions import DATA_FILE, Division, Rank, build, interpret, published, tidy, township_rank


@pytest.fixture(scope="module")
def by_code() -> dict[str, Division]:
    return {division.code: division for division in divisions.read()}


def test_the_counts_of_the_whole_country(by_code: dict[str, Division]):
    ranks = Counter(division.rank for division in by_code.values())
    assert ranks == {
        Rank.PROVINCE: 28,
        Rank.CITY: 303,
        Rank.COUNTY: 2_752,
        Rank.STREET: 8_284,
        Rank.TOWN: 19_495,
        Rank.RURAL: 7_924,
        Rank.UNIT: 2_362,
    }
    assert sum(division.is_township for division in by_code.values()) == 35_703
    assert sum(len(code) == 9 for code in by_code) == 38_065


def test_the_data_file_is_small_and_leaves_external_regions_out(by_code: dict[str, Division]):
    assert DATA_FILE.stat().st_size < 400_000
    assert not {code[:2] for code in by_code} & {"11", "35", "44"}


@pytest.mark.slow("reads the whole country's divisions")
def test_superiors_come_first_and_children_in_the_order_of_codes():
    seen: set[str | None] = {None}
    for division in divisions.read():
        assert division.parent in seen
        seen.add(division.code)


@pytest.mark.parametrize(
    ("code", "name", "parent"),
    [
        ("34", "安徽省", None),
        ("3401", "合肥市", "34"),
        ("340104", "蜀山区", "3401"),
        ("340104001", "三里庵街道", "340104"),
        ("340104100", "井岗镇", "340104"),
        # Directly governed cities have no city level, nor have counties directly below a province.
        ("310115", "浦东新区", "31"),
        ("500229", "城口县", "50"),
        ("419001", "济源市", "41"),
        ("469001", "五指山市", "46"),
        ("659001", "石河子市", "65"),
        # Cities without counties: the towns stand directly below the city.
        ("460400100", "那大镇", "4604"),
        ("620201100", "新城镇", "6202"),
    ],
)
def test_known_places(by_code: dict[str, Division], code: str, name: str, parent: str | None):
    assert (by_code[code].name, by_code[code].parent) == (name, parent)


@pytest.mark.rule("PD-05")
def test_no_level_that_exists_in_the_numbering_only(by_code: dict[str, Division]):
    names = {division.name for division in by_code.values()}
    assert not names & {"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划", "县直辖村级区划"}
    assert "4604" in by_code
    assert "460400" not in by_code


@pytest.mark.rule("PD-05")
@pytest.mark.parametrize(
    ("code", "name", "rank"),
    [
        ("340104001", "三里庵街道", Rank.STREET),
        ("420112001", "吴家山街", Rank.STREET),
        ("130407100", "肥乡镇", Rank.TOWN),
        ("361104290", "董团乡", Rank.RURAL),
        ("150121200", "吉忽伦图苏木", Rank.RURAL),
        ("120223200", "孙各庄满族乡", Rank.RURAL),
        ("410171571", "明湖街道", Rank.STREET),
        ("321084406", "经济开发区（马棚街道）", Rank.STREET),
        ("320614416", "三星镇（叠石桥家纺产业园区）", Rank.TOWN),
        ("230230500", "大西江农场", Rank.UNIT),
        ("340123400", "安徽肥西经济开发区", Rank.UNIT),
        ("320411400", "常州监狱", Rank.UNIT),
        ("411502400", "信阳国际家居产业小镇", Rank.UNIT),
        ("659004500", "兵团一三七团乡", Rank.UNIT),
        ("220221172", "永吉经济开发区特殊乡镇", Rank.UNIT),
    ],
)
def test_townships_are_told_from_units_of_the_same_rank(code: str, name: str, rank: Rank):
    assert township_rank(code, name) is rank


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("保康街道办事处", "保康街道"),
        ("柏泉办事处街道", "柏泉街道"),
        ("兆麟街道地区", "兆麟街道"),
        ("乌拉盖管理区管委会", "乌拉盖管理区"),
        ("紫蓬山管委会", "紫蓬山管委会"),
        ("井岗镇", "井岗镇"),
    ],
)
def test_a_place_is_not_called_by_its_office(raw: str, name: str):
    assert tidy(raw) == name


@pytest.mark.rule("PD-05")
def test_children_of_skipped_levels_rise():
    entries = [
        ("50", "重庆市"),
        ("5002", "县"),
        ("500229", "城口县"),
        ("500229100", "葛城街道"),
        ("62", "甘肃省"),
        ("6202", "嘉峪关市"),
        ("620201", "嘉峪关市"),
        ("620201100", "新城镇"),
    ]
    parents = {division.code: division.parent for division in interpret(entries)}
    assert parents == {
        "50": None,
        "500229": "50",
        "500229100": "500229",
        "62": None,
        "6202": "62",
        "620201100": "6202",
    }


def test_only_the_wanted_provinces_are_read():
    assert {division.code[:2] for division in divisions.read({"46"})} == {"46"}


def test_the_data_file_can_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    # Given a package folder with one town, its superiors and something external
    folder = tmp_path / "package" / "dist"
    folder.mkdir(parents=True)
    (folder / "provinces.csv").write_text('code,name\n34,"安徽省"\n11,"北京市"\n', encoding="utf-8")
    (folder / "cities.csv").write_text('code,name,provinceCode\n3401,"合肥市",34\n', encoding="utf-8")
    (folder / "areas.csv").write_text(
        'code,name,cityCode,provinceCode\n340104,"蜀山区",3401,34\n110101,"东城区",1101,11\n', encoding="utf-8-sig"
    )
    (folder / "streets.csv").write_text('code,name\n340104100,"井岗镇"\n', encoding="utf-8")
    made = tmp_path / "divisions.txt.gz"
    monkeypatch.setattr(build, "DATA_FILE", made)
    # When it is reduced twice
    assert build.main([str(tmp_path / "package")]) == 0
    first = made.read_bytes()
    assert build.main([str(tmp_path / "package")]) == 0
    # Then the bytes are the same, and reading gives back codes and names
    assert made.read_bytes() == first
    assert list(published(made)) == [
        ("34", "安徽省"),
        ("3401", "合肥市"),
        ("340104", "蜀山区"),
        ("340104100", "井岗镇"),
    ]
    assert "4 divisions" in capsys.readouterr().out
    # And without a folder it says how it is used
    assert build.main([]) == 2


def test_our_data_file_is_what_the_builder_writes():
    entries = list(published())
    assert build.outline(reversed(entries)) == gzip.decompress(DATA_FILE.read_bytes()).decode()
    assert len(dict(entries)) == len(entries) == 41_169
