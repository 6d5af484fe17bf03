"""The small demonstration: who is in it, what happened, what is about to happen, and that it is sound."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.browsing import Browser
from zhtj.demo.plots import FEATURED
from zhtj.factory import create_app
from zhtj.graduation.models import BranchMark, RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.permissions import SeatKind
from zhtj.letters.models import Letter, LetterState
from zhtj.orgs.models import Category, Organisation
from zhtj.people.models import Account, Member, Membership
from zhtj.people.queries import seat_choices
from zhtj.people.signing import samples
from zhtj.people.signing.accounts import find_by_username
from zhtj.people.signing.passwords import verify
from zhtj.transfers.models import Application, ApplicationEvent
from zhtj.transfers.workflow import OPEN, Initiator, State

pytestmark = pytest.mark.slow("loads a whole demonstration")

MIDNIGHT = clock.parse("2026-10-15T00:00")


def run(app: Flask, *words: str) -> tuple[int, str]:
    """Exit status and standard output of a command."""
    result = app.test_cli_runner().invoke(args=list(words))
    return result.exit_code, result.stdout


def university(story: Session) -> Organisation:
    return story.scalars(select(Organisation).where(Organisation.full_name == "共青团江淮示范大学委员会")).one()


def test_the_doctor_finds_nothing_and_the_log_is_whole(demo: Flask) -> None:
    status, findings = run(demo, "doctor", "--json")
    assert (status, [one["name"] for one in json.loads(findings) if one["broken"]]) == (0, [])

    status, verdict = run(demo, "audit", "verify", "--json")
    assert (status, json.loads(verdict)["unsealed"], json.loads(verdict)["bad"]) == (0, 0, "")


def test_everybody_of_the_sample_files_is_there(story: Session) -> None:
    path = university(story).path
    below = story.scalars(select(Organisation).where(Organisation.path.startswith(path))).all()
    numbers = story.scalars(select(Member.student_no).where(Member.student_no.startswith("2022"))).all()
    assert len([one for one in below if one.purpose is None]) == 16
    assert len(numbers) == len(set(numbers)) == 399


@pytest.mark.rule("PD-08", "G-09")
def test_the_classes_are_marked_registered_and_converted(story: Session) -> None:
    marks = story.scalars(select(BranchMark).where(BranchMark.month.is_not(None))).all()
    assert {mark.month.isoformat() for mark in marks} == {"2026-06-01"}
    assert {mark.org.category for mark in marks} == {Category.GRADUATES}
    assert len(marks) == 12
    rows = story.scalars(select(RegisterRow)).all()
    assert len(rows) == 399
    assert {row.opened_at for row in rows} == {clock.parse("2026-05-01T00:10")}


def test_every_state_and_every_initiator_can_be_seen(story: Session) -> None:
    pairs = Counter(story.execute(select(Application.initiator, Application.state)))
    assert {state for _, state in pairs} == frozenset(State)
    ends = {State.COMPLETED, State.REFUSED, State.WITHDRAWN, State.RETURNED}
    for initiator in Initiator:
        assert ends <= {state for who, state in pairs if who is initiator}
    assert pairs[Initiator.MEMBER, State.AWAITING_RELEASE]
    assert pairs[Initiator.NEW_SIDE, State.AWAITING_RELEASE]
    assert pairs[Initiator.OLD_SIDE, State.AWAITING_ACCEPTANCE]
    assert pairs[Initiator.OLD_SIDE, State.AWAITING_ALLOCATION]


@pytest.mark.rule("PD-18", "PD-36")
def test_the_first_night_returns_exactly_what_was_planned(demo: Flask, story: Session) -> None:
    planned = [plot for plot in FEATURED if clock.local(plot.at).date().isoformat() == "2026-10-04"]
    assert len(planned) >= 4
    due = select(Application.id).where(Application.state.in_(OPEN), Application.due_at <= MIDNIGHT)
    waiting = set(story.scalars(due))
    assert len(waiting) == len(planned)
    before = set(story.scalars(select(Application.id).where(Application.state == State.RETURNED)))

    status, output = run(demo, "sweep", "--at", "2026-10-15T00:00", "--json")

    assert status == 0
    counts = json.loads(output)
    assert counts["return"] == {"found": len(planned), "done": len(planned), "skipped": 0, "failed": 0}
    assert (counts["convert"]["done"], counts["register"]["done"]) == (0, 0)
    story.expire_all()
    returned = set(story.scalars(select(Application.id).where(Application.state == State.RETURNED)))
    assert returned == before | waiting
    _, again = run(demo, "sweep", "--at", "2026-10-15T00:00", "--json")
    assert json.loads(again)["return"]["found"] == 0


def test_nothing_is_overdue_when_the_demonstration_begins(demo: Flask) -> None:
    _, output = run(demo, "sweep", "--at", "2026-10-14T23:59", "--only", "return", "--json")
    assert json.loads(output)["return"]["found"] == 0


def test_everything_that_waits_waits_for_somebody(story: Session) -> None:
    waiting = story.scalars(select(Application).where(Application.state.in_(OPEN))).all()
    assert all(application.holder.office_id for application in waiting)
    # PD-22: some of it for an organisation without an administrator.
    assert any(application.holder.office_id != application.holder_id for application in waiting)


@pytest.mark.rule("PD-11")
def test_a_confirmed_warning_waits_for_its_approver(story: Session) -> None:
    waiting = story.scalars(select(Application).where(Application.state.in_(OPEN))).all()
    warned = [application for application in waiting if application.warnings]
    assert {application.state for application in warned} == {State.AWAITING_RELEASE, State.AWAITING_ACCEPTANCE}
    assert all(application.remark for application in warned)


@pytest.mark.rule("PD-27", "PD-28")
def test_letters_are_numbered_in_the_order_of_time_and_one_fell_with_its_application(story: Session) -> None:
    letters = story.scalars(select(Letter).order_by(Letter.number)).all()
    assert [letter.number for letter in letters] == list(range(1, len(letters) + 1))
    assert all(earlier.issued_at <= later.issued_at for earlier, later in pairwise(letters))
    void = [letter for letter in letters if letter.state is LetterState.VOID]
    assert [story.get_one(Application, letter.application_id).state for letter in void] == [State.WITHDRAWN]


def test_time_never_runs_backwards(story: Session) -> None:
    for table, moment in ((AuditEvent, AuditEvent.at), (ApplicationEvent, ApplicationEvent.recorded_at)):
        moments = list(story.scalars(select(moment).order_by(table.id)))
        assert moments == sorted(moments)
        assert moments[-1] <= clock.parse("2026-10-14T09:00")
    for interval in story.scalars(select(Membership).where(Membership.ended_at.is_not(None))):
        assert interval.started_at < interval.ended_at
    for account, submitted in story.execute(
        select(Account, Application.submitted_at)
        .join(Member, Member.account_id == Account.id)
        .join(Application, Application.member_id == Member.id)
        .where(Application.initiator == Initiator.MEMBER)
    ):
        assert account.activated_at < submitted


@pytest.mark.rule("A-23")
def test_somebody_started_again_after_a_refusal(story: Session) -> None:
    followers = story.scalars(select(Application).where(Application.follows_id.is_not(None))).all()
    assert {story.get_one(Application, one.follows_id).state for one in followers} == {State.REFUSED}


def test_every_role_has_an_account_that_sits_there_and_signs_in(demo: Flask, story: Session) -> None:
    status, output = run(demo, "demo", "accounts", "--json")
    rows = json.loads(output)
    assert status == 0
    assert rows == samples.listing()
    assert Counter(row["role"] for row in rows).keys() == {kind.value for kind in SeatKind}
    codes = {row["organisation_code"] for row in rows}
    assert {"34", "3401", "340104", "340104100", university(story).code} <= codes
    for row in rows:
        account = find_by_username(row["username"])
        assert verify(account.password_hash, row["password"])
        assert account.name == row["name"]
        choice = seat_choices(account.id)[0]
        assert (choice.seat.kind.value, choice.organisation) == (row["role"], row["organisation"])


def test_members_of_every_fate_are_listed(story: Session) -> None:
    states = []
    for row in samples.listing():
        if row["role"] == "member":
            account = find_by_username(row["username"])
            assert account
            member = story.scalars(select(Member).where(Member.account_id == account.id)).one()
            newest = story.scalars(
                select(Application.state).where(Application.member_id == member.id).order_by(Application.id.desc())
            ).first()
            states.append(newest)
    assert {None, State.AWAITING_ACCEPTANCE, State.COMPLETED, State.RETURNED} <= set(states)


@pytest.mark.parametrize("role", [kind.value for kind in SeatKind])
def test_the_first_account_of_each_role_comes_to_its_workbench(demo: Flask, role: str) -> None:
    row = next(row for row in samples.listing() if row["role"] == role)
    page = Browser(demo.test_client()).sign_in(row["username"], row["password"])
    assert page.location.endswith(f"/{role}/")
    assert page.follow().status == 200


def test_loading_again_is_refused_and_changes_nothing(demo: Flask, story: Session) -> None:
    before = story.scalar(select(func.count()).select_from(AuditEvent))
    result = demo.test_cli_runner().invoke(args=["demo", "load"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("数据库中已有账号或团员")
    assert result.stderr.count("\n") == 1
    assert story.scalar(select(func.count()).select_from(AuditEvent)) == before


@pytest.mark.rule("PD-36")
def test_every_process_runs_on_the_demonstrations_clock(demo: Flask) -> None:
    conf = demo.config["ZHTJ"]
    started = clock.parse("2026-10-14T09:00")

    create_app(
        {
            "ZHTJ_ENV": "demo",
            "ZHTJ_INSTANCE": str(conf.instance),
            "ZHTJ_DATABASE_URL": conf.database_url,
            "ZHTJ_DATA_KEYS": ",".join(conf.data_keys),
        }
    )

    assert clock.is_changed()
    assert started <= clock.now() < started + timedelta(minutes=15)
    assert len({clock.now() for _ in range(1000)}) > 1
