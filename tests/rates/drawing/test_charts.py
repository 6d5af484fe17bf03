"""The drawing of a curve, read back from its SVG."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.rates.drawing.drawn import Drawn
from zhtj.rates.drawing import charts
from zhtj.rates.drawing.charts import NARROW, WIDE, Curve, CurveDeadline, Drawing, Series

FIRST, LAST = date(2026, 6, 1), date(2026, 12, 31)
DEADLINES = [
    CurveDeadline(date(2026, 8, 31), "发起"),
    CurveDeadline(date(2026, 9, 30), "接收"),
    CurveDeadline(LAST, "结束"),
]


def weekly(*values: str | None) -> list[tuple[date, Decimal | None]]:
    return [
        (FIRST + timedelta(7 * number), None if value is None else Decimal(value))
        for number, value in enumerate(values)
    ]


def drawn(curve: Curve, size: charts.CurveSize = WIDE) -> Drawn:
    (found,) = Drawn.all_of(charts.svg(curve, size))
    return found


def curve(**changed: Any) -> Curve:
    known: dict[str, Any] = {
        "series": [
            Series("before", "上届（2025）", weekly("0", "10.5", "20", "30")),
            Series("now", "本届（2026）", weekly("0", "12.25", "66.67", None)),
            Series("forecast", "预测", weekly(None, None, "66.67", "80.01")),
        ],
        "band": [(FIRST + timedelta(14), *[Decimal("66.67")] * 2), (FIRST + timedelta(21), Decimal(70), Decimal(90))],
        "deadlines": DEADLINES,
        "target": Decimal(95),
        **changed,
    }
    return Curve("某校 2026 届学社衔接率", "到 6 月 15 日为 66.67%。", FIRST, LAST, **known)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_drawing_shows_the_values_it_was_given(size: charts.CurveSize) -> None:
    found = drawn(curve(), size)
    for each in curve().series:
        given = [float(value) for _, value in each.points if value is not None]
        assert [value for _, value in found.series(each.key)] == pytest.approx(given, abs=0.03)
    assert [(low, high) for _, low, high in found.band()] == [
        pytest.approx((66.67, 66.67), abs=0.03),
        pytest.approx((70, 90), abs=0.03),
    ]
    assert [value for _, value in found.series("target")] == pytest.approx([95], abs=0.03)


def test_days_stand_where_the_calendar_says() -> None:
    places = [x for x, _ in drawn(curve()).series("before")]
    steps = [after - before for before, after in itertools.pairwise(places)]
    inside = WIDE.width - WIDE.left - WIDE.right
    assert steps == pytest.approx([inside * 7 / (LAST - FIRST).days] * 3, abs=0.11)


def test_series_differ_without_colour() -> None:
    # When all colours are taken away, each line still has a pattern of its own
    found = drawn(curve()).dashes()
    assert set(found) == {"now", "before", "forecast", "target"}
    assert len(set(found.values())) == len(found)
    # and the two that meet in a point also differ in weight
    assert charts.LOOKS["now"].weight > charts.LOOKS["before"].weight * 1.5


def test_a_drawing_carries_its_own_words_and_nothing_a_page_forbids() -> None:
    markup = " ".join(charts.svg(curve(), name="one").split())
    assert 'role="img" aria-labelledby="one-wide-title one-wide-text"' in markup
    assert '<title id="one-wide-title">某校 2026 届学社衔接率</title>' in markup
    assert '<desc id="one-wide-text">到 6 月 15 日为 66.67%。</desc>' in markup
    assert "style" not in markup
    assert "script" not in markup
    words = drawn(curve()).words()
    assert {"本届（2026）", "上届（2025）", "预测", "80% 区间", "目标 95%"} <= set(words)
    assert [word for word in words if word.endswith("日")] == ["8月31日", "9月30日", "12月31日"]


def test_what_is_written_in_it_is_escaped() -> None:
    assert "<b>" not in charts.svg(Curve("<b>", "&", FIRST, LAST, [Series("now", "<b>", weekly("1"))]))


def test_a_day_without_value_is_a_gap_and_a_single_day_a_dot() -> None:
    alone = drawn(curve(series=[Series("now", "本届", weekly("10", None, "30", "40"))], band=(), target=None))
    (path,) = alone.marks("path", "series--now")
    assert path.get("d", "").count("M") == 2
    assert "h0" in path.get("d", "")
    assert len(alone.marks("circle", "dot--now")) == 1


def test_nothing_known_at_all_draws_the_axes() -> None:
    empty = drawn(curve(series=[Series("now", "本届", weekly(None, None))], band=(), target=None, deadlines=()))
    assert empty.series("now") == []
    assert "100%" in empty.words()


def test_low_rates_are_not_pressed_to_the_ground() -> None:
    assert [charts.axis_top([Decimal(each)]) for each in ("0", "10", "10.01", "20.5", "50.01", "100")] == [
        10,
        10,
        20,
        50,
        100,
        100,
    ]
    assert charts.axis_top([]) == 100


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_labels_of_deadlines_do_not_cover_each_other(size: charts.CurveSize) -> None:
    close = [CurveDeadline(FIRST + timedelta(number), "") for number in (90, 91, 121, 122, 152, 213)]
    drawing = Drawing(curve(deadlines=close), size)
    labels = drawing.deadlines
    for one in labels:
        for other in labels:
            if one is not other and one.y == other.y:
                assert abs(one.x - other.x) >= size.letter * 3
    assert all(0 < each.x < size.width for each in labels)


def test_one_day_is_a_curve_too() -> None:
    day = Curve("", "", FIRST, FIRST, [Series("now", "本届", [(FIRST, Decimal(50))])])
    assert drawn(day).series("now") == [(WIDE.left, pytest.approx(50, abs=0.1))]
