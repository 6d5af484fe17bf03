"""Who stays at the university in the demonstration: retained, abroad, still waiting; with a contact log and a round."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from zhtj.cases import operations as cases
from zhtj.cases import rounds, signatures
from zhtj.cases.kinds import kind_of
from zhtj.cases.models import Case
from zhtj.cases.queries import pending
from zhtj.cases.signatures import Signature
from zhtj.cases.workflow import CaseAction
from zhtj.demo.play import Play, PlayedMember
from zhtj.demo.stage import own_seat
from zhtj.floating import branches
from zhtj.floating import operations as floating
from zhtj.floating.models import Occupation
from zhtj.floating.queries import of_member
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.people.models import Member

RETENTION, ABROAD = "retention", "overseas_study"
_KEPT = {"plan": "job", "dues": "每半年微信交给学院团委", "life": "参加线上主题团日，每季度汇报一次"}
_ABROAD = {
    "ethnicity": "汉族",
    "major": "计算机科学与技术",
    "level": "本科",
    "graduated": "2026-06",
    "degree": "硕士",
    "begins": "2026-09",
    "relation": "父亲",
    "contact": "丁大",
    "contact_mobile": "13700000001",
}


@dataclass(frozen=True, slots=True)
class Staying:
    """One person who stays.

    Args:
        kind: of the case.
        at: when he applies.
        said: answers of the form.
        granted: when college and school agree; None while it waits.
        heard: when his college spoke with him, and what it heard.
        found: the place he found in the end.
        signs: False: his college has raised it, and he has not signed yet.
        note: how the login page introduces him.
    """

    kind: str
    at: str
    said: dict[str, str]
    granted: str = ""
    heard: tuple[str, str, Occupation] | None = None
    found: str = ""
    signs: bool = True
    note: str = ""


def _retained(ground: str, detail: str, **more: str) -> dict[str, str]:
    return {**_KEPT, "ground": ground, "detail": detail, **more}


PEOPLE: tuple[Staying, ...] = (
    Staying(
        RETENTION,
        "06-20 10:00",
        _retained("retake", "准备再次考研，居住地街道没有接收", plan="study"),
        granted="07-02 10:00",
        heard=("09-10 15:00", "电话联系，每天在图书馆复习，团费已交到十二月。", Occupation.STUDYING),
        note="保留在学校的毕业生，可以报告近况",
    ),
    Staying(
        RETENTION,
        "06-22 20:10",
        _retained("no_job", "投了几家公司，还没有结果"),
        granted="07-02 10:00",
        heard=("09-12 10:30", "已收到录用通知，下月入职。", Occupation.CASUAL),
        found="合肥示例科技有限公司",
    ),
    Staying(
        RETENTION,
        "06-25 09:40",
        _retained("teaching", "支教保研，到云南支教一年", plan="study"),
        granted="07-02 10:00",
    ),
    Staying(
        ABROAD,
        "06-18 19:00",
        {**_ABROAD, "country": "英国", "university": "示例大学", "subject_abroad": "计算机科学", "ends": "2027-12"},
        granted="06-26 09:30",
        heard=("10-08 16:00", "已安全到校，微信群内按月报告。", Occupation.ABROAD),
        note="出国学习，组织关系留在学校",
    ),
    Staying(
        ABROAD,
        "06-19 21:00",
        {**_ABROAD, "country": "日本", "university": "样例大学", "subject_abroad": "电子工程", "ends": "2028-09"},
        granted="06-26 09:30",
    ),
    Staying(RETENTION, "10-11 20:00", _retained("no_job", "还在找工作，住处没有定")),
    Staying(RETENTION, "10-12 09:00", _retained("undecided", "单位还没有定下怎样转接"), signs=False),
    Staying(
        ABROAD,
        "10-12 22:10",
        {**_ABROAD, "country": "德国", "university": "范例大学", "subject_abroad": "机械工程", "ends": "2029-03"},
    ),
)  # fmt: skip


def plan(play: Play, people: list[PlayedMember]) -> list[tuple[PlayedMember, str]]:
    """Write down what they do; returns those whom the login page introduces."""
    noted = []
    for person, one in zip(people, PEOPLE, strict=False):
        play.at(_at(one.at), partial(_apply, play, person, one))
        if one.granted:
            play.at(_at(one.granted), partial(_grant, play, person))
        if one.heard is not None:
            play.at(_at(one.heard[0]), partial(_hear, play, person, one))
        if one.note:
            noted.append((person, one.note))
    play.at(_at("10-09 10:00"), partial(_announce, play))
    return noted


def _at(text: str) -> datetime:
    return clock.parse(f"2026-{text.replace(' ', 'T')}")


def _apply(play: Play, person: PlayedMember, one: Staying) -> None:
    member, kind = _member(person), kind_of(one.kind)
    if one.signs:
        seat = own_seat(member)
        with audit.acting(seat):
            signatures.raise_signed(kind, seat, _answers(member, one), Signature(member.name, member.account_id))
        return
    home = branches.home_of(member.org)
    seat = play.stage.seat_of(home.nearest if home is not None else member.org)
    with audit.acting(seat):
        cases.raise_case(kind, seat, f"#{member.id}", _answers(member, one))


def _answers(member: Member, one: Staying) -> dict[str, str]:
    return {**one.said, **({"mobile": member.account.mobile or ""} if one.kind == RETENTION else {})}


def _member(person: PlayedMember) -> Member:
    member = session.get_one(Member, person.id)
    session.refresh(member, ["org"])
    return member


def _grant(play: Play, person: PlayedMember) -> None:
    """Everybody on its way agrees."""
    while (case := _open(person)) is not None and case.holder is not None:
        seat = play.stage.seat_of(case.holder)
        with audit.acting(seat):
            cases.act(case, seat, CaseAction.APPROVE if case.is_last else CaseAction.FORWARD, "已核实")
        session.refresh(case)


def _open(person: PlayedMember) -> Case | None:
    return pending(person.id)


def _hear(play: Play, person: PlayedMember, one: Staying) -> None:
    member = _member(person)
    stay = of_member(member)
    seat = play.stage.seat_of(stay.home or stay.org)
    if one.heard is None:
        return
    with audit.acting(seat):
        floating.contacted(seat, member, clock.today(), one.heard[1], one.heard[2])
        if one.found:
            floating.found(seat, member, clock.today(), one.found)


def _announce(play: Play) -> None:
    seat = play.stage.seat_of(play.stage.place("university"))
    with audit.acting(seat):
        rounds.announce(seat, date(2026, 10, 20), date(2026, 10, 25), "请各学院提醒本人签收告知书。")
