"""Builds the demonstration world by the same operations as the real one, at the times when things happened.

The stage: one university with its roster, a second one that admits, employers with and without an organisation, a
青年之家, townships. The season's events follow one another; at the end the demonstration's clock stands at
14 October 2026, 09:00, and moves on from there (PD-36).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from zhtj import config, sweeps
from zhtj.demo import accounts
from zhtj.demo.people import invented_members
from zhtj.graduation import operations as graduation
from zhtj.imports import service as imports
from zhtj.kernel import audit, clock, settings
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.permissions import ActiveSeat, SeatKind
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Organisation, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.orgs.queries import by_code_or_name
from zhtj.orgs.tree_load import load_tree
from zhtj.people import operations as people
from zhtj.people.models import Account, Member, Post, Seat
from zhtj.transfers import operations as transfers
from zhtj.transfers.models import Application
from zhtj.transfers.operations import Submission
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import State

START = "2026-10-14T09:00"
SAMPLES = config.ROOT / "tests" / "imports"
CLOCK_OFFSET = "clock_offset_seconds"
UNIVERSITY = "共青团江淮示范大学委员会"
# Further universities with this many members each, for demonstrations of size.
SIZES = {"small": 0, "school": 1, "province": 20}


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the play takes place."""

    university: Organisation
    college: Organisation
    admitting: Organisation
    freshmen: Organisation
    employer: Organisation
    team: Organisation
    home: Organisation
    township: Organisation
    floating: Organisation


def load(size: str, seed: int, *, say: Callable[[str], None] = lambda text: None) -> None:
    """Build everything.

    Args:
        size: key of ``SIZES``.
        seed: the same seed gives the same data.
        say: told what is being done, one line each.
    """
    start = clock.parse(START)
    real = datetime.now(start.tzinfo)
    with audit.acting(None):
        say("正在装入全国组织体系……")
        with clock.at(clock.parse("2026-03-02T09:00")), unit_of_work():
            load_tree(session())
        say("正在建立学校、单位和花名册……")
        stage = _set_up()
        for number in range(SIZES[size]):
            say(f"正在生成第 {number + 1} 所大学……")
            with clock.at(clock.parse("2026-04-12T09:00")):
                invented_members(number, seed)
        _season_begins()
        say("正在演出本届的转接……")
        _Play(stage, random.Random(seed)).run()  # noqa: S311 - a play, not a secret
        with clock.at(start), unit_of_work():
            _open_accounts(stage)
            settings.put(CLOCK_OFFSET, str((start - real).total_seconds()))
        clock.use_offset(start - real)
        audit.seal()


def _set_up() -> Stage:
    with clock.at(clock.parse("2026-04-10T09:00")):
        with unit_of_work():
            imports.import_organisations(SAMPLES / "orgs-sample.xlsx")
            stage = _organisations()
        with unit_of_work():
            imports.import_members(SAMPLES / "roster-sample.xlsx", _find(UNIVERSITY), partial=True)
    return stage


def _find(name: str) -> Organisation:
    found = by_code_or_name(name)
    if found is None:
        raise LookupError(name)
    return found


def _organisations() -> Stage:
    city, county, township = _find("3401"), _find("340104"), _find("共青团安徽省合肥市蜀山区井岗镇委员会")
    school, company = "普通高等院校", "非公企业"
    admitting = orgs.create(
        city,
        NewOrganisation("共青团皖中示范大学委员会", "皖中示范大学团委", Category.COMMITTEE, school, phone="0551-6000100"),
    )
    freshmen = orgs.create(
        admitting,
        NewOrganisation(
            "皖中示范大学2026级研究生新生团支部", "2026级研究生新生团支部", Category.BRANCH, school, purpose=Purpose.NEW_STUDENTS
        ),
    )
    employer = orgs.create(
        county,
        NewOrganisation(
            "共青团合肥示例科技有限公司委员会", "示例科技团委", Category.COMMITTEE, company, phone="0551-6000200"
        ),
    )
    team = orgs.create(
        employer, NewOrganisation("合肥示例科技有限公司研发中心团支部", "研发中心团支部", Category.BRANCH, company)
    )
    orgs.create(
        employer, NewOrganisation("合肥示例科技有限公司市场部团支部", "市场部团支部", Category.BRANCH, company)
    )
    home = orgs.create(
        county,
        NewOrganisation(
            "共青团蜀山区井岗青年之家总支部委员会",
            "井岗青年之家团总支",
            Category.GENERAL_BRANCH,
            "社会组织",
            purpose=Purpose.YOUTH_HOME,
            phone="0551-6000300",
        ),
    )
    orgs.create(home, NewOrganisation("蜀山区井岗青年之家团支部", "井岗青年之家团支部", Category.BRANCH, "社会组织"))
    township.phone, county.phone = "0551-6000400", "0551-6000500"
    floating = session.scalars(
        select(Organisation).where(Organisation.parent_id == township.id, Organisation.purpose == Purpose.FLOATING)
    ).one()
    university = _find(UNIVERSITY)
    for purpose, name in (
        (Purpose.FLOATING, "流动团员团支部"),
        (Purpose.OVERSEAS, "出国（境）学习研究团员团支部"),
        (Purpose.DELAYED, "延迟毕业团员团支部"),
    ):
        orgs.create(
            university,
            NewOrganisation(f"江淮示范大学{name}", f"江淮示范大学{name}", Category.BRANCH, school, purpose=purpose),
        )
    for number, (place, name) in enumerate(
        (
            (_find("34"), "王思远"),
            (county, "李静"),
            (township, "赵晴"),
            (admitting, "孙博"),
            (employer, "周楠"),
            (team, "吴桐"),
            (home, "郑重"),
        )
    ):
        people.start_seat(people.create_account(name, mobile=f"1390055{number:04d}"), place, Post.SECRETARY)
    college = _find("共青团江淮示范大学计算机学院总支部委员会")
    return Stage(university, college, admitting, freshmen, employer, team, home, township, floating)


def _season_begins() -> None:
    """Mark the classes in April, open the register on 1 May, convert on 1 June (G-01, G-09, PD-08)."""
    with clock.at(clock.parse("2026-04-15T10:00")), unit_of_work():
        university = _find(UNIVERSITY)
        for branch in _classes(university):
            graduation.mark_branch(branch, month=date(2026, 6, 1))
    for moment, name in (("2026-05-01T00:10", "register"), ("2026-06-01T00:10", "convert")):
        sweeps.run(name, clock.parse(moment))


def _classes(university: Organisation) -> list[Organisation]:
    query = select(Organisation).where(
        Organisation.path.startswith(university.path), Organisation.category == Category.BRANCH, Organisation.purpose.is_(None)
    )
    return list(session.scalars(query.order_by(Organisation.path)))


class _Play:
    """The season's applications, each step at its own time, in the order of time."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self.stage = stage
        self.chance = chance
        self.steps: list[tuple[datetime, int, Callable[[], None]]] = []
        self.applications: dict[int, int] = {}

    def run(self) -> None:
        """Plan the whole season, then act it out."""
        graduates = self._graduates()
        plots = self._plots()
        for number, member_id in enumerate(graduates):
            plot = plots[number] if number < len(plots) else self._common_plot()
            if plot is not None:
                plot(member_id)
        self._at("2026-10-12T00:01", lambda: sweeps.run("return", clock.now()))
        for moment, _, step in sorted(self.steps, key=lambda entry: entry[:2]):
            with clock.at(moment):
                step()

    def _graduates(self) -> list[int]:
        query = select(Member.id).join(Organisation, Organisation.id == Member.org_id)
        query = query.where(Organisation.path.startswith(self.stage.university.path)).order_by(Member.id)
        return list(session.scalars(query))

    def _plots(self) -> list[Callable[[int], None] | None]:
        """One graduate for every state and turn of the main path; the first stays without an application."""
        return [
            None,
            lambda m: self._by_member(m, "2026-10-08T19:20", "employer"),
            lambda m: self._by_member(m, "2026-10-09T12:05", "employer", [("accept", "2026-10-12T10:30")]),
            lambda m: self._by_member(m, "2026-09-02T09:10", "team", [("accept", "2026-09-03T15:00")]),
            lambda m: self._by_member(m, "2026-10-08T08:30", "floating", [("refuse", "2026-10-10T16:40")]),
            lambda m: self._by_member(m, "2026-10-10T21:00", "employer", [("withdraw", "2026-10-11T07:45")]),
            lambda m: self._by_member(m, "2026-09-20T10:00", "floating"),
            lambda m: self._by_member(m, "2026-10-04T14:00", "floating"),
            lambda m: self._by_member(m, "2026-10-04T18:30", "employer"),
            lambda m: self._by_new_side(m, "2026-10-11T09:30", "employer"),
            lambda m: self._by_new_side(m, "2026-10-10T11:00", "freshmen"),
            lambda m: self._by_old_side(m, "2026-10-09T15:20", "home"),
            lambda m: self._by_new_side(m, "2026-09-10T11:00", "freshmen", [("release", "2026-09-11T09:00")]),
            lambda m: self._by_member(m, "2026-10-12T20:15", "home"),
            lambda m: self._by_member(m, "2026-10-13T08:10", "floating"),
        ]

    def _common_plot(self) -> Callable[[int], None] | None:
        """What most graduates did: transferred during the summer, some are under way, some never began."""
        draw = self.chance.random()
        day = clock.parse("2026-06-20T09:00") + timedelta(minutes=self.chance.randrange(100 * 24 * 60))
        later = day + timedelta(hours=self.chance.randrange(3, 90))
        if draw < 0.34:
            target = self.chance.choice(["team", "floating", "floating"])
            return lambda m: self._by_member(m, day, target, [("accept", later)])
        if draw < 0.52:
            return lambda m: self._by_new_side(m, day, "freshmen", [("release", later)])
        if draw < 0.72:
            day = clock.parse("2026-10-07T08:00") + timedelta(minutes=self.chance.randrange(6 * 24 * 60))
            target = self.chance.choice(["employer", "floating", "home"])
            return lambda m: self._by_member(m, day, target)
        return None

    def _at(self, moment: str | datetime, step: Callable[[], object]) -> None:
        when = clock.parse(moment) if isinstance(moment, str) else moment
        self.steps.append((when, len(self.steps), lambda: (step(), None)[1]))

    def _by_member(
        self, member: int, moment: str | datetime, to: str, then: list[tuple[str, str | datetime]] | None = None
    ) -> None:
        self._start(member, moment, to, "member", then)

    def _by_old_side(self, member: int, moment: str | datetime, to: str) -> None:
        self._start(member, moment, to, "old_side", None)

    def _by_new_side(
        self, member: int, moment: str | datetime, to: str, then: list[tuple[str, str | datetime]] | None = None
    ) -> None:
        self._start(member, moment, to, "new_side", then)

    def _start(
        self,
        member: int,
        moment: str | datetime,
        to: str,
        side: str,
        then: list[tuple[str, str | datetime]] | None,
    ) -> None:
        self._at(moment, lambda: self._submit(member, to, side))
        for action, when in then or []:
            self._at(when, lambda action=action: self._decide(member, action))

    def _submit(self, member_id: int, to: str, side: str) -> None:
        with unit_of_work():
            member = session.get_one(Member, member_id)
            destination: Organisation = session.merge(getattr(self.stage, to), load=True)
            seat = {
                "member": lambda: _own_seat(member),
                "old_side": lambda: _seat_of(member.org),
                "new_side": lambda: _seat_of(destination),
            }[side]()
            with audit.acting(seat):
                wanted = Submission(member=member, destination=destination, **_REASONS[to])
                self.applications[member_id] = transfers.submit(wanted, seat).id

    def _decide(self, member_id: int, action: str) -> None:
        with unit_of_work():
            application = session.get_one(Application, self.applications[member_id])
            holder = application.from_org if application.state is State.AWAITING_RELEASE else application.to_org
            seat = _own_seat(application.member) if action == "withdraw" else _seat_of(holder)
            with audit.acting(seat):
                if action == "refuse":
                    transfers.refuse(application, seat, Ground.WORKS_ELSEWHERE, "电话核实，本人已在滨湖新区就业，应转往单位")
                elif action == "withdraw":
                    transfers.withdraw(application, seat, remark="单位填错了")
                else:
                    getattr(transfers, action)(application, seat)


_REASONS: dict[str, dict[str, str]] = {
    "employer": {"reason": "employed_with_org", "unit_name": "合肥示例科技有限公司"},
    "team": {"reason": "employed_with_org", "unit_name": "合肥示例科技有限公司"},
    "freshmen": {"reason": "further_study", "unit_name": "皖中示范大学"},
    "floating": {"reason": "unplaced", "place": "residence"},
    "home": {
        "reason": "employed_without_org",
        "unit_name": "井岗便民超市",
        "unit_address": "安徽省合肥市蜀山区井岗镇",
        "place": "unit_location",
    },
}


def _own_seat(member: Member) -> ActiveSeat:
    return ActiveSeat(SeatKind.MEMBER, member.account_id, None, member.org_id, member.org.path, member.id)


def _seat_of(organisation: Organisation) -> ActiveSeat:
    """The seat that acts for an organisation (PD-22)."""
    post = session.scalars(
        select(Seat).where(Seat.org_id == organisation.office_id, Seat.ended_at.is_(None)).limit(1)
    ).one()
    return ActiveSeat(post.org.workbench, post.account_id, post.id, post.org_id, post.org.path)


def _open_accounts(stage: Stage) -> None:
    """Give the demonstration's accounts their password, at least one a role."""
    graduates = session.scalars(
        select(Member)
        .join(Organisation, Organisation.id == Member.org_id)
        .where(Organisation.path.startswith(stage.university.path))
        .order_by(Member.id)
        .limit(8)
    ).all()
    rows = [
        accounts.open_account(graduates[0].account, "member", graduates[0].org, "毕业生，还没有申请"),
        accounts.open_account(graduates[1].account, "member", graduates[1].org, "毕业生，申请待单位审批"),
        accounts.open_account(graduates[-1].account, "member", graduates[-1].org, "毕业生"),
    ]
    first_class = graduates[0].org
    for place, note in (
        (first_class, "班级团支部书记"),
        (stage.team, "单位团支部书记"),
        (stage.college, "学院团总支"),
        (stage.university, "学校团委，开具介绍信"),
        (stage.admitting, "录取学校团委"),
        (stage.employer, "用人单位团委，有待审批的申请"),
        (stage.township, "乡镇团委，代管流动团员团支部"),
        (stage.home, "青年之家"),
        (_find("340104"), "区县团委"),
        (_find("34"), "省级团委"),
    ):
        place = session.merge(place, load=True)
        seat = session.scalars(select(Seat).where(Seat.org_id == place.id, Seat.ended_at.is_(None)).limit(1)).one()
        rows.append(accounts.open_account(seat.account, place.workbench.value, place, note))
    accounts.keep(rows)


def counts() -> dict[str, int]:
    """How many applications stand in each state; for the summary after loading."""
    rows = session.execute(select(Application.state, func.count()).group_by(Application.state)).all()
    return {state.value: number for state, number in rows}
