"""Short sentences for tests of staying: build a branch, apply and sign, decide."""

from __future__ import annotations

from typing import Any

from tests.cases.steps import do
from tests.transfers.steps import acting
from tests.world import World
from zhtj.cases import signatures
from zhtj.cases.kinds import kind_of
from zhtj.cases.models import Case
from zhtj.cases.signatures import Signature
from zhtj.cases.workflow import CaseAction
from zhtj.floating.models import Stay
from zhtj.floating.queries import open_stay
from zhtj.kernel.database import session, unit_of_work
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Organisation, Purpose
from zhtj.orgs.operations import NewOrganisation
from zhtj.people.models import Member

RETAINED = {
    "ground": "no_job",
    "detail": "正在找工作，暂时没有单位",
    "plan": "job",
    "mobile": "13811112222",
    "dues": "每半年交给学院团委",
    "life": "参加线上主题团日",
}
ABROAD = {
    "ethnicity": "汉族",
    "major": "软件工程",
    "level": "本科",
    "graduated": "2026-06",
    "country": "英国",
    "university": "示例大学",
    "subject_abroad": "计算机科学",
    "degree": "硕士",
    "begins": "2026-09",
    "ends": "2027-12",
    "contact": "丁大",
    "relation": "父亲",
    "contact_mobile": "13700000001",
}


def build(world: World, key: str, parent: str, purpose: Purpose) -> Organisation:
    """A purpose-built branch of a school."""
    place = world.orgs[parent]
    new = NewOrganisation(
        f"{place.short_name}2026届毕业生{purpose.label}",
        f"{place.short_name}{purpose.label}",
        Category.BRANCH,
        "普通高等院校",
        purpose=purpose,
    )
    with unit_of_work():
        world.orgs[key] = orgs.create(session.merge(place), new)
    return world.orgs[key]


def apply(world: World, member: Member, kind: str = "retention", **typed: Any) -> Case:
    """The member fills in the form and signs it."""
    seat = world.own_seat(session.merge(member))
    answers = {**(ABROAD if kind == "overseas_study" else RETAINED), **typed}
    with acting(seat):
        return signatures.raise_signed(kind_of(kind), seat, answers, Signature(member.name, member.account_id))


def sign(world: World, case: Case, member: Member, **typed: Any) -> None:
    """He signs what others have raised for him."""
    seat = world.own_seat(session.merge(member))
    with acting(seat):
        session.refresh(case)
        signatures.sign(case, seat, Signature(member.name, member.account_id), typed)


def grant(world: World, case: Case, *keys: str) -> Case:
    """Pass it up through these organisations; the last one approves."""
    for key in keys[:-1]:
        do(case, world.seat(key), CaseAction.FORWARD)
    do(case, world.seat(keys[-1]), CaseAction.APPROVE)
    session.expire_all()
    return case


def stay_of(member: Member) -> Stay:
    """His open stay."""
    session.expire_all()
    found = open_stay(member.id)
    assert found is not None
    return found


def where(member: Member) -> int:
    """The branch he is in now."""
    session.expire_all()
    return session.get_one(Member, member.id).org_id
