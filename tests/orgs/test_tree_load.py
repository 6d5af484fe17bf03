"""Loading the national tree into a database."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from zhtj.kernel.permissions import subtree
from zhtj.orgs import divisions, operations
from zhtj.orgs.models import SEGMENT, Category, Organisation, OrganisationTerm, Purpose, Tier, segment
from zhtj.orgs.operations import NewOrganisation
from zhtj.orgs.queries import branchless
from zhtj.orgs.searching.search import search
from zhtj.orgs.tree_load import load_tree

HAINAN = ("46",)
# 1 province, 4 cities, 26 counties, 217 townships with their branches, 20 other units; centre, systems, regions.
SIZE = 1 + 4 + 26 + 2 * 217 + 20 + 1 + 6 + 3


def find(session: Session, code: str) -> Organisation:
    return session.scalars(select(Organisation).where(Organisation.code == code)).one()


def everything(session: Session) -> list[tuple[str, str, str, int]]:
    columns = (Organisation.code, Organisation.path, Organisation.full_name, Organisation.next_child)
    return [
        (row.code, row.path, row.full_name, row.next_child)
        for row in session.execute(select(*columns).order_by(Organisation.path))
    ]


def test_a_province_is_loaded_with_everything_below(session: Session):
    counts = load_tree(session, provinces=HAINAN)
    assert counts.added.total() == SIZE == session.scalar(select(func.count(Organisation.id)))
    assert counts.added["floating"] == 217
    assert counts.terms == session.scalar(select(func.count()).select_from(OrganisationTerm))


@pytest.mark.rule("PD-05")
def test_paths_and_codes_follow_the_line_of_superiors(session: Session):
    load_tree(session, provinces=HAINAN)
    town = find(session, "460400100")
    line = session.scalars(select(Organisation).where(Organisation.path.in_(town.line)).order_by(Organisation.path))
    assert [each.short_name for each in line] == ["团中央", "团海南省委", "团儋州市委", "团那大镇委"]
    branch = find(session, "460400100-001")
    assert branch.parent_id == town.id
    assert branch.path == town.path + segment(1)
    assert branch.purpose is Purpose.FLOATING
    assert branch.full_name == "海南省儋州市那大镇流动团员团支部"
    assert town.next_child == 1
    assert (town.tier, town.industry, town.township_flag) == (Tier.BASIC, "农村", True)


def test_every_superior_knows_how_many_children_it_numbered(session: Session):
    load_tree(session, provinces=HAINAN)
    children = Counter(session.scalars(select(Organisation.parent_id)))
    for organisation in session.scalars(select(Organisation)):
        assert organisation.next_child == children[organisation.id]
        assert len(organisation.path) % SEGMENT == 0


def test_loading_again_changes_nothing(session: Session):
    load_tree(session, provinces=HAINAN)
    before = everything(session)
    counts = load_tree(session, provinces=HAINAN)
    assert everything(session) == before
    assert (counts.added.total(), counts.found.total(), counts.terms) == (0, SIZE, 0)


def test_an_update_of_the_data_adds_what_is_missing(session: Session, monkeypatch: pytest.MonkeyPatch):
    # Given a tree from data that did not know one town yet
    all_of = divisions.read
    monkeypatch.setattr(divisions, "read", lambda wanted: [d for d in all_of(wanted) if d.code != "460400100"])
    load_tree(session, provinces=HAINAN)
    city = find(session, "4604")
    school = operations.create(
        city, NewOrganisation("共青团示例大学委员会", "示例大学团委", Category.COMMITTEE, "普通高等院校")
    )
    before, number = everything(session), city.next_child
    # When the new data comes
    monkeypatch.setattr(divisions, "read", all_of)
    counts = load_tree(session, provinces=HAINAN)
    # Then the town and its branch are there, numbered after what the city has had so far
    assert counts.added == {"town": 1, "floating": 1}
    assert find(session, "460400100").path == city.path + segment(number + 1)
    assert find(session, "460400100-001").parent_id == find(session, "460400100").id
    assert city.next_child == number + 1
    assert school.code == f"4604-{number:03d}"
    after = {code: rest for code, *rest in everything(session)}
    assert all(after[code][:2] == [path, name] for code, path, name, _ in before)
    # And can be found
    assert search(session, "那大").hits[0].organisation.code == "460400100"


def test_what_was_entered_by_hand_before_is_kept(session: Session, monkeypatch: pytest.MonkeyPatch):
    # Given a town that the city entered by itself, because the data did not know it
    all_of = divisions.read
    monkeypatch.setattr(divisions, "read", lambda wanted: [d for d in all_of(wanted) if d.code != "460400100"])
    load_tree(session, provinces=HAINAN)
    new = NewOrganisation("共青团海南省儋州市那大镇委员会", "团那大镇委", Category.COMMITTEE, "农村")
    own = operations.create(find(session, "4604"), new)
    # When the data comes to know it
    monkeypatch.setattr(divisions, "read", all_of)
    counts = load_tree(session, provinces=HAINAN)
    # Then there is no second one, and it gets the branch a township has
    assert counts.added == {"floating": 1}
    assert find(session, f"{own.code}-001").parent_id == own.id
    assert load_tree(session, provinces=HAINAN).added.total() == 0


def test_further_provinces_join_the_same_tree(session: Session):
    load_tree(session, provinces=HAINAN)
    before = everything(session)
    counts = load_tree(session, provinces=("46", "31"))
    assert counts.found.total() == SIZE
    assert counts.added["province"] == 1
    assert counts.added["city"] == 0
    after = everything(session)
    assert set(before[1:]) < set(after)
    assert len({path for _, path, *_ in after}) == len(after)


def test_a_rename_is_left_alone(session: Session):
    load_tree(session, provinces=HAINAN)
    find(session, "460400100").short_name = "那大镇团委"
    session.flush()
    load_tree(session, provinces=HAINAN)
    assert find(session, "460400100").short_name == "那大镇团委"


def test_new_organisations_are_served_by_their_superiors_office(session: Session):
    # Given a province with an administrator
    load_tree(session, provinces=())
    centre = find(session, "0")
    operations.set_office(centre, has_administrator=True)
    # When its tree is loaded, what waits there appears at the centre (PD-22)
    load_tree(session, provinces=HAINAN)
    assert find(session, "460400100-001").office_id == centre.id


@pytest.mark.slow("loads a whole province's tree")
@pytest.mark.rule("O-02")
def test_committees_without_a_branch_are_flagged(session: Session) -> None:
    # Given a province: every township has its branch; farms, zones and what has no township below it have none
    load_tree(session, provinces=HAINAN)
    below = subtree(Organisation.path, find(session, "46").path)
    committees = list(session.scalars(select(Organisation).where(below, Organisation.tier != Tier.BRANCH)))
    without = [each for each in committees if each.id in branchless(committees)]
    assert {each.township_flag for each in without} == {None}
    assert len([each for each in without if not each.is_leading]) == 20
    assert {each.short_name for each in without if each.is_leading} == {
        *("团三亚市委", "团海棠区委", "团吉阳区委", "团天涯区委", "团崖州区委"),
        *("团三沙市委", "团西沙区委", "团南沙区委", "团中沙群岛的岛礁及其海域委"),
    }
    # When a farm gets a branch, it is flagged no more
    farm = next(each for each in without if not each.is_leading)
    new = NewOrganisation(f"{farm.full_name}机关团支部", "机关团支部", Category.BRANCH)
    branch = operations.create(farm, new)
    assert branchless([farm]) == set()
    # And when the branch is closed, it is again
    branch.closed_at = branch.created_at
    session.flush()
    assert branchless([farm]) == {farm.id}
