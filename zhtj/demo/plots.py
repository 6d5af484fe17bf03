"""What happens to whom in the demonstration's season: one graduate for every turn of the main path, and the many.

Only data and chance; ``play`` acts it out.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from zhtj.demo import calendar
from zhtj.demo.stage import POOL
from zhtj.kernel import clock
from zhtj.orgs.models import Region
from zhtj.policy.vocabulary import PlaceTie, Reason
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import Action


class StartingSeat(StrEnum):
    """Whose seat starts an application."""

    MEMBER = "member"
    BRANCH = "branch"
    COLLEGE = "college"
    NEW = "new"


# Key of the destination of those who go home: the floating branch of a township on the member's record.
HOME = "home_township"
LETTER = "letter"


@dataclass(frozen=True, slots=True)
class Goal:
    """Where somebody goes, and why.

    Args:
        to: key of the stage's organisation, or ``HOME``.
        place: his tie to the place, where the destination asks for one.
        there: full name of the organisation in an external system.
    """

    to: str
    reason: Reason
    unit: str | None = None
    address: str | None = None
    place: PlaceTie | None = None
    there: str | None = None


_COMPANY = "合肥示例科技有限公司"
_SHOP, _SHOP_AT = "合肥市蜀山区便民超市", "安徽省合肥市蜀山区井岗镇样例路8号"
_FARM, _FARM_AT = "小庙示例农场", "安徽省合肥市蜀山区小庙镇样例村"
EMPLOYER = Goal("employer", Reason.EMPLOYED_WITH_ORG, _COMPANY)
TEAM = Goal("team", Reason.EMPLOYED_WITH_ORG, _COMPANY)
MARKET = Goal("market", Reason.EMPLOYED_WITH_ORG, _COMPANY)
INTERN = Goal("employer", Reason.OTHER, _COMPANY)
ADMITTED = Goal("freshmen", Reason.FURTHER_STUDY, "皖中示范大学")
ADMITTING = Goal("admitting", Reason.FURTHER_STUDY, "皖中示范大学")
STAYS = Goal("own_freshmen", Reason.FURTHER_STUDY, "江淮示范大学")
STAYS_WITH_COLLEGE = Goal("college", Reason.FURTHER_STUDY, "江淮示范大学")
YOUTH_HOME = Goal("home", Reason.EMPLOYED_WITHOUT_ORG, _SHOP, _SHOP_AT, PlaceTie.UNIT_LOCATION)
YOUTH_HOME_UNPLACED = Goal("home", Reason.UNPLACED, address="安徽省合肥市蜀山区井岗镇", place=PlaceTie.RESIDENCE)
TOWNSHIP = Goal("township", Reason.EMPLOYED_WITHOUT_ORG, _SHOP, _SHOP_AT, PlaceTie.UNIT_LOCATION)
FAR_TOWNSHIP = Goal("far_township", Reason.EMPLOYED_WITHOUT_ORG, _FARM, _FARM_AT, PlaceTie.UNIT_LOCATION)
STUDIES = Goal("university", Reason.FURTHER_STUDY, "江淮示范大学")
WORKS = Goal("team", Reason.WORK, _COMPANY)
RESIDENCE = Goal(HOME, Reason.UNPLACED, place=PlaceTie.RESIDENCE)
HOUSEHOLD = Goal(HOME, Reason.UNPLACED, place=PlaceTie.HOUSEHOLD)
SPECIAL = Goal(POOL, Reason.SPECIAL_UNIT)
BEIJING = Goal(Region.BEIJING, Reason.EMPLOYED_WITH_ORG, "北京示例科技有限公司", there="北京示例科技有限公司第三团支部")
GUANGDONG = Goal(Region.GUANGDONG, Reason.EMPLOYED_WITH_ORG, "广州示例软件有限公司", there="广州示例软件有限公司团支部")
FUJIAN = Goal(Region.FUJIAN, Reason.FURTHER_STUDY, "闽江示范大学", there="闽江示范大学2026级研究生新生团支部")


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody does with an application once it is there.

    Args:
        does: an action of the workflow, or ``LETTER``: the university issues the letter.
        branch: key of the branch it is allocated to.
    """

    does: Action | str
    at: datetime
    branch: str = ""
    ground: Ground | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """One application from its start to where it stands.

    Args:
        goal: None: only the account is wanted, nothing happens.
        remark: with it the warnings of the destination table count as confirmed.
        note: how the login page introduces this member; "" keeps him off it.
        then: the application that follows when this one has ended badly.
        draft: he has begun to fill in the form and sent nothing.
    """

    goal: Goal | None = None
    side: StartingSeat = StartingSeat.MEMBER
    at: datetime = calendar.START
    turns: tuple[Turn, ...] = ()
    remark: str = ""
    note: str = ""
    then: Plot | None = None
    draft: bool = False


def _at(text: str) -> datetime:
    """A moment of the season, such as ``10-08 19:20``."""
    return clock.parse(f"2026-{text.replace(' ', 'T')}")


def _turn(does: Action | str, at: str, *, branch: str = "", remark: str = "") -> Turn:
    return Turn(does, _at(at), branch=branch, remark=remark)


def _no(ground: Ground, at: str, remark: str) -> Turn:
    return Turn(Action.REFUSE, _at(at), ground=ground, remark=remark)


_ACCEPT, _RELEASE, _ALLOCATE, _WITHDRAW = Action.ACCEPT, Action.RELEASE, Action.ALLOCATE, Action.WITHDRAW
_APPROVE, _CONFIRM, _FAIL, _AMEND = Action.APPROVE, Action.CONFIRM, Action.FAIL, Action.AMEND
_OBJECT, _SUSTAIN, _TAKE_OVER = Action.OBJECT, Action.SUSTAIN, Action.TAKE_OVER
_SAID_YES = "本人出示对方系统页面，显示已转入；已电话核实。"
_SAID_NO = "对方系统没有查到该组织，退回了申请。"

# The members of the first classes, one after the other. What nobody answers by midnight of the tenth day goes back: of
# those that wait, the ones submitted on 4 October are returned in the first night of the demonstration (PD-18).
FEATURED: tuple[Plot, ...] = (
    Plot(note="毕业生，还没有申请"),
    Plot(EMPLOYER, at=_at("10-08 19:20"), note="毕业生，申请待单位团委审批"),
    Plot(
        TEAM,
        at=_at("09-02 09:10"),
        turns=(_turn(_ACCEPT, "09-03 15:00"), _turn(LETTER, "09-04 09:30")),
        note="毕业生，已转到单位团支部",
    ),
    Plot(RESIDENCE, at=_at("09-20 10:00"), note="毕业生，申请超期退回，可以重新发起"),
    Plot(RESIDENCE, at=_at("10-04 14:00"), note="毕业生，申请今夜零时超期退回"),
    Plot(EMPLOYER, at=_at("10-13 21:40"), draft=True, note="毕业生，申请填了一半"),
    Plot(
        RESIDENCE,
        at=_at("10-08 08:30"),
        turns=(_no(Ground.WORKS_ELSEWHERE, "10-10 16:40", "电话核实，本人已在滨湖新区就业，应转往单位。"),),
        note="毕业生，申请未获同意",
    ),
    Plot(
        STAYS_WITH_COLLEGE,
        at=_at("10-12 11:25"),
        remark="已被本校计算机学院录取为硕士研究生，九月报到。",
        note="毕业生，本校升学，待原支部同意",
    ),
    # By the member himself.
    Plot(EMPLOYER, at=_at("10-04 18:30")),
    Plot(HOUSEHOLD, at=_at("10-13 08:10")),
    Plot(INTERN, at=_at("10-09 20:05"), remark="在该公司实习满三个月，劳动合同本月底签订。"),
    Plot(YOUTH_HOME_UNPLACED, at=_at("10-12 20:15"), remark="住在井岗镇，常参加青年之家的活动，求职期间由其联系。"),
    Plot(FAR_TOWNSHIP, at=_at("10-09 13:30")),
    Plot(TEAM, at=_at("10-12 22:10")),
    Plot(EMPLOYER, at=_at("10-09 12:05"), turns=(_turn(_ACCEPT, "10-12 10:30"),)),
    Plot(
        EMPLOYER,
        at=_at("09-08 12:40"),
        turns=(
            _turn(_ACCEPT, "09-09 09:15"),
            _turn(_ALLOCATE, "09-09 09:20", branch="market"),
            _turn(LETTER, "09-10 10:00"),
        ),
    ),
    Plot(
        EMPLOYER,
        at=_at("10-10 21:00"),
        turns=(_turn(LETTER, "10-12 09:20"), _turn(_WITHDRAW, "10-12 18:45", remark="单位填错了，改签了另一家。")),
    ),
    Plot(STAYS, at=_at("10-08 09:45"), turns=(_turn(_RELEASE, "10-09 08:50"),)),
    Plot(STAYS, at=_at("09-07 10:20"), turns=(_turn(_RELEASE, "09-08 09:00"), _turn(_ACCEPT, "09-08 14:10"))),
    Plot(
        RESIDENCE,
        at=_at("09-22 17:30"),
        turns=(_no(Ground.NOT_OURS, "09-24 10:10", "本人已与市区的公司签约，请转到单位团组织。"),),
        then=Plot(EMPLOYER, at=_at("10-09 19:00")),
    ),
    # To special units: the province decides, and nothing leads back.
    Plot(
        SPECIAL,
        at=_at("10-09 16:20"),
        remark="参军入伍，政审、体检已通过。",
        note="毕业生，参军入伍，待省级团委审批",
    ),
    Plot(
        SPECIAL, at=_at("09-10 09:10"), turns=(_turn(_APPROVE, "09-16 10:00"),), remark="参军入伍，政审、体检已通过。"
    ),
    Plot(
        SPECIAL,
        StartingSeat.COLLEGE,
        _at("10-08 15:00"),
        (_no(Ground.NOT_PASSED, "10-10 11:00", "政审结论还没有收到，收到后请重新发起。"),),
        remark="到涉密单位工作，政审办理中。",
    ),
    # To the three regions: what their systems decide is recorded by the class or its college.
    Plot(BEIJING, at=_at("10-08 10:10"), note="毕业生，转往北京，待对方系统处理"),
    Plot(GUANGDONG, at=_at("10-09 11:30")),
    Plot(BEIJING, at=_at("09-03 09:00"), turns=(_turn(_CONFIRM, "09-09 16:00", remark=_SAID_YES),)),
    Plot(FUJIAN, at=_at("09-11 14:00"), turns=(_turn(_FAIL, "09-18 09:40", remark=_SAID_NO),)),
    # Refused, and objected to: the county has to answer, or has answered.
    Plot(
        RESIDENCE,
        at=_at("10-07 10:30"),
        turns=(
            _no(Ground.WORKS_ELSEWHERE, "10-09 15:10", "听说本人已在外地工作，请核实。"),
            _turn(_OBJECT, "10-10 12:20", remark="我还在本镇求职，没有就业，可以打电话给我核实。"),
        ),
        note="毕业生，申请未获同意，已申诉",
    ),
    Plot(
        HOUSEHOLD,
        at=_at("09-15 09:30"),
        turns=(
            _no(Ground.WORKS_ELSEWHERE, "09-17 15:10", "本人不在本镇居住。"),
            _turn(_OBJECT, "09-18 12:20", remark="户籍在本镇，毕业后回来备考公务员。"),
            _turn(_SUSTAIN, "09-21 10:00", remark="经核实，本人户籍在本镇且尚未就业，应当接收。"),
            _turn(_ACCEPT, "09-22 09:30"),
        ),
    ),
    Plot(
        RESIDENCE,
        at=_at("10-08 16:40"),
        turns=(_no(Ground.OTHER, "10-12 09:50", "不是本镇户籍，不予接收。"),),
    ),
    # Amended on the way; taken over by the county from a township that has nobody.
    Plot(
        EMPLOYER,
        at=_at("10-09 18:00"),
        turns=(_turn(_AMEND, "10-10 09:05", remark="入职部门调整为市场部，报到日期不变。"),),
    ),
    Plot(FAR_TOWNSHIP, at=_at("09-04 10:00"), turns=(_turn(_TAKE_OVER, "09-12 10:30", branch="county_floating"),)),
    # By the old side: class or college.
    Plot(YOUTH_HOME, StartingSeat.BRANCH, _at("10-09 15:20")),
    Plot(RESIDENCE, StartingSeat.BRANCH, _at("10-04 10:00")),
    Plot(RESIDENCE, StartingSeat.BRANCH, _at("09-22 15:00")),
    Plot(
        ADMITTED,
        StartingSeat.COLLEGE,
        _at("09-14 10:30"),
        (_turn(_ACCEPT, "09-15 16:00"), _turn(LETTER, "09-16 09:00")),
    ),
    Plot(ADMITTING, StartingSeat.COLLEGE, _at("10-08 10:30"), (_turn(_ACCEPT, "10-12 09:05"),)),
    Plot(
        RESIDENCE,
        StartingSeat.BRANCH,
        _at("10-08 11:10"),
        (_no(Ground.WRONG_DATA, "10-09 09:40", "居住地已变更，请与本人核对后重新办理。"),),
    ),
    Plot(
        YOUTH_HOME,
        StartingSeat.BRANCH,
        _at("10-08 14:20"),
        (_turn(_WITHDRAW, "10-09 16:30", remark="本人改转工作单位。"),),
    ),
    # By the new side: employer or admitting school.
    Plot(EMPLOYER, StartingSeat.NEW, _at("10-12 14:30")),
    Plot(ADMITTED, StartingSeat.NEW, _at("10-12 11:00")),
    Plot(ADMITTED, StartingSeat.NEW, _at("10-04 09:30")),
    Plot(ADMITTED, StartingSeat.NEW, _at("09-21 09:30")),
    Plot(
        ADMITTED,
        StartingSeat.NEW,
        _at("09-10 11:00"),
        (_turn(_RELEASE, "09-11 09:00"), _turn(LETTER, "09-11 14:00")),
    ),
    Plot(EMPLOYER, StartingSeat.NEW, _at("10-08 09:50"), (_turn(_RELEASE, "10-09 17:20"),)),
    Plot(
        ADMITTED,
        StartingSeat.NEW,
        _at("10-09 09:30"),
        (_no(Ground.NOT_LEAVING, "10-10 10:20", "本人已放弃录取，准备就业。"),),
    ),
    Plot(
        ADMITTED,
        StartingSeat.NEW,
        _at("10-09 09:40"),
        (_turn(_WITHDRAW, "10-12 08:55", remark="名单有误，该生未报到。"),),
    ),
)


# Members of the township's floating branch, in no season: the ten days run from the day of submission.
RESIDENTS: tuple[Plot, ...] = (
    Plot(STUDIES, at=_at("10-10 20:30")),
    Plot(STUDIES, at=_at("10-08 21:10"), turns=(_turn(_ACCEPT, "10-12 15:40"),)),
    Plot(WORKS, at=_at("09-14 19:45"), turns=(_turn(_ACCEPT, "09-16 10:15"),)),
    Plot(note="非应届团员，还没有申请"),
)


@dataclass(slots=True)
class Crowd:
    """What most graduates did: transferred during the summer, some are under way, some never began.

    Args:
        share: of the graduates, from 0 to 1, that applied at all.
        places: whether their own townships are part of the play.
    """

    chance: random.Random
    share: float
    _kinds: tuple[tuple[int, str], ...] = field(
        default=(
            (30, "_went_home"),
            (22, "_found_work"),
            (20, "_admitted"),
            (6, "_sent"),
            (4, "_refused"),
            (18, "_waits"),
        )
    )

    def plots(self, number: int) -> Iterator[Plot | None]:
        """One for each of ``number`` graduates."""
        weights, kinds = zip(*self._kinds, strict=True)
        for _ in range(number):
            if self.chance.random() >= self.share:
                yield None
            else:
                (kind,) = self.chance.choices(kinds, weights)
                yield getattr(self, kind)()

    def _summer(self) -> datetime:
        return calendar.any_hour(date(2026, 6, 20), date(2026, 9, 18), self.chance)

    def _office(self) -> datetime:
        return calendar.office_hour(date(2026, 6, 22), date(2026, 9, 18), self.chance)

    def _done(self, goal: Goal, side: StartingSeat, *does: Action | str) -> Plot:
        moment = start = self._summer() if side is StartingSeat.MEMBER else self._office()
        turns = []
        for action in does:
            moment = calendar.office_after(moment, self.chance)
            turns.append(Turn(action, moment))
        return Plot(goal, side, start, tuple(turns))

    def _letter(self) -> tuple[str, ...]:
        return (LETTER,) if self.chance.random() < 1 / 4 else ()

    def _went_home(self) -> Plot:
        return self._done(self.chance.choice((RESIDENCE, HOUSEHOLD)), StartingSeat.MEMBER, _ACCEPT, *self._letter())

    def _found_work(self) -> Plot:
        return self._done(self.chance.choice((TEAM, TEAM, MARKET)), StartingSeat.MEMBER, _ACCEPT, *self._letter())

    def _admitted(self) -> Plot:
        return self._done(ADMITTED, StartingSeat.NEW, _RELEASE, *self._letter())

    def _sent(self) -> Plot:
        return self._done(self.chance.choice((RESIDENCE, MARKET)), StartingSeat.BRANCH, _ACCEPT)

    def _refused(self) -> Plot:
        start = self._summer()
        at = calendar.office_after(start, self.chance)
        no = Turn(Action.REFUSE, at, ground=Ground.WRONG_DATA, remark="联系不上本人，请补充联系方式后再申请。")
        return Plot(RESIDENCE, StartingSeat.MEMBER, start, (no,))

    def _waits(self) -> Plot:
        start = calendar.any_hour(date(2026, 10, 8), date(2026, 10, 13), self.chance)
        goal = self.chance.choice((EMPLOYER, RESIDENCE, HOUSEHOLD, TOWNSHIP, YOUTH_HOME, TEAM, ADMITTED))
        return Plot(goal, StartingSeat.MEMBER, start)
