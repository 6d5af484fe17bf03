"""Members about whom something has to be decided: too old, unpaid, entered twice (U-15, U-24, D-22)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from zhtj.demo.invention import Inventor
from zhtj.orgs.models import Organisation
from zhtj.people import operations as people
from zhtj.people.models import Member, Sex

BORN = date(1998, 3, 8)
"""28 years old in the season."""
UNPAID = date(2026, 2, 1)


def enrol(juniors: Organisation, residents: Organisation, known: Member, inventor: Inventor, place: str) -> None:
    """One of each.

    Args:
        juniors: a class that does not graduate yet.
        residents: a township's floating branch.
        known: somebody of that class, who gets a second record with another number.
        inventor: of names and numbers.
        place: full name of the township where they are at home.
    """
    blank = inventor.student(entered=2021, major="", student_no="", places=(place,))
    old = replace(
        blank,
        id_number=inventor.id_number(BORN, Sex.FEMALE),
        sex=Sex.FEMALE,
        joined_on=date(2013, 5, 1),
        dev_number=None,
        student_no=None,
        major=None,
        political_status="中共党员",
    )
    people.add_member(residents, old)
    student = inventor.student(entered=2023, major="历史学", student_no="2023000901", places=(place,))
    people.add_member(juniors, replace(student, dues_until=UNPAID))
    if known.born is not None:
        twin = inventor.student(entered=2023, major="历史学", student_no="2023000902", places=(place,))
        number = inventor.id_number(known.born, known.sex)
        people.add_member(juniors, replace(twin, name=known.name, sex=known.sex, id_number=number))
