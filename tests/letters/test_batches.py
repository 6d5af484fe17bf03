"""Letters for hundreds: one number each, files of at most a hundred, whatever dies on the way (L-09, PD-27)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select, update

from tests.letters.printing.reading import pages, reader
from tests.letters.test_issue import void
from tests.transfers.steps import acting, apply
from zhtj.graduation import operations as graduation
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError, NotFound
from zhtj.kernel.work.tasks import LOST_AFTER
from zhtj.letters import messages
from zhtj.letters.many import candidates, letter_batches
from zhtj.letters.many import print_files as batch_files
from zhtj.letters.many.candidates import CandidateFilters
from zhtj.letters.many.models import BatchState, LetterBatch, LetterBatchLine, LetterFile
from zhtj.letters.models import Letter, LetterSeries
from zhtj.notices.models import Message
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Member

TYPED = {"dues_until": "2026-09", "file_disposition": "with_personal_file", "handler": "钱老师"}


@pytest.fixture
def many(office, monkeypatch):
    """Seven graduates on their way to the company; files hold three letters, transactions two."""
    monkeypatch.setattr(batch_files, "A_FILE", 3)
    monkeypatch.setattr(letter_batches, "CHUNK", 2)
    with unit_of_work():
        members = [office.enrol(f"员{position}", "class1") for position in range(1, 8)]
        graduation.open_register()
    return office, [apply(office, member, "company").id for member in members]


def keep(office, numbers, typed=TYPED, key="k"):
    seat = office.seat("university")
    with acting(seat):
        number = letter_batches.keep(seat, numbers, key=key, title="测试", details=typed, site="https://x.example/")
        return letter_batches.owned(number, seat)


def confirm(office, batch):
    seat = office.seat("university")
    refused = {
        position: seen.error for position, seen in letter_batches.examine(batch, seat, batch.choices) if seen.error
    }
    with acting(seat):
        assert letter_batches.confirm(letter_batches.owned(batch.id, seat), seat, refused)


def work(batch):
    """Everything the jobs would do."""
    while not letter_batches.issue(batch.id):
        pass
    for position in range(1, session.get_one(LetterBatch, batch.id, populate_existing=True).files + 1):
        batch_files.print_file(batch.id, position)
    return session.get_one(LetterBatch, batch.id, populate_existing=True)


def numbers():
    return session.scalars(select(Letter.number).order_by(Letter.number)).all()


@pytest.mark.slow("prints hundreds of letters")
@pytest.mark.rule("L-09", "L-13", "L-14", "L-22")
def test_one_entry_serves_hundreds(many):
    # given a batch whose month, file and handler are filled in once
    office, applications = many
    batch = keep(office, applications)
    # when it is confirmed and worked off
    confirm(office, batch)
    batch = work(batch)
    # then each has his letter with the next number and what was filled in
    assert (batch.state, batch.issued, batch.failed, batch.files) == (BatchState.DONE, 7, 0, 3)
    assert numbers() == [1, 2, 3, 4, 5, 6, 7]
    records = [letter.record for letter in session.scalars(select(Letter))]
    assert {record.handler for record in records} == {"钱老师"}
    assert {record.dues_until for record in records} == {date(2026, 9, 1)}
    # and the files hold them in order, a page each
    serials = []
    for file in batch_files.files(batch):
        content = batch_files.content(batch, file.position)
        assert len(reader(content).pages) == file.letters <= 3
        serials += [page.slip(2) for page in pages(content)]
    assert [f"2026年{number:03d}号" in text for number, text in enumerate(serials, start=1)] == [True] * 7
    # and every member was told
    told = select(func.count()).select_from(Message).where(Message.title == "介绍信已开具")
    assert session.scalar(told) == 7


@pytest.mark.rule("L-22")
def test_the_months_of_the_members_own_files_come_first_if_wished(many):
    office, applications = many
    with unit_of_work():
        session.execute(update(Member).where(Member.id == office.graduate.id).values(dues_until=date(2026, 3, 1)))
        graduates = apply(office, office.graduate, "company").id
    batch = keep(office, [*applications[:1], graduates], {**TYPED, "from_file": True})
    seen = [one.record.dues_until for _, one in letter_batches.examine(batch, office.seat("university"), batch.choices)]
    assert seen == [date(2026, 9, 1), date(2026, 3, 1)]


@pytest.mark.slow("prints hundreds of letters")
@pytest.mark.rule("PD-27")
def test_what_cannot_be_issued_says_why_and_takes_no_number(many):
    # given one who has a letter, and one whose name no typeface draws
    office, applications = many
    confirm(office, keep(office, applications[:1], key="first"))
    work(keep(office, applications[:1], key="first"))
    with unit_of_work():
        rare = session.scalars(select(Member).order_by(Member.id.desc())).first()
        rare.account.name = "李𰻝"
    batch = keep(office, applications)
    seat = office.seat("university")
    errors = {
        position: seen.error.message for position, seen in letter_batches.examine(batch, seat, TYPED) if seen.error
    }
    assert list(errors) == [7]
    assert "𰻝" in errors[7]
    # when it is confirmed all the same
    confirm(office, batch)
    batch = work(batch)
    # then five get numbers without a gap, and the two others have their reason
    assert (batch.issued, batch.failed) == (5, 2)
    assert numbers() == [1, 2, 3, 4, 5, 6]
    troubles = {line.position: line.trouble for line, _, _ in letter_batches.lines(batch) if line.trouble}
    assert "已经开具" in troubles[1]
    assert "𰻝" in troubles[7]


@pytest.mark.slow("prints hundreds of letters")
@pytest.mark.rule("PD-27")
def test_killed_anywhere_it_goes_on_without_gap_or_repeat(many, monkeypatch):
    # given a worker that dies now before a commit, now between two chunks, now while printing
    office, applications = many
    batch = keep(office, applications)
    confirm(office, batch)
    real = messages.tell_issued
    deaths = iter([True, False, True])

    def dying(letters):
        if next(deaths, False):
            raise MemoryError
        real(letters)

    monkeypatch.setattr(messages, "tell_issued", dying)
    for _ in range(2):
        with pytest.raises(MemoryError):
            letter_batches.issue(batch.id)
        session.rollback()
    letter_batches.issue(batch.id, at_most=2)
    assert letter_batches.issue(batch.id)
    batch_files.print_file(batch.id, 2)
    # when the sweep finds it two minutes later
    touched_at = session.get_one(LetterBatch, batch.id, populate_existing=True).touched_at
    found, done = letter_batches.resume(touched_at + LOST_AFTER)
    # then all letters are there, no number twice, no gap, and all files
    assert (found, done) == (1, 1)
    assert numbers() == [1, 2, 3, 4, 5, 6, 7]
    assert session.scalars(select(LetterSeries.last_number)).one() == 7
    assert session.scalar(select(func.count()).select_from(LetterFile)) == 3
    assert session.get_one(LetterBatch, batch.id, populate_existing=True).state is BatchState.DONE


@pytest.mark.slow("prints hundreds of letters")
def test_twice_is_once(many):
    office, applications = many
    batch = keep(office, applications)
    assert keep(office, applications).id == batch.id
    confirm(office, batch)
    seat = office.seat("university")
    with acting(seat):
        assert not letter_batches.confirm(letter_batches.owned(batch.id, seat), seat, {})
    work(batch)
    work(batch)
    assert len(numbers()) == 7


@pytest.mark.slow("prints hundreds of letters")
@pytest.mark.rule("L-04")
def test_files_can_be_had_again_and_never_hold_a_void_letter(many):
    # given a printed batch of which one letter is voided
    office, applications = many
    batch = keep(office, applications)
    confirm(office, batch)
    batch = work(batch)
    void(session.scalars(select(Letter).where(Letter.number == 2)).one(), office.seat("university"))
    # then its file is no longer handed out
    assert batch_files.stale(batch) == {1}
    with pytest.raises(NotFound):
        batch_files.content(batch, 1)
    # when the files are printed again, also one that was thrown away
    with unit_of_work():
        session.delete(session.get_one(LetterFile, (batch.id, 3)))
    with acting(office.seat("university")):
        batch_files.reprint(letter_batches.owned(batch.id, office.seat("university")))
    for position in (1, 3):
        batch_files.print_file(batch.id, position)
    batch = session.get_one(LetterBatch, batch.id, populate_existing=True)
    # then the first holds the two valid ones
    assert batch.state is BatchState.DONE
    assert [file.letters for file in batch_files.files(batch)] == [2, 3, 1]


@pytest.mark.slow("hundreds of applications")
def test_what_was_only_looked_at_is_forgotten(many, clock_at):
    office, applications = many
    keep(office, applications)
    done = keep(office, applications[:1], key="other")
    confirm(office, done)
    work(done)
    clock_at("2026-10-14T11:01")
    with unit_of_work():
        assert letter_batches.purge() == 1
    assert session.scalars(select(LetterBatch.id)).all() == [done.id]
    # files go after thirty days, the batch stays
    clock_at("2026-11-14T09:00")
    with unit_of_work():
        assert letter_batches.purge() == 1
    assert batch_files.missing(session.get_one(LetterBatch, done.id)) == [1]


def test_a_batch_under_way_is_not_thrown_away(many):
    office, applications = many
    batch = keep(office, applications)
    confirm(office, batch)
    with pytest.raises(Conflict), acting(office.seat("university")):
        letter_batches.discard(letter_batches.owned(batch.id, office.seat("university")))
    assert session.scalar(select(func.count()).select_from(LetterBatchLine)) == 7


def test_nobody_else_sees_it(many):
    office, applications = many
    batch = keep(office, applications)
    for key in ("company", "college"):
        with pytest.raises(NotFound):
            letter_batches.owned(batch.id, office.seat(key))


@pytest.mark.slow("hundreds of applications")
@pytest.mark.rule("L-06")
def test_the_list_offers_what_may_have_a_letter(many):
    # given applications to the company, one inside the school, one that has its letter, one withdrawn
    office, applications = many
    inside = apply(office, office.sophomore, "class1", reason="other", remark="校内调整支部", confirmed=True)
    confirm(office, keep(office, applications[:1], key="first"))
    work(keep(office, applications[:1], key="first"))
    seat = office.seat("university")
    policy = policy_of(office.orgs["university"])
    found = candidates.picked(seat, policy, CandidateFilters(), None, 100)
    assert set(found) == set(applications[1:])
    assert inside.id not in found
    assert candidates.listing(seat, policy, CandidateFilters()).count() == 6
    assert candidates.picked(seat, policy, CandidateFilters(text="员3"), None, 100) == [applications[2]]
    assert candidates.picked(seat, policy, CandidateFilters(done="yes"), None, 100) == []


def test_without_month_or_file_every_line_says_so(many):
    office, applications = many
    batch = keep(office, applications, {})
    errors = [seen.error for _, seen in letter_batches.examine(batch, office.seat("university"), {})]
    assert all(isinstance(error, DomainError) and error.field == "dues_until" for error in errors)
