"""The drawing of an area, read back from its SVG."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree as ET

import pytest

from tests.rates.drawing.drawn import Drawn
from zhtj.rates.drawing import treemap
from zhtj.rates.drawing.charts import wide
from zhtj.rates.drawing.treemap import NARROW, SHADES, WIDE, Area, Tile, TreeMap
from zhtj.rates.rules import Rate

CITIES = [
    Area("合肥市", Rate(300, 400), "/a"),
    Area("芜湖市", Rate(190, 200), "/b"),
    Area("安庆市", Rate(0, 100), "/c"),
    Area("无人", Rate(0, 0), "/d"),
]
BOTH = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


def area(*parts: Area) -> TreeMap:
    return TreeMap("安徽省地区图", "三个市", parts or CITIES, "#parts")


def overlap(one: Tile, other: Tile) -> float:
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0.0, across) * max(0.0, down)


@BOTH
def test_rectangles_are_as_large_as_people_are_many_and_fill_the_drawing(size: treemap.TreeMapSize) -> None:
    tiles = treemap.tiles(area(), size)
    # Whoever counts nobody is not drawn
    assert [tile.part.name for tile in tiles] == ["合肥市", "芜湖市", "安庆市"]
    areas = [tile.width * tile.height for tile in tiles]
    assert sum(areas) == pytest.approx(size.width * size.height, rel=0.01)
    assert areas[0] / areas[2] == pytest.approx(4, rel=0.02)
    assert areas[1] / areas[2] == pytest.approx(2, rel=0.02)
    assert sum(overlap(one, other) for one in tiles for other in tiles if one is not other) < 200


def test_shades_follow_the_rates() -> None:
    known = {0: "1", 4999: "1", 5000: "2", 6999: "2", 7000: "3", 8500: "4", 9499: "4", 9500: "5", 10000: "5"}
    assert {number: treemap.shade_of(Rate(number, 10000)).key for number in known} == known


def test_shades_differ_in_greyscale() -> None:
    # Each is at least a tenth of the way from white to black darker than the one before
    def lightness(grey: str) -> float:
        full = grey[1:] if len(grey) == 7 else "".join(2 * each for each in grey[1:])
        red, green, blue = (int(full[at : at + 2], 16) for at in (0, 2, 4))
        assert red == green == blue  # nothing but grey on paper
        return red / 255

    steps = [lightness(shade.grey) for shade in SHADES]
    assert all(before - after >= 0.1 for before, after in itertools.pairwise(steps))


@BOTH
def test_every_rectangle_is_a_link_that_says_its_figures(size: treemap.TreeMapSize) -> None:
    source = treemap.svg(area(), size, name="one")
    (drawn,) = Drawn.all_of(source)
    links = {each.get("href"): each[0].text for each in drawn.root.iter("{http://www.w3.org/2000/svg}a")}
    assert links == {
        "/a": "合肥市：75.00%（300/400）",
        "/b": "芜湖市：95.00%（190/200）",
        "/c": "安庆市：0.00%（0/100）",
    }
    assert {"75.00%", "合肥市", "300/400 人"} <= set(drawn.words())
    # the legend gives numbers
    assert [shade.label for shade in SHADES] == drawn.words()[-len(SHADES) :]
    assert 'role="group" aria-labelledby="one-' in " ".join(source.split())
    assert "style" not in source


@BOTH
def test_words_stay_inside_and_few_people_stay_within_reach_of_a_finger(size: treemap.TreeMapSize) -> None:
    many = [Area(f"名字很长的第{number}示范学院委员会", Rate(1, 3 + number**2), "/x") for number in range(30)]
    for tile in treemap.tiles(area(Area("巨大", Rate(1, 900000), "/y"), *many), size):
        assert min(tile.width, tile.height) >= 24
        for line in tile.words:
            assert wide(line, size.letter) <= tile.width
        assert len(tile.words) * (size.letter + 4) <= tile.height
        # The rate is written in each, however small
        assert any(line.endswith("%") for line in tile.words)


def test_a_small_rectangle_rounds_nothing_up() -> None:
    many = [Area("大", Rate(1, 5000)), *(Area("小", Rate(1999, 2000)) for _ in range(30))]
    figures = {line for tile in treemap.tiles(area(*many), NARROW) for line in tile.words if line.endswith("%")}
    assert "100%" not in figures


def test_the_smallest_of_many_are_one_rectangle_that_leads_to_the_table() -> None:
    many = [Area(f"{number}", Rate(number, 100 + number), "/x") for number in range(60)]
    drawn = area(*many).drawn()
    assert len(drawn) == treemap.MOST
    (rest,) = (part for part in drawn if part.name.startswith("其余"))
    assert rest.name == f"其余 {60 - treemap.MOST + 1} 个"
    assert rest.href == "#parts"
    assert sum(part.rate.denominator for part in drawn) == sum(part.rate.denominator for part in many)
    assert sum(part.rate.numerator for part in drawn) == sum(part.rate.numerator for part in many)


def test_nobody_at_all_is_an_empty_drawing() -> None:
    nobody = TreeMap("", "", [Area("无人", Rate(0, 0))])
    assert treemap.tiles(nobody, WIDE) == []
    ET.fromstring(treemap.svg(nobody))


def test_names_are_escaped_and_one_without_a_place_is_no_link() -> None:
    source = treemap.svg(area(Area("<甲>&", Rate(1, 2))))
    assert "<甲>" not in source
    assert "<a " not in source
    assert 'role="img" aria-label="&lt;甲&gt;&amp;：50.00%（1/2）"' in source
