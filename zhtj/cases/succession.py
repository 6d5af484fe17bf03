"""Cases that an organisation held or would decide go on with what it has become part of (PD-56)."""

from __future__ import annotations

from sqlalchemy import select

from zhtj.cases.models import Case, CaseEvent
from zhtj.cases.workflow import CaseAction, CaseState
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.orgs.events import OrganisationMerged
from zhtj.orgs.models import Organisation

REMARK = "区划调整，由合并后的组织接着办理。"


def merged(event: OrganisationMerged) -> None:
    """Put the successor into the line of every waiting case that was to pass the old one."""
    successor = session.get_one(Organisation, event.after)
    for case in session.scalars(select(Case).where(Case.state == CaseState.WAITING)).all():
        if event.before not in case.line:
            continue
        case.line = [event.after if one == event.before else one for one in case.line]
        if case.holder_id == event.before:
            case.holder_id = event.after
            session.add(
                CaseEvent(
                    case_id=case.id,
                    action=CaseAction.FORWARD,
                    from_state=case.state,
                    to_state=case.state,
                    from_org_id=event.before,
                    to_org_id=successor.id,
                    remark=REMARK,
                    at=clock.now(),
                )
            )
    session.flush()
