"""A tree without schools, and the two sample files."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from zhtj.imports.files import finding, layouts, workbooks
from zhtj.imports.files.tables import ImportTable
from zhtj.imports.orgs import organisations
from zhtj.kernel import clock
from zhtj.kernel.database import unit_of_work
from zhtj.orgs import operations as orgs
from zhtj.orgs.models import Category, Organisation, Tier, segment
from zhtj.orgs.operations import NewOrganisation

DATA = Path(__file__).with_name("data")


@pytest.fixture(scope="session")
def roster_table() -> ImportTable:
    """The roster sample: 425 rows under titles and instructions, with a total at the end."""
    return finding.find(workbooks.read((DATA / "roster-sample.xlsx").read_bytes()), layouts.ROSTER)


@pytest.fixture(scope="session")
def organisation_table() -> ImportTable:
    """The organisation sample: a university with three colleges and twelve classes."""
    return finding.find(workbooks.read((DATA / "orgs-sample.xlsx").read_bytes()), layouts.ORGANISATIONS)


@pytest.fixture
def city(session: Session) -> Organisation:
    """合肥市 under 安徽省 and the centre, with 蜀山区 below; nothing else."""
    with unit_of_work():
        centre = Organisation(
            code="0",
            path=segment(1),
            full_name="共青团中央委员会",
            short_name="团中央",
            category=Category.LEADING_ORGAN,
            tier=Tier.CENTRE,
            created_at=clock.now(),
        )
        session.add(centre)
        session.flush()
        province = _leading(centre, "共青团安徽省委员会", "团安徽省委", "34")
        city = _leading(province, "共青团安徽省合肥市委员会", "团合肥市委", "3401")
        _leading(city, "共青团安徽省合肥市蜀山区委员会", "团蜀山区委", "340104")
    return city


def _leading(parent: Organisation, full_name: str, short_name: str, code: str) -> Organisation:
    return orgs.create(parent, NewOrganisation(full_name, short_name, Category.LEADING_ORGAN, code=code))


@pytest.fixture
def university(city: Organisation, organisation_table: ImportTable, session: Session) -> Organisation:
    """江淮示范大学 as the organisation sample describes it."""
    with unit_of_work():
        organisations.apply(organisations.preview(organisation_table))
    return session.query(Organisation).filter_by(full_name="共青团江淮示范大学委员会").one()
