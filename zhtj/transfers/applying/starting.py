"""The first moment of an application: its row, its clock, whose turn it is, its history (PD-14, PD-18, A-06)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from zhtj.graduation.models import RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of
from zhtj.transfers.applying import checks
from zhtj.transfers.models import Application
from zhtj.transfers.parties import province_of
from zhtj.transfers.queries import open_application
from zhtj.transfers.steps import Step, record
from zhtj.transfers.workflow import Action, Initiator, State


def begin(application: Application, state: State, *, due_at: datetime | None) -> None:
    """Insert a prepared application in ``state``; the unique index decides between two at the same moment (A-06).

    Raises:
        Conflict: the member has an open application by now.
    """
    moment = clock.now()
    application.state, application.due_at = state, due_at
    application.submitted_at = application.waiting_since = moment
    application.from_path, application.to_path = _places(application)
    if application.register_row_id is not None:
        row = session.get_one(RegisterRow, application.register_row_id)
        application.season, application.season_path = row.season, row.season_path
    application.holder_id = _first_holder(application, state)
    if state is State.COMPLETED:
        application.ended_at, application.final_org_id = moment, application.to_org_id
    try:
        with session.begin_nested():
            session.add(application)
            session.flush()
    except IntegrityError as error:
        if open_application(application.member_id) is None:
            raise
        raise Conflict(checks.OPEN_BUSINESS, fix="请先撤销原申请，或等待它办结。", rule="A-06") from error
    step = Step(application, Action.SUBMIT, state, state, application.final_org_id, remark=application.remark or "")
    record([step], Action.SUBMIT, None, state)


def _places(application: Application) -> tuple[str, str]:
    """Where both organisations stand; neither moves before this is committed (PD-07)."""
    wanted = (application.from_org_id, application.to_org_id)
    query = select(Organisation.id, Organisation.path).where(Organisation.id.in_(wanted)).order_by(Organisation.id)
    paths = dict(session.execute(query.with_for_update(read=True, key_share=True)).all())
    return paths[wanted[0]], paths[wanted[1]]


def _first_holder(application: Application, state: State) -> int | None:
    """Whose turn it is first."""
    if not state.is_open:
        return None
    if state is State.AWAITING_PROVINCE:
        return province_of(session.get_one(Organisation, application.from_org_id)).id
    if state is State.AWAITING_RELEASE and application.initiator is Initiator.MEMBER:
        old, new = (
            session.get_one(Organisation, number) for number in (application.from_org_id, application.to_org_id)
        )
        return checks.releaser(policy_of(old), old, new).id
    if state in {State.AWAITING_RELEASE, State.AWAITING_EXTERNAL}:
        return application.from_org_id
    return application.to_org_id
