"""The doctor finds each broken invariant by the row that breaks it; what he could not find the database refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from tests.cases.steps import ask
from tests.guards.town import PAPERS
from tests.transfers.steps import apply, do
from tests.world import World
from zhtj import doctor
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseState
from zhtj.graduation.models import CloseReason, RegisterRow
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.letters import operations as letters
from zhtj.letters.models import LetterSeries
from zhtj.orgs.models import Category, Organisation
from zhtj.people.models import Account, Member, Membership, UnclearName
from zhtj.rates.models import RateCounter, Standing
from zhtj.transfers import operations
from zhtj.transfers.models import Application, ApplicationEvent, Arrival
from zhtj.transfers.workflow import Action, State


@pytest.fixture
def life(world: World) -> Any:
    """A world in which something has happened: one has moved, one is on the way with his letter."""
    with unit_of_work():
        for key in ("university", "company"):
            org = session.merge(world.orgs[key])
            org.phone, org.address, org.postcode = "0551-65500000", "示范路1号", "230031"
    moved = apply(world, world.graduate, "team")
    do(operations.accept, moved, world.seat("team"))
    under_way = apply(world, world.classmate, "company")
    seat = world.seat("university")
    with audit.acting(seat), unit_of_work():
        session.refresh(under_way)
        letter = letters.issue(under_way, seat, PAPERS).id
    case = ask(world.seat("class1"), "statement", world.classmate, purpose="other", text="本人情况属实，特此说明。")
    return SimpleNamespace(world=world, moved=moved.id, under_way=under_way.id, letter=letter, case=case.id)


def org(life: Any, key: str) -> int:
    number: int = life.world.orgs[key].id
    return number


def change(table: Any, number: int, **values: Any) -> int:
    session.execute(update(table).where(table.id == number).values(**values))
    return number


def path(life: Any) -> int:
    return change(Organisation, org(life, "class1"), path="00010001000100090001")


def application_place(life: Any) -> int:
    return change(Application, life.under_way, to_path="0001")


def office(life: Any) -> int:
    return change(Organisation, org(life, "class1"), office_id=org(life, "team"))


def office_above(life: Any) -> int:
    """Without an administrator of its own, and served by somebody who is not the nearest superior."""
    return change(Organisation, org(life, "floating"), office_id=org(life, "county"))


def graduates(life: Any) -> int:
    return change(Organisation, org(life, "college"), category=Category.GRADUATES)


def closed(life: Any) -> int:
    return change(Organisation, org(life, "class2"), closed_at=clock.now())


def membership(life: Any) -> int:
    number = life.world.sophomore.id
    session.execute(delete(Membership).where(Membership.member_id == number))
    return int(number)


def membership_elsewhere(life: Any) -> int:
    return change(Member, life.world.sophomore.id, org_id=org(life, "class1"))


def overlap(life: Any) -> int:
    """Two stays that overlap, of which the later row is the earlier stay."""
    start = clock.now() - timedelta(days=9)
    values = {"member_id": life.world.sophomore.id, "org_id": org(life, "class1"), "began_by": "import"}
    session.execute(
        insert(Membership).values(
            **values, started_at=start, ended_at=clock.now() + timedelta(seconds=1), ended_by="import"
        )
    )
    own = select(Membership.id).where(Membership.member_id == life.world.sophomore.id, Membership.ended_at.is_(None))
    return session.scalars(own).one()


def no_branch(life: Any) -> int:
    return change(Member, life.world.sophomore.id, org_id=org(life, "college"))


def history(life: Any) -> int:
    return change(Application, life.under_way, state=State.AWAITING_RELEASE)


def lost_step(life: Any) -> int:
    """An acceptance whose submission is gone."""
    steps = session.scalars(
        select(ApplicationEvent).where(ApplicationEvent.application_id == life.moved).order_by(ApplicationEvent.id)
    ).all()
    assert [step.action for step in steps] == [Action.SUBMIT, Action.ACCEPT]
    session.delete(steps[0])
    return steps[1].id


def moved_meanwhile(life: Any) -> int:
    change(Member, life.world.classmate.id, org_id=org(life, "class2"))
    return int(life.under_way)


def never_moved(life: Any) -> int:
    session.execute(update(Membership).where(Membership.member_id == life.world.graduate.id).values(began_by="import"))
    return int(life.moved)


def never_arrived(life: Any) -> int:
    session.execute(delete(Arrival).where(Arrival.application_id == life.moved))
    return int(life.moved)


def counted_for_nothing(life: Any) -> int:
    row = select(RegisterRow.id).where(RegisterRow.member_id == life.world.classmate.id)
    return change(RegisterRow, session.scalars(row).one(), completed_at=clock.now())


def counted_twice(life: Any) -> int:
    """A standing that says he is done, while the register does not."""
    row = session.scalars(select(RegisterRow.id).where(RegisterRow.member_id == life.world.classmate.id)).one()
    session.execute(update(Standing).where(Standing.row_id == row, Standing.until.is_(None)).values(done=True))
    return row


def counted_nowhere(life: Any) -> int:
    row = session.scalars(select(RegisterRow.id).where(RegisterRow.member_id == life.world.graduate.id)).one()
    session.execute(delete(Standing).where(Standing.row_id == row))
    return row


def still_counted(life: Any) -> int:
    """A row that is closed, of which nobody told the rates."""
    row = session.scalars(select(RegisterRow.id).where(RegisterRow.member_id == life.world.classmate.id)).one()
    return change(RegisterRow, row, closed_at=clock.now(), close_reason=CloseReason.TEACHER)


def miscounted(life: Any) -> str:
    path = session.scalars(select(Organisation.path).where(Organisation.id == org(life, "class1"))).one()
    session.execute(update(RateCounter).where(RateCounter.path == path).values(society=RateCounter.society + 1))
    return path


def uncounted(life: Any) -> str:
    path = session.scalars(select(Organisation.path).where(Organisation.id == org(life, "class1"))).one()
    session.execute(delete(RateCounter).where(RateCounter.path == path))
    return path


def counted_of_nobody(life: Any) -> str:
    """Figures where there is no graduate at all."""
    path = session.scalars(select(Organisation.path).where(Organisation.id == org(life, "class2"))).one()
    session.execute(insert(RateCounter).values(season=2026, path=path, shard=0, initiated=1))
    return path


def number_from_nowhere(life: Any) -> int:
    session.execute(update(LetterSeries).values(last_number=0))
    return int(life.letter)


def unclear_name(life: Any) -> int:
    """A name that the upgrade could not read, and nobody has corrected since."""
    account = life.world.graduate.account
    change(Account, account.id, name="甘■禾")
    session.add(UnclearName(account_id=account.id, name="甘■禾"))
    session.flush()
    return int(account.id)


def case_decided_by_nobody(life: Any) -> int:
    return change(Case, life.case, state=CaseState.APPROVED, holder_id=None, ended_at=clock.now())


def case_passed_by_nobody(life: Any) -> int:
    return change(Case, life.case, holder_id=org(life, "university"), level=1)


BREAKS: tuple[tuple[str, Callable[[Any], int | str]], ...] = (
    ("paths", path),
    ("application_places", application_place),
    ("offices", office),
    ("offices", office_above),
    ("graduates", graduates),
    ("closed", closed),
    ("membership", membership),
    ("membership", membership_elsewhere),
    ("overlaps", overlap),
    ("names", unclear_name),
    ("branches", no_branch),
    ("history", history),
    ("steps", lost_step),
    ("conserved", moved_meanwhile),
    ("completed", never_moved),
    ("arrivals", never_arrived),
    ("register", counted_for_nothing),
    ("standings", counted_twice),
    ("standings", counted_nowhere),
    ("standings", still_counted),
    ("counters", miscounted),
    ("counters", uncounted),
    ("counters", counted_of_nobody),
    ("letters", number_from_nowhere),
    ("cases", case_decided_by_nobody),
    ("cases", case_passed_by_nobody),
)
# What the database itself does not let happen.
REFUSED = {
    "deadlines": (
        "UPDATE applications SET due_at = NULL WHERE state = 'awaiting_acceptance'",
        "UPDATE applications SET due_at = submitted_at WHERE state = 'completed'",
    ),
}
# And more that needs no doctor.
IMPOSSIBLE = {
    "two open applications of one member": "UPDATE applications SET member_id = (SELECT member_id FROM applications"
    " WHERE state = 'awaiting_acceptance'), state = 'awaiting_allocation', holder_id = to_org_id, ended_at = NULL"
    " WHERE state = 'completed'",
    "two open memberships of one member": "UPDATE memberships SET ended_at = NULL, ended_by = NULL",
    "a membership that ends before it began": "UPDATE memberships SET ended_by = 'x',"
    " ended_at = '2000-01-01 00:00:00+00'",
    "an open case that nobody holds": "UPDATE cases SET holder_id = NULL WHERE state = 'waiting'",
    "an open application that nobody holds": "UPDATE applications SET holder_id = NULL"
    " WHERE state = 'awaiting_acceptance'",
    "an ended application without an end": "UPDATE applications SET ended_at = NULL WHERE state = 'completed'",
    "a completed one without a branch": "UPDATE applications SET final_org_id = NULL WHERE state = 'completed'",
    "a second root": "UPDATE organisations SET parent_id = NULL WHERE tier = 'branch'",
    "two of one path": "UPDATE organisations SET path = '0001'",
    "two of one name": "UPDATE organisations SET full_name = '共青团'",
    "a branch that is a committee": "UPDATE organisations SET category = 'committee' WHERE tier = 'branch'",
    "a member of nowhere": "UPDATE members SET org_id = 999999",
    "two accounts of one person": "UPDATE accounts SET id_hash = 'x'",
    "two rows in one season": "UPDATE season_register SET member_id = (SELECT min(id) FROM members)",
    "a mark without month and reason": "UPDATE branch_marks SET month = NULL",
    "two letters of one number": "INSERT INTO letters (id, issuer_org_id, year, number, member_id, from_org_id, record,"
    " template_version, code, issued_at, last_valid_on, issued_by_account_id, state) SELECT id + 1000, issuer_org_id,"
    " year, number, member_id, from_org_id, record, template_version, 'other-code', issued_at, last_valid_on,"
    " issued_by_account_id, state FROM letters",
}


def findings() -> dict[str, list[int | str]]:
    session.expire_all()
    return {finding.name: finding.rows for finding in doctor.examine() if finding.broken}


def test_a_healthy_world_has_no_finding(life: Any) -> None:
    assert findings() == {}
    assert len(doctor.examine()) == len(doctor.INVARIANTS)


def test_every_invariant_is_broken_once_or_guarded_by_the_database() -> None:
    names = [invariant.name for invariant in doctor.INVARIANTS]
    assert len(names) == len(set(names))
    assert {name for name, _ in BREAKS} | set(REFUSED) == set(names)


@pytest.mark.parametrize(("name", "spoil"), BREAKS, ids=[f"{name}-{spoil.__name__}" for name, spoil in BREAKS])
def test_what_is_broken_is_found_with_its_row(life: Any, name: str, spoil: Callable[[Any], int | str]) -> None:
    offender = spoil(life)
    assert offender in findings()[name]


@pytest.mark.parametrize("statement", [one for each in REFUSED.values() for one in each])
def test_what_the_doctor_need_not_find_is_refused(life: Any, statement: str) -> None:
    with pytest.raises(IntegrityError):
        session.execute(text(statement))


@pytest.mark.parametrize("statement", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_the_database_itself_keeps_the_rules(life: Any, statement: str) -> None:
    with pytest.raises(IntegrityError):
        session.execute(text(statement))


def test_stays_that_follow_each_other_do_not_overlap(life: Any) -> None:
    """Also if the earlier one was entered later, as an import of old files does."""
    start = clock.now() - timedelta(days=9)
    own = session.scalars(select(Membership).where(Membership.member_id == life.world.sophomore.id)).one()
    values = {"member_id": own.member_id, "org_id": own.org_id, "began_by": "import", "ended_by": "import"}
    session.execute(insert(Membership).values(**values, started_at=start, ended_at=own.started_at))
    assert findings() == {}


def test_only_the_first_rows_are_listed_but_all_are_counted(life: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LISTED", 2)
    session.execute(update(Member).values(org_id=org(life, "college")))
    found = next(finding for finding in doctor.examine() if finding.name == "branches")
    assert (found.broken, found.rows) == (4, sorted(session.scalars(select(Member.id)))[:2])


def test_the_command_says_so_with_its_exit_status(app, life: Any) -> None:
    run = app.test_cli_runner().invoke
    session.commit()
    healthy = run(args=["doctor"])
    assert (healthy.exit_code, healthy.stderr) == (0, "")
    assert len(healthy.stdout.splitlines()) == len(doctor.INVARIANTS)
    assert "违反" not in healthy.stdout

    offender = closed(life)
    session.commit()
    ill = run(args=["doctor"])
    assert ill.exit_code == 1
    assert f"违反\tclosed\t停用的组织里没有团员\t1\t[{offender}]" in ill.stdout.splitlines()
    told = run(args=["doctor", "--json"])
    assert told.exit_code == 1
    broken = [finding for finding in json.loads(told.stdout) if finding["broken"]]
    assert broken == [{"name": "closed", "says": "停用的组织里没有团员", "broken": 1, "rows": [offender]}]
