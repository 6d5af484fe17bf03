"""Verification of number and name: the port, its answers, what follows from each (U-12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from tests.cases.steps import PROOF, ask, grant
from tests.transfers.steps import acting
from tests.world import World, id_number
from zhtj import config, sweeps
from zhtj.factory import create_app
from zhtj.identity import checking, verifiers
from zhtj.identity.models import CheckState, Fault, IdentityCheck
from zhtj.identity.verifiers import Answer, LocalRules, MatchResult, Question, problem_of
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.notices.models import Message
from zhtj.people.identity import check_sign
from zhtj.people.models import Member, Sex

NUMBER = id_number(7)


class Source:
    """A source outside, as a test wants it."""

    name = "测试接口"

    def __init__(self) -> None:
        self.says: dict[str, MatchResult] = {}
        self.down = False
        self.asked: list[str] = []

    def verify(self, questions: Sequence[Question]) -> Sequence[Answer]:
        if self.down:
            raise TimeoutError
        self.asked += [question.name for question in questions]
        return [Answer(self.says.get(one.name, MatchResult.MATCH), "姓名与号码不符。") for one in questions]


def made() -> Source:
    return Source()


@pytest.fixture
def source() -> Iterator[Source]:
    plugged = Source()
    verifiers.plug_in(plugged)
    yield plugged
    verifiers.use("")


def of(member: Member) -> checking.IdentityStatus:
    session.expire_all()
    return checking.status_of(session.get_one(Member, member.id))


def told(member: Member) -> list[str]:
    return list(session.scalars(select(Message.body).where(Message.member_id == member.id)))


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (Question("丁一", NUMBER, Sex.MALE), ""),
        (Question("阿卜杜热合曼·买买提", NUMBER, Sex.MALE), ""),
        (Question("丁一", NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2"), Sex.MALE), "校验码"),
        (Question("丁一", "", Sex.MALE), "18 位"),
        (Question("丁一", NUMBER, Sex.FEMALE), "性别"),
        (Question("丁一", id_number(7, born=date(1900, 1, 1)), Sex.MALE), "周岁"),
        (Question("丁一", id_number(7, born=date(2022, 1, 1)), Sex.MALE), "周岁"),
        (Question("丁1", NUMBER, Sex.MALE), "姓名"),
        (Question("丁", NUMBER, Sex.MALE), "姓名"),
    ],
)
def test_the_local_rules_judge_what_a_number_says_itself(question: Question, says: str) -> None:
    assert says in problem_of(question)
    assert bool(problem_of(question)) is bool(says)
    assert LocalRules().verify([question])[0].verdict is (MatchResult.DIFFERENT if says else MatchResult.MATCH)


def test_no_province_has_such_a_code() -> None:
    body = "99" + NUMBER[2:17]
    assert "省份" in problem_of(Question("丁一", body + check_sign(body), Sex.MALE))


@pytest.mark.rule("U-12")
def test_the_sweep_asks_about_everybody_once_and_again_when_the_time_has_come(world: World, source: Source) -> None:
    source.says["卜喆"] = MatchResult.UNKNOWN
    assert of(world.graduate).state is CheckState.UNVERIFIED
    # When the sweep runs, everybody is asked about; run again, nobody is
    assert sweeps.run("identity").as_dict() == {"found": 4, "done": 4, "skipped": 0, "failed": 0}
    assert sweeps.run("identity").found == 0
    assert of(world.graduate).state is CheckState.VERIFIED
    assert of(world.graduate).checked_at == clock.now()
    assert of(world.graduate).verifier == "测试接口"
    # Who is right here but not known there waits, and is asked about again by itself (c)
    waiting = of(world.classmate)
    assert (waiting.state, waiting.fault) == (CheckState.RETRY, Fault.SOURCE)
    assert "定期重查" in waiting.way_out
    assert told(world.classmate) == []
    source.says.clear()
    source.asked.clear()
    sweeps.run("identity", clock.now() + timedelta(days=8))
    assert source.asked == ["卜喆"]
    assert of(world.classmate).state is CheckState.VERIFIED
    # And everybody half a year later
    assert sweeps.run("identity", clock.now() + timedelta(days=200)).found == 4


@pytest.mark.rule("U-12")
def test_a_number_that_is_not_his_is_told_once_with_the_way_out(world: World, source: Source) -> None:
    source.says["丁一"] = MatchResult.DIFFERENT
    sweeps.run("identity")
    found = of(world.graduate)
    assert (found.state, found.fault) == (CheckState.MISMATCH, Fault.DATA)
    assert "市级团委" in found.way_out
    assert [body for body in told(world.graduate) if "姓名与号码不符" in body and "市级团委" in body]
    assert world.graduate.account.id_number not in "".join(told(world.graduate))
    # Still so a month later: known already
    sweeps.run("identity", clock.now() + timedelta(days=31))
    assert len(told(world.graduate)) == 1


@pytest.mark.rule("U-12")
def test_one_person_made_into_another_is_found_whatever_the_source_says(world: World, source: Source) -> None:
    sweeps.run("identity")
    with unit_of_work():
        account = session.merge(world.graduate.account)
        account.name = "丁乙"
        account.set_id_number(id_number(490))
    # From that moment he is not verified any more
    assert of(world.graduate).state is CheckState.UNVERIFIED
    with unit_of_work():
        session.get_one(IdentityCheck, world.graduate.id).due_at = clock.now()
    sweeps.run("identity")
    found = of(world.graduate)
    assert (found.state, found.fault) == (CheckState.MISMATCH, Fault.PERSON)
    assert "换成了另一个人" in found.way_out


@pytest.mark.rule("U-12", "U-14")
def test_a_correction_that_was_decided_is_verified_anew(world: World, source: Source) -> None:
    with unit_of_work():
        world.appoint("city")
    source.says["丁一"] = MatchResult.DIFFERENT
    sweeps.run("identity")
    # The way out: the city corrects what nobody may edit
    case = ask(world.own_seat(world.graduate), "correction", "", PROOF, name="丁乙", why="录入时写错一个字")
    grant(world, case, "class1", "college", "university", "city")
    assert of(world.graduate).state is CheckState.UNVERIFIED
    sweeps.run("identity")
    assert of(world.graduate).state is CheckState.VERIFIED


@pytest.mark.rule("U-12")
def test_a_source_that_is_down_changes_nothing_and_is_asked_again(world: World, source: Source) -> None:
    source.down = True
    counts = sweeps.run("identity")
    assert (counts.found, counts.done, counts.skipped) == (4, 0, 4)
    assert of(world.graduate).state is CheckState.UNVERIFIED
    source.down = False
    assert sweeps.run("identity").done == 4


def test_an_answer_that_came_second_is_not_written(world: World, source: Source, monkeypatch) -> None:
    sweeps.run("identity")
    with unit_of_work():
        session.get_one(IdentityCheck, world.graduate.id).due_at = clock.now()
    plain = source.verify

    def slow(questions: Sequence[Question]) -> Sequence[Answer]:
        # Meanwhile somebody else has asked and written his answer
        monkeypatch.setattr(source, "verify", plain)
        checking.check([world.graduate.id])
        return [Answer(MatchResult.DIFFERENT, "太晚的回答")]

    monkeypatch.setattr(source, "verify", slow)
    assert checking.check([world.graduate.id]) == 0
    assert of(world.graduate).state is CheckState.VERIFIED


def test_archived_records_and_external_systems_are_not_asked_about(world: World, source: Source) -> None:
    with unit_of_work():
        session.merge(world.graduate).archived_at = clock.now()
    sweeps.run("identity")
    assert session.scalar(select(func.count()).select_from(IdentityCheck)) == 3


def test_a_verifier_is_plugged_in_by_the_setting(installations, tmp_path) -> None:
    environment = {"ZHTJ_ENV": "test", "ZHTJ_INSTANCE": str(tmp_path), "ZHTJ_DATABASE_URL": "sqlite://"}
    try:
        create_app(environment | {"ZHTJ_IDENTITY_VERIFIER": "tests.identity.test_checking:made"})
        assert verifiers.current().name == "测试接口"
        for wrong in ("no.such.module:made", "tests.identity.test_checking:missing", "builtins:dict"):
            with pytest.raises(config.ConfigError, match="ZHTJ_IDENTITY_VERIFIER"):
                create_app(environment | {"ZHTJ_IDENTITY_VERIFIER": wrong})
    finally:
        verifiers.use("")


def test_a_source_that_answers_too_little_counts_as_down(world: World, source: Source, monkeypatch) -> None:
    monkeypatch.setattr(source, "verify", lambda _: [])
    with acting(world.seat("class1")), pytest.raises(verifiers.VerifierDown):
        verifiers.ask([Question("丁一", NUMBER, Sex.MALE)])
