"""A member whose record is archived, for whoever looks for him: who archived him, when, whom to call (PD-61)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from zhtj.kernel import dates, names
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session
from zhtj.orgs.contacts import OfficeContact, contact
from zhtj.orgs.models import Organisation
from zhtj.people.finding.members import by_id_number
from zhtj.people.models import Member

ARCHIVED = "member.archive"


@dataclass(frozen=True, slots=True)
class ArchivedRecord:
    """What is said of an archived record to whoever knows name and full number.

    Args:
        member: whose.
        by: the organisation that archived it.
        at: when.
        call: who answers there.
        may_return: whether one can ask to restore it; a merged one lives on in another record.
    """

    member: Member
    by: Organisation
    at: datetime
    call: OfficeContact
    may_return: bool

    @property
    def says(self) -> str:
        """Who, when, where he was."""
        when = dates.full(dates.local(self.at))
        return f"{self.member.name}的记录已由{self.by.short_name}于{when}归档，原来在{self.member.org.full_name}。"

    @property
    def whom_to_call(self) -> str:
        """One sentence."""
        return f"请联系{self.call.name}{f'（{self.call.phone}）' if self.call.phone else ''}。"

    @property
    def way_out(self) -> str:
        """Whom to call, and what can be asked for."""
        if not self.may_return:
            return f"同一人另有一条记录，请按正确的身份证号码查找；{self.whom_to_call}"
        return f"{self.whom_to_call}需要恢复的，请在“办理转入”中查到本人后提出请求。"


def find(name: str, id_number: str) -> ArchivedRecord | None:
    """The archived record with exactly this name and full ID number (A-04); None where there is none."""
    found = by_id_number(id_number)
    if found is None or found.archived_at is None or names.key(found.name) != names.key(name):
        return None
    return record(found)


def record(member: Member) -> ArchivedRecord:
    """What is said of this archived record."""
    if member.archived_at is None:
        raise LookupError("not archived")
    query = select(AuditEvent.org_id).where(
        AuditEvent.subject_type == "member", AuditEvent.subject_id == member.id, AuditEvent.action == ARCHIVED
    )
    by = session.scalars(query.order_by(AuditEvent.id.desc())).first()
    organisation = session.get(Organisation, by) if by is not None else None
    # PD-61: who archived him, when, whom to call.
    return ArchivedRecord(
        member, organisation or member.org, member.archived_at, contact(member.org), member.merged_into_id is None
    )
