"""Builds the demonstration world by the same operations as the real one, at the times when things happened.

The stage: one university with its roster, a second one that admits, employers with and without an organisation, a
青年之家, townships. The season's events follow one another; at the end the demonstration's clock stands at
14 October 2026, 09:00, and moves on from there (PD-36).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from zhtj import sweeps
from zhtj.demo import accounts, calendar, stage, stays, universities
from zhtj.demo.invention import Inventor
from zhtj.demo.play import Play, PlayedMember, cast, people_at
from zhtj.demo.plots import FEATURED, RESIDENTS, Crowd, Plot
from zhtj.demo.stage import Stage
from zhtj.demo.universities import University
from zhtj.graduation import operations as graduation
from zhtj.graduation.models import NoTime
from zhtj.kernel import audit, clock, settings
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.permissions import SeatKind
from zhtj.orgs.models import Category, Organisation, Purpose
from zhtj.orgs.tree_load import load_tree
from zhtj.people.finding import duplicates
from zhtj.people.models import Member, Seat
from zhtj.people.signing import samples
from zhtj.rates.counting import recount
from zhtj.transfers.models import Application

Say = Callable[[str], None]
Row = dict[str, str]
GRADUATION = date(2026, 6, 1)
# In the names of the classes that graduate then.
ENTERED = "2022级"
# Of the graduates of the university everybody looks at, so many applied.
APPLIED = 0.7


@dataclass(frozen=True, slots=True)
class WorldSize:
    """How many universities there are besides the two, and which share of their graduates applied."""

    universities: int
    share: float = 0.0


SIZES = {"small": WorldSize(0), "school": WorldSize(1, 0.5), "province": WorldSize(20, 0.1)}


def load(size: str, seed: int, *, provinces: Collection[str] | None = None, say: Say) -> None:
    """Build everything, and set the demonstration's clock going.

    Args:
        size: key of ``SIZES``.
        seed: the same seed gives the same data.
        provinces: two-digit codes of those to unfold; 34 must be among them. None: all.
        say: told what is being done, one line each.
    """
    clock.use_real_time()
    chance = random.Random(seed)  # noqa: S311 - a play, not a secret
    # One transaction: whoever interrupts it finds an empty database and can begin again.
    with audit.acting(None), unit_of_work():
        say("正在载入全国组织体系……")
        with clock.at(calendar.TREE):
            load_tree(session(), provinces=provinces)
        say("正在建立学校、单位，导入花名册……")
        inventor = Inventor(chance)
        scene = stage.build(inventor)
        founded = _found(SIZES[size].universities, inventor, say)
        say("正在标记毕业时间，转为毕业生团组织……")
        _begin_season([scene.orgs["university"], *(university.id for university in founded)], scene)
        samples.keep(_play(scene, founded, SIZES[size].share, chance, say))
        say("正在封存日志……")
        with clock.at(calendar.START):
            duplicates.find()
            recount.recount()
            audit.seal(everything=True)
        offset = calendar.START - clock.now()
        settings.put(settings.CLOCK_OFFSET, str(offset.total_seconds()))
    clock.use_offset(offset)


def _found(number: int, inventor: Inventor, say: Say) -> list[University]:
    """The universities of the larger sizes, and a county administrator for every graduate who goes home."""
    founded: list[University] = []
    if not number:
        return founded
    with clock.at(calendar.GENERATED):
        universities.appoint_counties(inventor)
        places = universities.townships()
        for count in range(number):
            say(f"正在生成第 {count + 1} 所大学，共 {number} 所……")
            founded.append(universities.found(count, inventor, places))
    return founded


def _begin_season(university_ids: list[int], scene: Stage) -> None:
    """Mark the classes in April, open the register on 1 May, convert on 1 June (G-01, G-09, PD-08)."""
    with clock.at(calendar.MARKS):
        for university_id in university_ids:
            university = session.get_one(Organisation, university_id)
            seat = scene.seat_of(university)
            classes = select(Organisation).where(
                Organisation.path.startswith(university.path),
                Organisation.category == Category.BRANCH,
                Organisation.short_name.contains(ENTERED),
            )
            with audit.acting(seat):
                for branch in session.scalars(classes.order_by(Organisation.path)).all():
                    graduation.mark_branch(branch, month=GRADUATION, seat_id=seat.seat_id, with_register=False)
        for purpose in (Purpose.FLOATING, Purpose.OVERSEAS, Purpose.DELAYED):
            branch = scene.place(purpose)
            with audit.acting(scene.seat_of(branch)):
                graduation.mark_branch(branch, month=None, no_time=NoTime.MIXED, seat_id=scene.seat_of(branch).seat_id)
    for name, moment in (("register", calendar.REGISTER), ("convert", calendar.CONVERSION)):
        sweeps.run(name, moment)
    session.expire_all()


def _play(scene: Stage, founded: list[University], share: float, chance: random.Random, say: Say) -> list[Row]:
    """Plan the whole season, act it out, and list who can sign in afterwards."""
    people = people_at(scene.place("university").path, graduates=True)
    roles, others = cast(people, FEATURED)
    roles += cast(people_at(scene.place("home_floating").path, graduates=False), RESIDENTS)[0]
    roles += _crowd(others, Crowd(chance, APPLIED))
    for university in founded:
        roles += _crowd(people_at(university.path, graduates=True), Crowd(chance, share))
    acting = {person.id for person, _ in roles}
    idle = [person for person in people if person.id not in acting][-len(stays.PEOPLE) :]
    with clock.at(calendar.ACTIVATION):
        accounts.activate([person.account_id for person in (*(one for one, _ in roles), *idle)])
    play = Play(scene)
    for person, plot in roles:
        play.plan(person, plot)
    play.expect(scene.newcomer, clock.parse("2026-10-12T15:30"))
    noted = stays.plan(play, idle)
    say("正在演出本届的转接……")
    play.act(lambda done, of: say(f"已办理 {done} 步，共 {of} 步……"))
    return _accounts(scene, founded, [*((person, plot.note) for person, plot in roles if plot.note), *noted])


def _crowd(people: list[PlayedMember], crowd: Crowd) -> list[tuple[PlayedMember, Plot]]:
    paired = zip(people, crowd.plots(len(people)), strict=True)
    return [(person, plot) for person, plot in paired if plot is not None]


# Key of the organisation whose first administrator is listed, and what there is to do.
_LISTED = (
    ("class", "毕业班团支部书记，有待同意的转出"),
    ("juniors", "在校班级团支部书记，本人也是团员，可以切换任职"),
    ("team", "用人单位团支部书记，有待审批的申请"),
    ("college", "学院团总支，有待审批的本校升学申请"),
    ("university", "学校团委，可以开具介绍信"),
    ("admitting", "录取学校团委，有待分配的团员"),
    ("employer", "用人单位团委，有待审批和待分配的申请"),
    ("township", "乡镇团委，审批转入流动团员团支部的申请"),
    ("home", "青年之家团总支"),
    ("province", "省级团委"),
    ("county", "区级团委，代办没有管理员的乡镇"),
    ("city", "市级团委"),
)


def _accounts(scene: Stage, founded: list[University], noted: list[tuple[PlayedMember, str]]) -> list[Row]:
    rows = []
    for person, note in noted:
        member = session.get_one(Member, person.id)
        rows.append(accounts.row(member.account, "member", member.org, note))
    posts = [(scene.orgs[key], note) for key, note in _LISTED]
    for university in founded[:1]:
        posts.append((university.first_college_id, "学院团委，约三百名团员"))
        posts.append((university.id, "学校团委，约六千名团员"))
    for org_id, note in posts:
        seat = session.scalars(
            select(Seat).where(Seat.org_id == org_id, Seat.ended_at.is_(None)).order_by(Seat.id).limit(1)
        ).one()
        rows.append(accounts.row(seat.account, seat.org.workbench.value, seat.org, note))
    kinds = list(SeatKind)
    return sorted(rows, key=lambda row: kinds.index(SeatKind(row["role"])))


def summary() -> str:
    """How many organisations, members and applications there are, in one line."""
    counts = [
        f"{name} {session.scalar(select(func.count()).select_from(table))}"
        for name, table in (("组织", Organisation), ("团员", Member), ("申请", Application))
    ]
    states = session.execute(select(Application.state, func.count()).group_by(Application.state)).all()
    return f"{'，'.join(counts)}：{'、'.join(f'{state.label} {number}' for state, number in sorted(states))}"
