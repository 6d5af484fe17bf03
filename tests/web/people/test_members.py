"""The pages of members: filters, columns, saved views, search, entering one, editing (U-09 … U-14, PD-37)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browsing import Browser, Page
from tests.statements import statements
from tests.world import World, id_number
from zhtj.cases.membership import records
from zhtj.imports.members import single
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.people import operations as people
from zhtj.people.models import Member, MemberView, Post, Sex
from zhtj.people.operations import NewMember


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def rows(page: Page) -> list[str]:
    """The names in the table."""
    found = [cell for cell in page.document.iter("th") if cell.get("scope") == "row"]
    return ["".join(cell.itertext()).split()[0] for cell in found]


def add(world: World, name: str, serial: int, key: str = "class2", **more: Any) -> Member:
    """Somebody with an inactive account."""
    born = more.pop("born", date(2004, 3, 14))
    sex = more.pop("sex", Sex.MALE)
    values = {"joined_on": date(2019, 5, 1), "dev_number": f"2019340{serial:05d}", **more}
    new = NewMember(
        name=name, id_number=id_number(serial, born=born, sex=sex), mobile=f"1370000{serial:04d}", sex=sex, **values
    )
    return people.add_member(world.orgs[key], new)


# -- the list


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("active=no", ["龑喆"]),
        ("sex=female", ["龑喆"]),
        ("age=over", ["年长"]),
        ("age=turning", ["将满"]),
        ("missing=dev_number", ["将满"]),
        ("political=中共党员", ["龑喆"]),
        ("standing=suspended", ["将满"]),
        ("standing=archived", ["离去"]),
        ("unit=软工1班团支部", ["丁一", "卜喆"]),
        ("graduate=yes", []),
        ("order=name&unit=软工1班团支部", ["丁一", "卜喆"]),
        ("order=oldest&unit=软工2班团支部", ["年长", "将满", "万堃", "龑喆"]),
        ("order=youngest&unit=软工2班团支部", ["龑喆", "万堃", "将满", "年长"]),
        ("age=never&sex=?&order=none", ["丁一", "卜喆", "万堃", "年长", "将满", "龑喆"]),
    ],
)
def test_the_list_is_narrowed_and_ordered(world: World, browser: Browser, query: str, names: list[str]) -> None:
    today = clock.today()
    with unit_of_work():
        old = add(world, "年长", 301, born=date(today.year - 28, today.month, today.day))
        soon = add(world, "将满", 302, born=date(today.year - 28, today.month, today.day + 1), dev_number=None)
        for one in (old, soon):
            one.account.activated_at = clock.now()
        soon.suspended_at = clock.now()
        add(world, "龑喆", 303, born=date(2005, 1, 1), sex=Sex.FEMALE, political_status="中共党员")
        gone = add(world, "离去", 304)
        session.flush()
        records.archive(gone, "death", "test")
    page = browser.login(world.accounts["university"]).get(f"/school/members?{query}").follow()
    assert page.status == 200
    assert rows(page) == names


@pytest.mark.rule("PD-37", "U-20")
def test_search_finds_by_name_and_by_any_number_here_and_below(world: World, browser: Browser) -> None:
    graduate = world.graduate
    browser.login(world.accounts["university"])
    number, mobile = graduate.account.id_number, graduate.account.mobile
    for text in (
        "丁",
        "丁一",
        "dy",
        "DY",
        number,
        str(number).lower(),
        mobile,
        graduate.student_no,
        graduate.dev_number,
        f"+86{mobile}",
    ):
        page = browser.get(f"/school/members?q={str(text).replace('+', '%2B')}")
        assert rows(page) == ["丁一"], text
        assert str(number) not in page.text
    assert rows(browser.get("/school/members?q=于敏")) == [], "an enterprise is not ours"
    assert rows(browser.get(f"/school/members?q={world.employee.account.id_number}")) == []


@pytest.mark.rule("PD-37")
def test_a_full_number_is_opened_by_a_press_and_noted(world: World, browser: Browser) -> None:
    number = world.graduate.account.id_number
    page = browser.login(world.accounts["class1"]).get(f"/branch/members/{world.graduate.id}")
    assert number not in page.source
    page = page.form(f"/members/{world.graduate.id}/number").submit()
    assert number in page.text
    seen = session.scalars(select(AuditEvent).where(AuditEvent.action == "member.number_seen")).all()
    assert [(one.account_id, one.subject_id) for one in seen] == [(world.accounts["class1"].id, world.graduate.id)]


def test_columns_are_chosen(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["university"]).get("/school/members?cols=age&cols=dev_number&cols=nothing")
    heads = ["".join(cell.itertext()) for cell in page.document.iter("th") if cell.get("scope") == "col"]
    assert heads == ["选择", "姓名", "年龄", "发展团员编号"]
    assert world.graduate.dev_number in page.text


@pytest.mark.slow("turns pages in every order")
def test_pages_go_forth_and_back_in_every_order(world: World, browser: Browser) -> None:
    with unit_of_work():
        for serial in range(310, 352):
            add(world, "赵钱孙李周吴郑"[serial % 7] + "同", serial, born=date(2000 + serial % 4, 1, 1))
    browser.login(world.accounts["university"])
    for order in ("", "name", "joined", "oldest", "youngest"):
        first = page = browser.get(f"/school/members?order={order}")
        names = rows(page)
        assert len(names) == 20
        while "下一页" in page.links():
            page = page.click("下一页")
            names += rows(page)
        assert len(names) == 45, order
        while "上一页" in page.links():
            page = page.click("上一页")
        assert rows(page) == rows(first)
        assert "共 45 人" in page.text


def test_by_age_only_those_are_listed_and_counted_whose_age_is_known(world: World, browser: Browser) -> None:
    with unit_of_work():
        for serial in range(310, 332):
            add(world, "同龄", serial)
        session.merge(world.graduate).born = None
    browser.login(world.accounts["university"])
    page = browser.get("/school/members")
    assert "共 25 人" in page.text
    page = browser.get("/school/members?order=oldest")
    assert "共 24 人" in page.text
    assert len(rows(page)) + len(rows(page.click("下一页"))) == 24


def test_a_page_of_many_needs_few_statements(world: World, browser: Browser, app: Any) -> None:
    with unit_of_work():
        for serial in range(310, 352):
            add(world, "许多", serial)
    browser.login(world.accounts["university"]).get("/school/members")
    branch = f"org={world.orgs['class2'].id}&order=name&cols=age"
    for query in ("", "q=许", branch, "age=over&missing=mobile"):
        with statements() as seen:
            assert browser.get(f"/school/members?{query}").status == 200
        assert len([one for one in seen if "SAVEPOINT" not in one]) <= 10, seen


def test_a_view_is_kept_for_one_person_in_one_seat(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["university"]).get("/school/members?active=no&cols=age,mobile&order=name")
    page = page.form("/members/views").submit(name="未激活的").follow()
    assert "名单已保存" in page.text
    page = browser.get("/school/members").click("未激活的")
    assert page.url.count("active=no") == 1
    # The same name again takes its place
    browser.get("/school/members?sex=female").form("/members/views").submit(name="未激活的")
    assert [one.query for one in session.scalars(select(MemberView))] == [{"sex": "female"}]
    assert "未激活的" not in browser.login(world.accounts["college"]).get("/college/members").text
    page = browser.login(world.accounts["university"]).get("/school/members").form("/members/views/forget").submit()
    assert session.scalars(select(MemberView)).all() == []


@pytest.mark.parametrize("name", ["", "长" * 31])
def test_a_view_needs_a_name_of_some_length(world: World, browser: Browser, name: str) -> None:
    page = browser.login(world.accounts["university"]).get("/school/members?active=no")
    page = page.form("/members/views").submit(name=name)
    assert page.status == 422
    assert "名字" in page.text


def test_nobody_forgets_the_view_of_another(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["university"]).get("/school/members?active=no")
    page.form("/members/views").submit(name="我的")
    view = session.scalars(select(MemberView)).one()
    browser.login(world.accounts["college"]).get("/college/members")
    browser.post("/college/members/views/forget", {"view": str(view.id)})
    session.expire_all()
    assert session.scalars(select(MemberView)).all() == [view]


@pytest.mark.rule("PD-06")
def test_an_archived_member_can_be_looked_at_with_the_ground_and_the_way_back(world: World, browser: Browser) -> None:
    with unit_of_work():
        records.archive(session.merge(world.graduate), "death", "test")
    page = browser.login(world.accounts["university"]).get("/school/members?standing=archived").click("丁一")
    assert "记录已归档" in page.text
    assert "去世" in page.text
    assert "申请恢复" in page.text
    assert not page.has_form("/code")
    assert "办理转出" not in page.content
    assert browser.post(f"/school/members/{world.graduate.id}/code").status == 404


# -- entering one


def typed(**values: Any) -> dict[str, Any]:
    """The form's fields by their headings."""
    positions = {column.name: f"c{position}" for position, column in enumerate(single.COLUMNS)}
    usual = {
        "姓名": "龑喆",
        "身份证号码": id_number(400),
        "手机号码": "13711110000",
        "入团年月": "2019-05",
        "发展团员编号": "201934990001",
        "学号": "2022990001",
    }
    return {positions[name]: text for name, text in {**usual, **values}.items()}


@pytest.mark.rule("U-09", "U-10")
def test_a_branch_enters_a_member_who_has_no_account_yet(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["class2"]).get("/branch/members").click("登记团员")
    page = page.form("/members/new").submit(**typed()).follow()
    assert "已登记" in page.text
    assert "尚未激活" in page.text
    found = session.scalars(select(Member).where(Member.dev_number == "201934990001")).one()
    assert (found.name, found.org_id, found.born) == ("龑喆", world.orgs["class2"].id, date(2004, 3, 14))


@pytest.mark.rule("U-10", "U-11", "PD-31")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"身份证号码": "340104200403140002"}, "校验码不对"),
        ({"身份证号码": "1"}, "应为 18 位"),
        ({"入团年月": "2016-02"}, "应满 12 周岁"),
        ({"入团年月": "2017-02"}, "应满 13 周岁"),
        ({"入团年月": ""}, "没有填写入团年月"),
        ({"发展团员编号": ""}, "必须有发展团员编号"),
        ({"发展团员编号": "123"}, "应为 12 位数字"),
        ({"手机号码": "123"}, "手机号码应为 11 位"),
        ({"姓名": ""}, "没有填写姓名"),
        ({"姓名": "长" * 61}, "超过 60 个字"),
        ({"姓名": "丁?"}, "可能有字没有保存下来"),
    ],
)
def test_the_rules_of_the_roster_hold_for_one_too(
    world: World, browser: Browser, change: dict[str, str], words: str
) -> None:
    if "入团年月" in change and change["入团年月"].startswith("2016"):
        change = {**change, "身份证号码": id_number(401, born=date(2004, 3, 14)), "发展团员编号": ""}
    page = browser.login(world.accounts["class2"]).get("/branch/members/new")
    before = len(session.scalars(select(Member.id)).all())
    change = {**change, "入团年月": "2015-02"} if words == "应满 12 周岁" else change
    change = {**change, "身份证号码": id_number(402, born=date(2004, 9, 1))} if words == "应满 13 周岁" else change
    page = page.form("/members/new").submit(**typed(**change))
    assert page.status == 422
    assert words in page.text
    assert len(session.scalars(select(Member.id)).all()) == before


@pytest.mark.rule("U-11", "U-21")
def test_what_is_doubtful_is_confirmed_first(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["class2"]).get("/branch/members/new")
    page = page.form("/members/new").submit(**typed(发展团员编号=world.graduate.dev_number))
    assert page.status == 422
    assert "另一人的记录已有这个编号" in page.text
    page = page.form("/members/new").submit(confirmed="1")
    assert page.status == 303


@pytest.mark.rule("PD-31", "U-18")
def test_who_is_in_the_system_already_comes_by_transfer(world: World, browser: Browser) -> None:
    browser.login(world.accounts["class2"])
    known = world.graduate.account
    page = browser.get("/branch/members/new").form("/members/new")
    answer = page.submit(**typed(姓名=known.name, 身份证号码=known.id_number, 手机号码=known.mobile))
    assert answer.status == 422
    assert "办理转入" in answer.main
    assert "软工1班" not in answer.main, "where he is, is not told"
    own = world.sophomore.account
    answer = page.submit(**typed(姓名=own.name, 身份证号码=own.id_number, 手机号码=own.mobile))
    assert "已在本支部" in answer.text
    other = page.submit(**typed(手机号码=known.mobile))
    assert "手机号码已是系统里另一人的" in other.text


def test_names_of_all_kinds_are_kept_as_they_are(world: World, browser: Browser) -> None:
    browser.login(world.accounts["class2"])
    for serial, name in enumerate(("阿卜杜拉·" + "伊" * 35, "𠮷野", "龑喆", "O'Neil")):
        values = typed(
            姓名=name,
            身份证号码=id_number(410 + serial),
            手机号码=f"1371111100{serial}",
            发展团员编号=f"20193498000{serial}",
        )
        page = browser.get("/branch/members/new").form("/members/new").submit(**values).follow()
        assert page.status == 200
        assert name in page.text


@pytest.mark.rule("PD-55")
@pytest.mark.parametrize("name", ["=SUM(A)", "<b>甲</b>", "甘■禾", "鲍子墨（转专业）", "卫一宁、岑以安", "NULL", "无"])
def test_what_is_no_name_is_refused_and_stays_in_its_field(world: World, browser: Browser, name: str) -> None:
    page = browser.login(world.accounts["class2"]).get("/branch/members/new").form("/members/new")
    answer = page.submit(**typed(姓名=name))
    assert answer.status == 422
    assert name in answer.form("/members/new").values.values()


def test_a_committee_names_the_branch(world: World, browser: Browser) -> None:
    page = browser.login(world.accounts["college"]).get("/college/members/new")
    assert "没有这个团支部" in page.form("/members/new").submit(branch="研发团支部", **typed()).text
    assert "不是团支部" in page.form("/members/new").submit(branch="计算机学院团总支", **typed()).text
    page = page.form("/members/new").submit(branch="软工2班团支部", **typed())
    assert page.status == 303


# -- working data


@pytest.mark.rule("U-14")
def test_working_data_is_changed_at_once_and_noted(world: World, browser: Browser) -> None:
    number = world.sophomore.id
    page = browser.login(world.accounts["class2"]).get(f"/branch/members/{number}").click("修改学号")
    form = page.form("/edit")
    assert form.names.isdisjoint({"name", "id_number", "joined_on", "mobile"}), "name and number never"
    page = form.submit(student_no="2022888888", major="软件工程", degree="本科", dues_until="2026年9月").follow()
    session.expire_all()
    found = session.get_one(Member, number)
    assert (found.student_no, found.major, found.degree, found.dues_until) == (
        "2022888888",
        "软件工程",
        "本科",
        date(2026, 9, 1),
    )
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "member.update")).one()
    assert event.detail["changes"]["major"] == ["", "软件工程"]


def test_the_second_of_two_administrators_is_told(world: World, browser: Browser, app: Any) -> None:
    number = world.sophomore.id
    first = browser.login(world.accounts["class2"]).get(f"/branch/members/{number}/edit").form("/edit")
    second = (
        Browser(app.test_client()).login(world.accounts["college"]).get(f"/college/members/{number}/edit").form("/edit")
    )
    assert first.submit(major="软件工程").status == 303
    answer = second.submit(major="计算机科学")
    assert answer.status == 409
    assert "刚刚被其他人改过" in answer.text
    assert answer.form("/edit").values["major"] == "软件工程"


@pytest.mark.parametrize(
    ("values", "words"),
    [({"dues_until": "明年"}, "2026-06"), ({"dues_until": "2099-01"}, "两年"), ({"major": "长" * 61}, "最多 60 个字")],
)
def test_bad_values_are_refused_with_what_was_typed(
    world: World, browser: Browser, values: dict[str, Any], words: str
) -> None:
    page = browser.login(world.accounts["class2"]).get(f"/branch/members/{world.sophomore.id}/edit")
    page = page.form("/edit").submit(**values)
    assert page.status == 422
    assert words in page.text
    assert next(iter(values.values())) in page.source


@pytest.mark.rule("PD-02")
def test_nobody_edits_his_own_record(world: World, browser: Browser) -> None:
    with unit_of_work():
        account = session.merge(world.sophomore).account
        people.start_seat(account, world.orgs["class2"], Post.DEPUTY)
    page = browser.login(account).get(f"/branch/members/{world.sophomore.id}/edit")
    assert page.status == 403
