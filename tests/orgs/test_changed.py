"""Divisions founded, renamed, moved and merged since the data were published (PD-56). Pure."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhtj.orgs import divisions
from zhtj.orgs.divisions import Division, Rank, changed
from zhtj.orgs.divisions.changed import ChangeKind, DivisionChange

pytestmark = pytest.mark.rule("PD-56")


@pytest.fixture(scope="module")
def now() -> dict[str, Division]:
    wanted = ("46", "50", "65")
    return {one.code: one for one in changed.after(divisions.read(wanted), changed.all_changes())}


def names(now: dict[str, Division], superior: str) -> set[str]:
    return {one.name for one in now.values() if one.parent == superior}


def test_new_counties_stand_in_their_prefectures(now: dict[str, Division]) -> None:
    for code, name, superior in (
        ("653229", "和安县", "6532"),
        ("653228", "和康县", "6532"),
        ("653132", "岑岭县", "6531"),
        ("659013", "草湖市", "65"),
        ("500157", "两江新区", "50"),
    ):
        assert (now[code].name, now[code].parent, now[code].rank) == (name, superior, Rank.COUNTY)
    assert names(now, "653229") == {"红柳镇"}
    assert "红柳镇" not in names(now, "653221")


def test_islands_are_districts(now: dict[str, Division]) -> None:
    assert {"西沙区", "南沙区"} <= names(now, "4603")


def test_two_districts_have_become_one_with_as_many_townships_as_was_announced(now: dict[str, Division]) -> None:
    assert not {"500105", "500112"} & now.keys()

    def count(superior: str) -> tuple[int, int]:
        below = [one.rank for one in now.values() if one.parent == superior]
        return below.count(Rank.STREET), below.count(Rank.TOWN)

    assert count("500157") == (31, 11)
    assert count("500109") == (6, 11)


def test_superiors_come_first_and_each_once(now: dict[str, Division]) -> None:
    seen: set[str] = set()
    for code, one in now.items():
        assert one.parent is None or one.parent in seen
        seen.add(code)


def test_without_changes_everything_is_as_published() -> None:
    assert changed.after(divisions.read(), ()) == divisions.read()


def test_every_line_says_who_announced_it_and_when() -> None:
    changes = changed.all_changes()
    assert all(one.source and one.day >= "2020" for one in changes)
    assert [one.day for one in changes] == sorted(one.day for one in changes)
    assert changed.last_day() > changed.DATA_DAY


def test_a_line_that_is_none_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "changes.tsv"
    for text in ("2026-01-01\tfound\t650001\n", "2026-01-01\tsplit\t1\t2\t3\t4\n"):
        bad.write_text(text, encoding="utf-8")
        changed.all_changes.cache_clear()
        with pytest.raises(ValueError, match=r".+"):
            changed.all_changes(bad)
    changed.all_changes.cache_clear()


def test_a_change_of_what_is_not_there_is_an_error() -> None:
    lost = DivisionChange("2026-01-01", ChangeKind.MOVE, "461", "某县", "469999", "公告")
    with pytest.raises(KeyError):
        changed.after(divisions.read(("46",)), [lost])
