"""The example of PD-24 as a world: university U in city P1 of province P, place P2 there, and province Q."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.remembering import remembered
from tests.transfers.steps import start
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.graduation.models import GraduateCategory
from zhtj.kernel.database import unit_of_work
from zhtj.orgs.models import Category
from zhtj.people.models import Member
from zhtj.rates import queries
from zhtj.rates.rules import Figures, Rate, RateKind
from zhtj.transfers.models import Application

SEASON = 2026


@dataclass
class Area:
    """A world of two provinces and short ways to ask for its figures.

    Graduates: ``world.graduate``, ``world.classmate`` and ``third`` of U (a, b, c), ``stranger`` of Q.
    """

    world: World
    third: Member
    stranger: Member

    def rate(self, key: str, kind: RateKind = RateKind.SOCIETY, day: date | None = None) -> Rate:
        """A rate of an organisation."""
        return kind.of(self.figures(key, day))

    def figures(self, key: str, day: date | None = None) -> Figures:
        """All figures of an organisation."""
        return queries.figures(self.world.orgs[key].path, SEASON, day)

    def goes(self, member: Member, to: str, by: str = "", **details: Any) -> Application:
        """An application, by the member or by the old side's secretary ``by``."""
        seat = self.world.seat(by) if by else self.world.own_seat(member)
        return start(seat, member, self.world.orgs[to], **details)


@pytest.fixture
def area(session: Session) -> Area:
    """The example of PD-24."""
    del session
    return build()


@remembered
def build() -> Area:
    """U with graduates a, b, c in city P1; P2 a city with a company; province Q with a college and a company."""
    world = World.build()
    committee, branch, leading = Category.COMMITTEE, Category.BRANCH, Category.LEADING_ORGAN
    with unit_of_work():
        world.add("p2", "province", "共青团安徽省芜湖市委员会", "团芜湖市委", leading, code="3402")
        world.add("p2_company", "p2", "共青团芜湖示例造船有限公司委员会", "示例造船团委", committee, "国有企业")
        world.add("p2_team", "p2_company", "芜湖示例造船有限公司船体团支部", "船体团支部", branch, "国有企业")
        world.add("q", "centre", "共青团江苏省委员会", "团江苏省委", leading, code="32")
        world.add("q_college", "q", "共青团苏南示范学院委员会", "苏南示范学院团委", committee, "普通高等院校")
        world.add("q_class", "q_college", "苏南示范学院2022级1班团支部", "1班团支部", branch, "普通高等院校")
        world.add("q_company", "q", "共青团江苏示例软件有限公司委员会", "示例软件团委", committee, "非公企业")
        world.add("q_team", "q_company", "江苏示例软件有限公司测试团支部", "测试团支部", branch, "非公企业")
        for key in ("p2_company", "p2_team", "q_college", "q_class", "q_company", "q_team", "city", "centre"):
            world.appoint(key)
        graduation.mark_branch(world.orgs["q_class"], month=date(2026, 6, 1))
    with unit_of_work():
        third = world.enrol("仉睿", "class1")
        stranger = world.enrol("宓文", "q_class")
        graduation.open_register()
    return Area(world, third, stranger)


FURTHER_STUDY, SOCIETY = GraduateCategory.FURTHER_STUDY, GraduateCategory.SOCIETY
