"""The interface for data centres: what a token opens, how far, how often, for how long (PD-25, PD-37, PD-38)."""

from __future__ import annotations

import contextvars
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.browsing import Browser
from tests.rates.conftest import Area
from tests.transfers.steps import EMPLOYED, acting, do
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Forbidden
from zhtj.orgs.models import Organisation
from zhtj.rates import access_tokens, queries
from zhtj.rates.access_tokens import PER_MINUTE
from zhtj.rates.models import AccessToken
from zhtj.transfers import operations

LAST = date(2026, 12, 31)


class Caller:
    """A program with a token."""

    def __init__(self, app: Flask, plain: str) -> None:
        self.app, self.headers = app, {"Authorization": f"Bearer {plain}"} if plain else {}

    def get(self, path: str, status: int = 200, **headers: str) -> Any:
        """The document at ``path``."""
        response = self.ask(path, **headers)
        assert response.status_code == status, response.get_data(as_text=True)
        return response.get_json() if status != 304 else None

    def ask(self, path: str, **headers: str) -> TestResponse:
        session.commit()
        client = self.app.test_client()
        address = path if path.startswith("/") else f"/api/v1/{path}"
        return contextvars.Context().run(lambda: client.get(address, headers={**self.headers, **headers}))


def token_of(area: Area, key: str, *, people: bool = False) -> str:
    seat = area.world.seat(key)
    with acting(seat):
        return access_tokens.create(seat, "校数据中心", LAST, people=people)[1]


@pytest.fixture
def school(app: Flask, area: Area) -> Caller:
    """A program of the university's that may read names."""
    return Caller(app, token_of(area, "university", people=True))


def arrived(area: Area) -> None:
    application = area.goes(area.world.graduate, "p2_team", **EMPLOYED)
    do(operations.accept, application, area.world.seat("p2_team"))


def test_a_token_reads_its_own_organisation_and_what_is_below(area: Area, school: Caller) -> None:
    arrived(area)

    own, below = school.get("rates?season=2026"), school.get(f"rates?org={area.world.orgs['class1'].code}")

    assert own["organisation"]["name"] == "共青团江淮示范大学委员会"
    assert own["rates"]["society"] == {"label": "学社衔接率", "numerator": 1, "denominator": 3, "percent": 33.33}
    assert own["as_of"] == "2026-10-14T09:00:00+08:00"
    assert below["rates"]["society"]["denominator"] == 3


@pytest.mark.parametrize("words", ["34", "p2_team", "共青团江苏省委员会", "no-such-code"])
def test_what_lies_outside_is_not_revealed(area: Area, school: Caller, words: str) -> None:
    org = area.world.orgs.get(words)

    refused = school.get(f"rates?org={org.code if org else words}", 404)

    assert refused["error"]["message"] == "没有找到这个组织，或不在令牌的范围内。"


@pytest.mark.rule("PD-25")
def test_every_figure_opens_as_many_people_as_it_says(area: Area, app: Flask) -> None:
    arrived(area)
    area.goes(area.stranger, "team", **EMPLOYED)
    province = Caller(app, token_of(area, "province", people=True))
    document = province.get("rates")
    wanted: dict[str, int] = dict(document["figures"])
    for kind, rate in document["rates"].items():
        wanted |= {f"{kind}.{part}": rate[part] for part in ("numerator", "denominator")}

    for key, number in wanted.items():
        found = province.get(f"rates/people?key={key}")
        assert (found["total"], len(found["people"])) == (number, number), key


def test_people_carry_no_more_than_is_needed(area: Area, app: Flask) -> None:
    area.goes(area.stranger, "team", **EMPLOYED)
    county = Caller(app, token_of(area, "county", people=True))

    (person,) = county.get("rates/people?key=incoming_society")["people"]

    assert person == {
        "id": person["id"],
        "name": "宓文",
        "student_no": None,  # another school's
        "origin": {"code": area.world.orgs["q_class"].code, "name": "苏南示范学院2022级1班团支部"},
        "incoming": True,
        "category": "society",
        "done": False,
        "to_unit": False,
        "initiated": True,
        "destination": "研发团支部",
        "state": "awaiting_acceptance",
    }


def test_lists_come_in_pages_that_follow_each_other(area: Area, school: Caller) -> None:
    names, address = [], "rates/people?key=graduates&limit=2"
    while address:
        page = school.get(address)
        assert page["total"] == 3
        names.append([one["name"] for one in page["people"]])
        address = page["next"]

    assert [len(each) for each in names] == [2, 1]
    assert {name for each in names for name in each} == {"丁一", "卜喆", "仉睿"}
    del area


def test_children_come_in_pages_too(area: Area, app: Flask) -> None:
    province = Caller(app, token_of(area, "province"))

    first = province.get("rates/children?limit=1")
    second = province.get(first["next"])

    assert (first["total"], [one["organisation"]["code"] for one in first["children"]]) == (2, ["3401"])
    assert ([one["organisation"]["code"] for one in second["children"]], second["next"]) == (["3402"], None)
    assert second["children"][0]["rates"]["society"]["percent"] is None


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("rates?season=2019", 404, "2019 届没有统计数据。"),
        ("rates?season=2027", 404, "2027 届还没有开始。"),
        ("rates?season=abc", 422, "season 的值“abc”不是届别。"),
        ("rates?at=2026-10-15", 422, "不能查询未来的日期。"),
        ("rates?at=tomorrow", 422, "at 的值“tomorrow”不是日期。"),
        ("rates/people?key=everybody", 422, "没有这个名单。"),
        ("rates/people?key=graduates&limit=0", 422, "limit 的值“0”不对。"),
        ("rates/people?key=graduates&cursor=xyz", 422, "翻页地址不完整。"),
        ("nothing", 404, ""),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_document(school: Caller, path: str, status: int, said: str) -> None:
    refused = school.get(path, status)

    assert set(refused["error"]) == {"status", "message", "fix"}
    assert refused["error"]["message"].startswith(said)


def test_without_a_good_token_there_is_nothing(app: Flask, area: Area) -> None:
    plain = token_of(area, "university")

    for wrong in ("", "zhtj_guess", plain[:-1], plain.removeprefix("zhtj_")):
        response = Caller(app, wrong).ask("rates")
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_that_opens_no_names_opens_none(app: Flask, area: Area) -> None:
    caller = Caller(app, token_of(area, "university"))

    assert caller.get("rates")["season"] == 2026
    assert caller.get("rates/people?key=graduates", 403)["error"]["message"] == "这个令牌不能读取名单。"


def test_a_token_ends_when_it_is_revoked_when_its_days_are_over_and_with_its_organisation(
    app: Flask, area: Area, clock_at: Any
) -> None:
    seat, first, second = area.world.seat("university"), token_of(area, "university"), token_of(area, "university")
    with acting(seat):
        access_tokens.revoke(session.scalars(select(AccessToken.id).order_by(AccessToken.id)).first() or 0, seat)
    Caller(app, first).get("rates", 401)
    Caller(app, second).get("rates")

    with unit_of_work():
        session.get_one(Organisation, area.world.orgs["university"].id).closed_at = clock.now()
    Caller(app, second).get("rates", 401)
    with unit_of_work():
        session.get_one(Organisation, area.world.orgs["university"].id).closed_at = None

    clock_at("2026-12-31T23:59")
    Caller(app, second).get("rates")
    clock_at("2027-01-01T00:00")
    Caller(app, second).get("rates?season=2026", 401)


def test_too_many_questions_are_put_off(app: Flask, area: Area, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_tokens, "PER_MINUTE", replace(PER_MINUTE, times=2))
    caller, other = Caller(app, token_of(area, "university")), Caller(app, token_of(area, "university"))
    caller.get("rates")
    caller.get("rates")

    response = caller.ask("rates")

    assert response.status_code == 429
    assert response.headers["Retry-After"] == "60"
    assert response.get_json()["error"]["status"] == 429
    other.get("rates")


def test_what_has_not_changed_is_not_sent_again(school: Caller, area: Area) -> None:
    answer = school.ask("rates")
    tag = answer.headers["ETag"]
    assert answer.headers["Cache-Control"] == "private, no-cache"

    school.get("rates", 304, **{"If-None-Match": tag})
    arrived(area)
    school.get("rates", 200, **{"If-None-Match": tag})


def test_the_interface_changes_nothing_and_takes_no_session(app: Flask, area: Area) -> None:
    browser = Browser(app.test_client()).login(area.world.accounts["university"])

    assert browser.get("/api/v1/rates").status == 401
    assert browser.post("/api/v1/rates").status == 405


@pytest.mark.rule("PD-38")
def test_a_token_is_made_shown_once_used_and_ended_on_its_page(app: Flask, area: Area) -> None:
    browser = Browser(app.test_client()).login(area.world.accounts["university"])

    # When the school's administrator makes one
    page = (
        browser.get("/school/rates/tokens")
        .form("/school/rates/tokens")
        .submit(name="校数据中心", valid_until="2026-12-31", people="1")
    )
    plain = next(word for word in page.text.split() if word.startswith("zhtj_"))

    # Then it works, is shown no more, and stands in no column
    Caller(app, plain).get("rates/people?key=graduates")
    again = browser.get("/school/rates/tokens")
    assert plain not in again.source
    assert "从未" in page.text
    assert "从未" not in again.text
    session.expire_all()
    token = session.scalars(select(AccessToken)).one()
    assert plain not in {str(getattr(token, column.key)) for column in AccessToken.__table__.columns}

    # And when it is ended it does not, and the log has both
    again.form("/school/rates/tokens/revoke").submit()
    Caller(app, plain).get("rates", 401)
    noted = session.scalars(select(AuditEvent.action).where(AuditEvent.action.startswith("access_token"))).all()
    assert noted == ["access_token.create", "access_token.revoke"]


@pytest.mark.parametrize(
    ("name", "valid_until", "said"),
    [
        ("", "2026-12-31", "请写明用途"),
        ("数据中心", "", "日期请按"),
        ("数据中心", "2026-10-13", "有效期从今天起，最长一年"),
        ("数据中心", "2027-10-16", "有效期从今天起，最长一年"),
    ],
)
def test_a_wrong_form_is_shown_again_with_what_was_typed(
    app: Flask, area: Area, name: str, valid_until: str, said: str
) -> None:
    browser = Browser(app.test_client()).login(area.world.accounts["university"])

    page = browser.post("/school/rates/tokens", {"name": name, "valid_until": valid_until})

    assert page.status == 422
    assert said in page.text
    assert f'value="{name}"' in page.source


def test_only_committees_and_leading_organs_make_tokens(area: Area) -> None:
    for key in ("class1", "college"):
        with pytest.raises(Forbidden):
            token_of(area, key)
    assert token_of(area, "county").startswith("zhtj_")


def test_nobody_ends_anothers_token(app: Flask, area: Area) -> None:
    token_of(area, "university")
    number = session.scalars(select(AccessToken.id)).one()
    browser = Browser(app.test_client()).login(area.world.accounts["county"])

    assert browser.post("/provincial/rates/tokens/revoke", {"token": str(number)}).status == 404


def test_help_names_every_figure(app: Flask) -> None:
    page = Browser(app.test_client()).get("/help/interface")

    assert page.status == 200
    assert all(label in page.text for label in queries.LABELS.values())
    assert timedelta(days=365) < access_tokens.LONGEST
