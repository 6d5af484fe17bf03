"""Invented people: names from a list of syllables, ID numbers with a right check sign, mobile numbers counted up."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from zhtj.people.identity import check_sign
from zhtj.people.models import Sex
from zhtj.people.operations import NewMember

_SURNAMES = tuple(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔"
)
_DOUBLE_SURNAMES = ("欧阳", "司马", "上官", "诸葛", "慕容")
_SYLLABLES = tuple("子一思雨欣怡佳宇浩梓晨嘉俊文博明轩若涵诗语安然宁远书航知行清越云舒承泽星河念初景和乐之以恒")
# Which not every typeface has: screens, searches, sheets and letters have to bear them.
RARE = tuple("龑喆堃玥")
_RARE_SHARE, _DOUBLE_SHARE, _SHORT_SHARE, _MINORITY_SHARE = 0.03, 0.02, 0.25, 0.06
_PEOPLES = ("回族", "满族", "壮族", "苗族", "土家族", "畲族")
# Counties no sample file names, so that an invented number is never one of theirs.
_COUNTIES = ("340202", "340802", "341002", "341302", "341503", "341602", "341702", "341802")
_SERIALS = 500
_MOBILE_PREFIX = 1920


@dataclass(slots=True)
class Inventor:
    """Invents people; the same chance gives the same people, and no two have a number in common.

    Args:
        chance: where the differences come from.
        mobiles: how many mobile numbers have been given out.
    """

    chance: random.Random
    mobiles: int = 0
    _taken: set[str] = field(default_factory=set)

    def name(self) -> str:
        """A surname and one or two syllables, now and then with a rare character."""
        chance = self.chance
        surname = chance.choice(_DOUBLE_SURNAMES if chance.random() < _DOUBLE_SHARE else _SURNAMES)
        given = [chance.choice(_SYLLABLES) for _ in range(1 if chance.random() < _SHORT_SHARE else 2)]
        if chance.random() < _RARE_SHARE:
            given[-1] = chance.choice(RARE)
        return surname + "".join(given)

    def mobile(self) -> str:
        """The next number; 11 digits."""
        self.mobiles += 1
        return f"{_MOBILE_PREFIX}{self.mobiles:07d}"

    def id_number(self, born: date, sex: Sex) -> str:
        """A number nobody else has, for this day of birth."""
        while True:
            serial = self.chance.randrange(_SERIALS) * 2 + (sex is Sex.MALE)
            body = f"{self.chance.choice(_COUNTIES)}{born:%Y%m%d}{serial:03d}"
            if body not in self._taken:
                self._taken.add(body)
                return body + check_sign(body)

    def student(self, *, entered: int, major: str, student_no: str, places: Sequence[str]) -> NewMember:
        """A student who came to the university in ``entered`` at eighteen and joined the League at fifteen or so.

        Args:
            entered: year.
            major: as the roster has it.
            student_no: likewise; nobody else's.
            places: full names of townships to be at home in.
        """
        chance = self.chance
        born = date(entered - 19, 9, 1) + timedelta(days=chance.randrange(365))
        sex = chance.choice(list(Sex))
        joined = date(born.year + chance.randrange(15, 18), chance.choice((5, 12)), 1)
        origin = chance.choice(places)
        return NewMember(
            name=self.name(),
            id_number=self.id_number(born, sex),
            mobile=self.mobile(),
            sex=sex,
            joined_on=joined,
            ethnicity=chance.choice(_PEOPLES) if chance.random() < _MINORITY_SHARE else "汉族",
            dev_number=f"{joined.year}34{self.mobiles % 1_000_000:06d}",
            student_no=student_no,
            major=major,
            degree="本科",
            political_status="共青团员",
            household=origin,
            origin=origin,
            residence=chance.choice(places),
            emergency_name=self.name(),
            emergency_phone=self.mobile(),
        )
