"""Finding an organisation in a loaded tree: 上海 and 海南 with all their townships, a university and a railway unit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from zhtj.kernel import clock
from zhtj.orgs import operations
from zhtj.orgs.models import Category, Organisation, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.orgs.searching.lookup import Match
from zhtj.orgs.searching.search import SearchResult, search
from zhtj.orgs.searching.terms import index_terms, move_terms
from zhtj.orgs.tree_load import load_tree

COMMITTEE, BRANCH, COLLEGE = Category.COMMITTEE, Category.BRANCH, "普通高等院校"
CLASSES = ("2022级软件工程专业1班", "2022级软件工程专业2班", "2023级网络工程专业1班")


class Tree:
    """The loaded tree; ``tree["46"]`` is an organisation by code or by the key it was created under."""

    def __init__(self, session: Session) -> None:
        self.session = session
        load_tree(session, provinces=("31", "46"))
        self.own: dict[str, Organisation] = {}
        self.create("university", "4601", "共青团江淮示范大学委员会", "江淮示范大学团委", COMMITTEE, COLLEGE)
        name = "江淮示范大学计算机学院"
        self.create("college", "university", f"共青团{name}委员会", "计算机学院团委", COMMITTEE, COLLEGE)
        for number, class_name in enumerate(CLASSES, start=1):
            short = f"计算机学院{class_name}团支部"
            self.create(f"class{number}", "college", f"江淮示范大学{short}", short, BRANCH, COLLEGE)
        self.create("railway", "0-002", "共青团海口示例机务段委员会", "海口示例机务段团委", COMMITTEE, "国有企业")

    def __getitem__(self, key: str) -> Organisation:
        found = self.own.get(key) or self.session.scalar(select(Organisation).where(Organisation.code == key))
        assert found is not None, key
        return found

    def create(self, key: str, parent: str, *fields: Any, **more: Any) -> Organisation:
        new = NewOrganisation(*fields, **more)
        self.own[key] = operations.create(self[parent], new)
        return self.own[key]

    def search(self, question: str, within: str | None = None, **more: Any) -> SearchResult:
        return search(self.session, question, within=self[within] if within else None, **more)

    def codes(self, question: str, within: str | None = None, **more: Any) -> list[str]:
        return [hit.organisation.code for hit in self.search(question, within, **more).hits]


@pytest.fixture
def tree(session: Session) -> Tree:
    return Tree(session)


@pytest.mark.rule("O-19")
def test_the_province_first_then_a_keyword(tree: Tree):
    # Given a street name that two provinces have
    assert tree.codes("中山街道", "46")[0] == "460106001"
    assert tree.codes("中山街道", "31")[0] == "310117004"
    assert {"310117004", "460106001"} <= set(tree.codes("中山街道"))
    # A keyword finds what the full name finds, and says where it is
    (hit, *_) = tree.search("共青团海南省海口市龙华区中山街道委员会", "46").hits
    assert hit.match is Match.FULL_NAME
    assert hit.line == ("团海南省委", "团海口市委", "团龙华区委")
    assert tree.search("中山", "46").hits[0].organisation == hit.organisation


@pytest.mark.rule("O-19")
def test_names_initials_and_codes_all_lead_there(tree: Tree):
    committee, branch = "460105102", "460105102-001"
    for question, code in {
        "海秀镇": committee,
        "团海秀镇委": committee,
        "海秀镇团委": committee,
        "共青团海秀镇委员会": committee,
        "共青团海南省海口市秀英区海秀镇委员会": committee,
        "460105102": committee,
        "４６０１０５１０２": committee,
        "hxz": committee,
        "HXZ": committee,
        "ｈｘｚ": committee,
        " 海秀镇 ": committee,
        "秀英 海秀镇": committee,
        "海秀镇 秀英": committee,
        "海口　秀英　海秀镇": committee,
        "海口市秀英区海秀镇": committee,
        "海口秀英海秀镇": committee,
        "hk hxz": committee,
        "xy hxz": committee,
        "海秀镇流动团员团支部": branch,
        "海南省海口市秀英区海秀镇流动团员团支部": branch,
        "海秀镇 流动": branch,
        "460105102-001": branch,
        "hxzldty": branch,
        "海口桂林洋经济开发区(农场)": "460108400",
    }.items():
        assert tree.codes(question, "46")[:1] == [code], question
        assert code in tree.codes(question), question


@pytest.mark.rule("O-07")
def test_a_township_branch_is_still_found_by_its_former_name(tree: Tree):
    assert tree.codes("海秀镇学社衔接临时团支部", "46") == ["460105102-001"]
    assert tree.codes("海秀镇 学社衔接", "46") == ["460105102-001"]


def test_the_better_answer_comes_first(tree: Tree):
    hits = tree.search("海秀", "46").hits
    assert [hit.match for hit in hits] == sorted(hit.match for hit in hits)
    # Both places of that name, then their branches, whose names begin so
    assert [hit.organisation.code for hit in hits] == [
        "460105002",
        "460105102",
        "460105002-001",
        "460105102-001",
    ]
    # Of equal name the higher comes first: the city before anything else called 海口
    assert tree.codes("海口", "46")[0] == "4601"
    # An inner part comes last
    assert [hit.match for hit in tree.search("秀镇", "46").hits] == [Match.PART] * 2


def test_many_answers_are_cut_off_and_say_so(tree: Tree):
    result = tree.search("街道", "46", limit=5)
    assert len(result.hits) == 5
    assert result.more
    assert all("街道" in hit.organisation.short_name for hit in result.hits)
    everything = tree.codes("街道", "46", limit=100)
    assert len(everything) == len(set(everything)) == 21
    assert not tree.search("街道", "46", limit=100).more
    assert tree.codes("海口 街道", limit=100) == tree.codes("街道", "4601", limit=100)


def test_one_searches_inside_any_organisation(tree: Tree):
    assert tree.codes("中山", "460106")[0] == "460106001"
    assert tree.codes("中山", "460105") == []


def test_classes_are_found_by_where_something_begins(tree: Tree):
    first, second, third = (tree[f"class{number}"].code for number in (1, 2, 3))
    assert tree.codes("软件工程", "46") == [first, second]
    assert tree.codes("rjgc", "46") == [first, second]
    assert tree.codes("2023级", "46") == [third]
    assert tree.codes("江淮示范大学 软件工程", "46") == [first, second]
    assert tree.codes("软件工程 2班", "46") == [second]
    assert tree.codes("江淮 网络工程", "46") == [third]
    assert tree.codes("江淮示范大学计算机学院2022级软件工程专业1班团支部", "46") == [first]
    assert tree.codes("江淮示范大学计算机学院", "46")[0] == tree["college"].code


@pytest.mark.rule("O-10")
def test_a_graduates_organisation_is_shown_but_cannot_be_chosen(tree: Tree):
    graduates = tree["class1"]
    graduates.category = Category.GRADUATES
    tree.session.flush()
    chosen = {hit.organisation: hit for hit in tree.search("软件工程", "46").hits}
    assert not chosen[graduates].selectable
    assert "毕业生团组织" in chosen[graduates].problem
    assert chosen[tree["class2"]].selectable


def test_what_is_no_destination_says_why(tree: Tree):
    def only(question: str, within: str | None = "46"):
        return tree.search(question, within).hits[0]

    # A township, its branch, a university and a college can be chosen
    for question in ("海秀镇", "海秀镇流动团员团支部", "江淮示范大学", "计算机学院"):
        assert only(question).selectable, question
    # A leading organ cannot: its basic organisations can
    assert "领导机关" in only("秀英区").problem
    # Nor can what is closed, the pool of special units or another system
    tree["college"].closed_at = clock.now()
    tree.create(
        "pool", "46", "海南省特殊单位专属库团支部", "特殊单位专属库", BRANCH, "党政机关", purpose=Purpose.SPECIAL_POOL
    )
    tree.session.flush()
    assert "停用" in only("计算机学院").problem
    assert "特殊单位" in only("特殊单位专属库").problem
    assert "自己的系统" in only("北京", None).problem


@pytest.mark.rule("O-18")
def test_a_search_follows_the_real_line_not_geography(tree: Tree):
    # Given a railway unit in 海口 that belongs to the railway system
    assert tree["railway"].path.startswith(tree["0-002"].path)
    # Then it is not found under the province where it lies, and the answer says where to look
    result = tree.search("示例机务段", "46")
    assert not result.hits
    assert result.elsewhere == ("全国铁道团委",)
    # But under its system
    (hit,) = tree.search("示例机务段", "0-002").hits
    assert hit.organisation == tree["railway"]
    assert hit.line == ("全国铁道团委",)


@pytest.mark.rule("O-20")
def test_who_finds_nothing_is_told_what_to_try(tree: Tree):
    result = tree.search("查无此处", "46")
    assert not result.hits
    assert [hint.key for hint in result.hints] == ["name", "province", "graduates", "report"]
    assert all(hint.text for hint in result.hints)
    assert result.elsewhere == ()
    # If another province has it, it is named
    assert tree.search("浦东新区", "46").elsewhere == ("团上海市委",)
    # Where something is found, nobody is lectured
    assert tree.search("海秀", "46").hints == ()


@pytest.mark.rule("PD-05")
def test_places_in_external_systems_lead_to_their_region(tree: Tree):
    for question in ("北京 海淀", "北京市海淀区", "共青团北京市海淀区委员会"):
        (hit,) = tree.search(question, "46").hits
        assert hit.organisation.code == "11"
        assert not hit.selectable
    # Whoever chooses the region first sees only it, whatever he types
    (hit,) = tree.search("深圳市南山区", "44").hits
    assert hit.organisation.code == "44"


def test_a_renamed_organisation_is_found_by_both_names(tree: Tree):
    university = tree["university"]
    university.full_name, university.short_name = "共青团江淮理工大学委员会", "江淮理工大学团委"
    tree.session.flush()
    index_terms(tree.session, university)
    index_terms(tree.session, university)
    for question in ("江淮理工大学", "江淮示范大学", "jhlgdx", "jhsfdx"):
        assert tree.codes(question, "46")[0] == university.code


def test_a_moved_organisation_is_found_where_it_is(tree: Tree):
    # Given a university with its classes that moves from the city to the province (PD-07)
    university, province = tree["university"], tree["46"]
    old, new = university.path, province.path + "00ZZ"
    for organisation in (university, tree["college"], *(tree[f"class{number}"] for number in (1, 2, 3))):
        organisation.path = new + organisation.path[len(old) :]
    tree.session.flush()
    move_terms(tree.session, old, new)
    # Then the city has it no longer
    assert tree.codes("江淮示范大学", "4601") == []
    assert tree.codes("软件工程", "46") == [tree["class1"].code, tree["class2"].code]
    assert tree.search("软件工程", "46").hits[0].line == ("团海南省委", "江淮示范大学团委", "计算机学院团委")


def test_whatever_is_typed_does_no_harm(tree: Tree):
    for question in ("", "   ", "（）", "%", "_", "'; --", "海" * 500, "\u3000", "\x00", "团\x00", "😀", "\udc80"):
        assert tree.search(question, "46").hits == (), question
    assert len(tree.search("海 " * 50, "46").hits) == 20


@contextmanager
def statements(session: Session) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database inside the block."""
    asked: list[tuple[str, Any]] = []
    engine = session.connection().engine

    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_a_search_is_a_few_small_reads(tree: Tree):
    with statements(tree.session) as asked:
        tree.search("海秀镇", "46")
    assert 0 < len(asked) <= 8
    if tree.session.get_bind().dialect.name != "sqlite":
        return
    # None of them goes through a whole table
    for statement, parameters in asked:
        connection = tree.session.connection()
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        assert not [row for row in plan if "SCAN organisation" in row.detail], (statement, plan)


@pytest.mark.rule("O-08")
def test_every_host_of_a_floating_branch_and_its_branch_can_be_found(tree: Tree):
    # Given a county's fallback, a park's, a school's and a college's floating branch beside the townships'
    tree.create(
        "park", "460105", "共青团示例产业园工作委员会", "示例产业园团工委", Category.WORKING_COMMITTEE, "非公企业"
    )
    for key, parent, place in (
        ("county", "460105", "海南省海口市秀英区"),
        ("park's", "park", "示例产业园"),
        ("school's", "university", "江淮示范大学"),
        ("college's", "college", "江淮示范大学计算机学院"),
    ):
        name = f"{place}流动团员团支部"
        tree.create(key, parent, name, name, BRANCH, "城市社区", purpose=Purpose.FLOATING)
    # Then each is found with its host's name and can be chosen
    for question, key in (
        ("秀英区 流动", "county"),
        ("示例产业园 流动团员团支部", "park's"),
        ("江淮示范大学流动团员团支部", "school's"),
        ("计算机学院流动团员团支部", "college's"),
        ("460105102-001", "460105102-001"),
    ):
        hits = [hit for hit in tree.search(question, "46", limit=50).hits if hit.organisation == tree[key]]
        assert hits, question
        assert hits[0].selectable
        assert hits[0].organisation.purpose is Purpose.FLOATING


def test_the_terms_are_sorted_byte_by_byte(tree: Tree):
    # A range over a prefix is only right where the database compares bytes, not by a language's rules
    terms = tree.session.scalars(text("SELECT term FROM organisation_terms ORDER BY fit, term, path")).all()
    half = terms.index(max(terms))
    for part in (terms[: half + 1], terms[half + 1 :]):
        assert list(part) == sorted(part)
