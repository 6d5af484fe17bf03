"""The audit log: whoever touches a sealed event is found out, and writers never wait (PD-38)."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, text, update

from tests.conftest import undone
from zhtj.kernel import audit, clock, crypto
from zhtj.kernel.audit import AuditEvent, AuditSeal
from zhtj.kernel.database import db, unit_of_work
from zhtj.kernel.permissions import ActiveSeat, SeatKind

GENTLE = effort(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DETAILS = st.dictionaries(
    st.sampled_from(["before", "after", "why", "数"]),
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text('甲乙"\\ ü\n~', max_size=5)),
)


def write(number: int, start: int = 1) -> None:
    """That many events about the subjects ``start`` and following."""
    with unit_of_work():
        for subject in range(start, start + number):
            audit.record("test.done", "thing", subject, why=f"第{subject}次")


def insert_events(session, *numbers: int, seal_id: int | None = None) -> None:
    """Events of these very numbers."""
    rows = [{**audit._row("test.done", "thing", number, {}), "id": number, "seal_id": seal_id} for number in numbers]
    session.execute(insert(AuditEvent), rows)
    session.commit()


def events(session) -> list[int]:
    return list(session.scalars(select(AuditEvent.id).order_by(AuditEvent.id)))


# ---- recording ----


@pytest.mark.rule("PD-38")
def test_an_event_says_who_in_which_seat_did_what_to_what_when_and_why(session) -> None:
    seat = ActiveSeat(SeatKind.SCHOOL, account_id=7, seat_id=8, org_id=9, path="0001")
    with audit.acting(seat, request="r" * 32):
        audit.record("transfer.refuse", "application", 5, before="awaiting_acceptance", after="refused", why="other")
    event = session.scalars(select(AuditEvent)).one()
    assert (event.account_id, event.seat_id, event.org_id, event.request_id) == (7, 8, 9, "r" * 32)
    assert (event.action, event.subject_type, event.subject_id) == ("transfer.refuse", "application", 5)
    assert event.at == clock.now()
    assert event.detail == {"before": "awaiting_acceptance", "after": "refused", "why": "other"}
    assert event.seal_id is None


def test_the_system_acts_where_nobody_is_named_and_a_seat_inside_a_seat_gives_way_again(session) -> None:
    seat = ActiveSeat(SeatKind.SCHOOL, account_id=7, seat_id=8, org_id=9, path="0001")
    with audit.acting(seat):
        write(1)
        with audit.acting(None):
            write(1, start=2)
        write(1, start=3)
    write(1, start=4)
    assert list(session.scalars(select(AuditEvent.account_id).order_by(AuditEvent.id))) == [7, None, 7, None]


def test_many_events_go_in_one_statement_and_none_in_none(session) -> None:
    audit.record_many("test.done", "thing", [(number, {"why": number}) for number in range(3)])
    audit.record_many("test.done", "thing", [])
    assert [event.detail for event in session.scalars(select(AuditEvent))] == [{"why": 0}, {"why": 1}, {"why": 2}]


def test_an_event_goes_with_what_it_tells_of(live) -> None:
    def break_off() -> None:
        with unit_of_work():
            write(1)
            raise RuntimeError

    with live.app_context():
        with pytest.raises(RuntimeError):
            break_off()
        assert events(db.session) == []


# ---- sealing ----


def test_sealing_goes_in_batches_and_each_seal_hangs_on_the_one_before(session, monkeypatch) -> None:
    monkeypatch.setattr(audit, "BATCH", 4)
    write(10)
    assert audit.seal(everything=True) == 10
    seals = session.scalars(select(AuditSeal).order_by(AuditSeal.id)).all()
    assert [seal.events for seal in seals] == [4, 4, 2]
    assert [seal.previous_id for seal in seals] == [0, seals[0].id, seals[1].id]
    assert len({seal.digest for seal in seals}) == 3
    verdict = audit.verify()
    assert (verdict.seals, verdict.events, verdict.unsealed, verdict.bad) == (3, 10, 0, "")
    assert verdict.head == seals[-1].digest


def test_nothing_to_seal_makes_no_seal(session) -> None:
    assert audit.seal(everything=True) == 0
    write(1)
    audit.seal(everything=True)
    assert audit.seal(everything=True) == 0
    assert session.scalar(select(func.count()).select_from(AuditSeal)) == 1


def test_a_fresh_event_is_left_alone_until_its_writer_has_surely_finished(session, clock_at) -> None:
    write(1)
    assert audit.seal() == 0
    clock_at(clock.now() + audit.SEAL_AFTER)
    assert audit.seal() == 1
    del session


@pytest.mark.rule("PD-38")
def test_a_late_writer_s_event_gets_into_the_next_seal(session) -> None:
    # Given events 10 and 12 sealed while the writer of event 11 had not committed yet
    insert_events(session, 10, 12)
    audit.seal(everything=True)
    # When it commits at last, with others
    insert_events(session, 11, 13)
    assert audit.seal(everything=True) == 2
    # Then all fits
    verdict = audit.verify()
    assert (verdict.bad, verdict.seals, verdict.events) == ("", 2, 4)


def test_two_sealers_at_once_seal_everything_once(live, monkeypatch) -> None:
    monkeypatch.setattr(audit, "BATCH", 5)
    with live.app_context():
        write(100)
    together, done, failures = threading.Barrier(3), [], []

    def work() -> None:
        try:
            with live.app_context():
                together.wait()
                done.append(audit.seal(everything=True))
                db.session.remove()
        except Exception as error:  # noqa: BLE001 - a thread's error is told below
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with live.app_context():
        rest = audit.seal(everything=True)
        assert sum(done) + rest == 100
        verdict = audit.verify()
        assert (verdict.bad, verdict.events, verdict.unsealed) == ("", 100, 0)


def test_a_writer_does_not_wait_for_the_sealer(installation, live) -> None:
    if installation.backend == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with live.app_context():
        write(3)
    with live.app_context(), unit_of_work():
        audit._seal_batch(clock.now())
        # The seal is not committed yet, and somebody writes
        with live.app_context(), unit_of_work():
            db.session.execute(text("SET LOCAL lock_timeout = '500ms'"))
            write(1, start=4)
    with live.app_context():
        assert audit.verify().unsealed == 1


# ---- finding out ----


@pytest.fixture
def sealed(session, monkeypatch):
    """Three seals over four events each, and one event without."""
    monkeypatch.setattr(audit, "BATCH", 4)
    write(12)
    audit.seal(everything=True)
    write(1, start=13)
    session.commit()
    ids = events(session)
    seals = list(session.scalars(select(AuditSeal.id).order_by(AuditSeal.id)))
    return SimpleNamespace(events=ids, seals=seals)


CHANGES = {
    "at": clock.parse("2026-10-14T08:59"),
    "request_id": "x",
    "account_id": 1,
    "seat_id": 1,
    "org_id": 1,
    "action": "test.undone",
    "subject_type": "person",
    "subject_id": 99,
    "detail": {"why": "第6次 "},
}


@pytest.mark.rule("PD-38")
@pytest.mark.parametrize("field", CHANGES)
def test_a_changed_event_is_named_whatever_was_changed(session, sealed, field: str) -> None:
    victim = sealed.events[5]
    session.execute(update(AuditEvent).where(AuditEvent.id == victim).values({field: CHANGES[field]}))
    session.expire_all()
    verdict = audit.verify()
    assert verdict.bad_event == victim
    assert verdict.bad == f"第 {sealed.seals[1]} 号封条的第 {victim} 条记录被改动"
    assert verdict.seals == 1


def test_every_column_of_an_event_is_covered() -> None:
    assert set(CHANGES) | {"id", "seal_id"} == set(AuditEvent.__table__.columns.keys())


@pytest.mark.rule("PD-38")
@pytest.mark.parametrize("position", [0, 1, 3, 11])
def test_a_removed_event_is_named(session, sealed, position: int) -> None:
    victim = sealed.events[position]
    session.execute(delete(AuditEvent).where(AuditEvent.id == victim))
    verdict = audit.verify()
    assert verdict.bad_event == victim
    assert verdict.bad.endswith(f"的第 {victim} 条记录被删除")


@pytest.mark.rule("PD-38")
def test_two_events_that_changed_places_are_found(session, sealed) -> None:
    first, second = sealed.events[1], sealed.events[2]
    for number, subject in ((first, 3), (second, 2)):
        session.execute(
            update(AuditEvent)
            .where(AuditEvent.id == number)
            .values(subject_id=subject, detail={"why": f"第{subject}次"})
        )
    session.expire_all()
    assert audit.verify().bad_event == first


def test_an_event_added_under_an_old_seal_is_named(session, sealed) -> None:
    insert_events(session, 500, seal_id=sealed.seals[0])
    verdict = audit.verify()
    assert (verdict.bad_event, "后来添加" in verdict.bad) == (500, True)


def test_an_event_moved_to_another_seal_is_found(session, sealed) -> None:
    victim = sealed.events[0]
    session.execute(update(AuditEvent).where(AuditEvent.id == victim).values(seal_id=sealed.seals[1]))
    session.expire_all()
    assert audit.verify().bad_event == victim


@pytest.mark.parametrize("position", [0, 1])
def test_a_removed_seal_is_found(session, sealed, position: int) -> None:
    gone = sealed.seals[position]
    session.execute(update(AuditEvent).where(AuditEvent.seal_id == gone).values(seal_id=None))
    session.execute(delete(AuditSeal).where(AuditSeal.id == gone))
    assert audit.verify().bad == f"第 {sealed.seals[position + 1]} 号封条前面缺少封条"


def test_a_removed_seal_is_found_even_if_the_chain_was_joined_again(session, sealed) -> None:
    gone, following = sealed.seals[1], sealed.seals[2]
    session.execute(delete(AuditEvent).where(AuditEvent.seal_id == gone))
    session.execute(delete(AuditSeal).where(AuditSeal.id == gone))
    session.execute(update(AuditSeal).where(AuditSeal.id == following).values(previous_id=sealed.seals[0]))
    session.expire_all()
    assert audit.verify().bad == f"第 {following} 号封条本身被改动"


def test_a_changed_seal_is_found(session, sealed) -> None:
    for column, value in (("digest", "0" * 64), ("marks", [])):
        with undone():
            session.execute(update(AuditSeal).where(AuditSeal.id == sealed.seals[0]).values({column: value}))
            session.expire_all()
            assert audit.verify().bad.startswith(f"第 {sealed.seals[0]} 号封条")
    assert audit.verify().bad == ""


def test_without_the_key_nobody_can_make_a_fitting_seal(session, sealed) -> None:
    session.execute(delete(AuditEvent).where(AuditEvent.id == sealed.events[5]))
    session.execute(update(AuditEvent).values(seal_id=None))
    session.execute(delete(AuditSeal))
    session.commit()
    right = crypto._keys.keys
    crypto.use_keys((crypto.generate_key(),))
    audit.seal(everything=True)
    assert audit.verify().bad == ""
    crypto.use_keys(right)
    session.expire_all()
    assert audit.verify().bad


def test_what_was_cut_off_at_the_end_shows_in_the_newest_digest(session, sealed) -> None:
    before = audit.verify().head
    session.execute(delete(AuditEvent).where(AuditEvent.id > sealed.events[7]))
    session.execute(delete(AuditSeal).where(AuditSeal.id == sealed.seals[2]))
    verdict = audit.verify()
    assert verdict.bad == ""
    assert verdict.head != before


@pytest.mark.slow("changes every field of every event, one after another")
@pytest.mark.rule("PD-38")
@GENTLE
@given(data=st.data(), details=st.lists(DETAILS, min_size=1, max_size=12), batch=st.integers(1, 5))
def test_any_single_change_is_found_and_nothing_else_is(session, data, details, batch) -> None:
    with undone(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "BATCH", batch)
        for number, detail in enumerate(details):
            with unit_of_work():
                audit.record("test.done", "thing", number, **detail)
            if data.draw(st.booleans()):
                audit.seal(everything=True)
        audit.seal(everything=True)
        assert audit.verify().bad == ""
        victim = data.draw(st.sampled_from(events(session)))
        how = data.draw(st.sampled_from(["change", "remove", "detail"]))
        chosen = AuditEvent.id == victim
        if how == "remove":
            session.execute(delete(AuditEvent).where(chosen))
        elif how == "change":
            session.execute(update(AuditEvent).where(chosen).values(at=clock.now() + timedelta(microseconds=1)))
        else:
            known = session.scalar(select(AuditEvent.detail).where(chosen))
            session.execute(update(AuditEvent).where(chosen).values(detail={**known, "new": 1}))
        session.expire_all()
        assert audit.verify().bad_event == victim


# ---- on the command line ----


def test_the_command_says_that_all_fits(app, sealed) -> None:
    result = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "封条 3 个，记录 12 条，尚未封存 1 条" in result.stdout
    told = json.loads(app.test_cli_runner().invoke(args=["audit", "verify", "--json"]).stdout)
    assert (told["seals"], told["events"], told["unsealed"], told["bad"]) == (3, 12, 1, "")
    assert len(told["head"]) == 64


@pytest.mark.rule("PD-38")
def test_the_command_fails_and_names_the_first_bad_event(app, session, sealed) -> None:
    for victim in (sealed.events[6], sealed.events[9]):
        session.execute(update(AuditEvent).where(AuditEvent.id == victim).values(subject_id=99))
    session.commit()
    result = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert result.exit_code == 1
    assert result.stderr == f"第 {sealed.seals[1]} 号封条的第 {sealed.events[6]} 条记录被改动\n"
    told = app.test_cli_runner().invoke(args=["audit", "verify", "--json"])
    assert told.exit_code == 1
    assert json.loads(told.stdout)["bad_event"] == sealed.events[6]
