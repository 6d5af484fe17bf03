"""The first moment of an application: its row and everything that comes of it, in one order (PD-14, PD-18, A-06).

The row first, for the unique index decides between two at the same moment; then what the graduate counts for, before
anything completes or freezes; then history, log, what completion brings, and the facts by which messages, letters and
rates follow; the draft last.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from zhtj.graduation import operations as graduation
from zhtj.graduation.models import GraduateCategory
from zhtj.kernel.database import session
from zhtj.kernel.errors import Forbidden
from zhtj.orgs.models import Organisation
from zhtj.policy.vocabulary import Reason, Suitability
from zhtj.transfers.applying import checks, drafts
from zhtj.transfers.applying.situations import Situation
from zhtj.transfers.models import Application
from zhtj.transfers.parties import province_of
from zhtj.transfers.queries import open_application
from zhtj.transfers.steps import Step, record
from zhtj.transfers.workflow import Action, Initiator, State, Track


def start(situation: Situation) -> Application:
    """Start what the checks have let through.

    Raises:
        Forbidden: the workflow has no such beginning.
        Conflict: the member has an open application by now.
    """
    state = situation.state
    if state is None:
        raise Forbidden
    application = _insert(_prepared(situation, state))
    _categorise(situation)
    step = Step(application, Action.SUBMIT, state, state, application.final_org_id, remark=application.remark or "")
    record([step], Action.SUBMIT, None, state)
    drafts.drop(situation.member)
    return application


def _prepared(situation: Situation, state: State) -> Application:
    row, wanted, new = situation.leaver.row, situation.wanted, situation.new
    from_path, to_path = _places(situation)
    done = state is State.COMPLETED
    account_id, org_id = situation.started_by
    return Application(
        **_described(situation),
        member_id=situation.member.id,
        register_row_id=row.id if row else None,
        season=row.season if row else None,
        season_path=row.season_path if row else None,
        initiator=situation.initiator,
        initiator_account_id=account_id,
        initiator_org_id=org_id,
        from_org_id=situation.old.id,
        from_path=from_path,
        to_org_id=new.id,
        to_path=to_path,
        final_org_id=new.id if done else None,
        release_needed=situation.release_needed,
        kind=situation.kind,
        state=state,
        holder_id=_first_holder(situation, state),
        submitted_at=situation.moment,
        waiting_since=situation.moment,
        due_at=situation.due_at,
        ended_at=situation.moment if done else None,
        follows_id=wanted.follows.id if wanted.follows else None,
    )


def _described(situation: Situation) -> dict[str, Any]:
    """What was filled in, and what the destination table said to it; of a special unit no name in the open (S-09)."""
    wanted, verdict = situation.wanted, situation.verdict
    special = situation.track is Track.SPECIAL
    return {
        "reason": wanted.reason,
        "place": wanted.place,
        "situation": wanted.situation,
        "unit_name": None if special else wanted.unit_name,
        "secret_unit": wanted.secret_unit if special else None,
        "unit_address": None if special else wanted.unit_address,
        "contact_mobile": wanted.contact_mobile,
        "remark": wanted.remark,
        "external_name": checks.squeeze(wanted.external_name) if situation.crosses_systems else None,
        "level": verdict.level,
        "warnings": [verdict.sentence] if verdict.level is Suitability.WARNED else [],
    }


def _places(situation: Situation) -> tuple[str, str]:
    """Where both organisations stand; neither moves before this is committed (PD-07)."""
    wanted = (situation.old.id, situation.new.id)
    query = select(Organisation.id, Organisation.path).where(Organisation.id.in_(wanted)).order_by(Organisation.id)
    paths = dict(session.execute(query.with_for_update(read=True, key_share=True)).all())
    return paths[wanted[0]], paths[wanted[1]]


def _first_holder(situation: Situation, state: State) -> int | None:
    """Whose turn it is first."""
    if not state.is_open:
        return None
    if state is State.AWAITING_PROVINCE:
        return province_of(situation.old).id
    if state is State.AWAITING_RELEASE and situation.initiator is Initiator.MEMBER:
        return situation.releaser.id
    if situation.asks_superior and situation.seat is not None:
        return session.get_one(Organisation, situation.seat.org_id).parent_id
    return situation.old.id if state in {State.AWAITING_RELEASE, State.AWAITING_EXTERNAL} else situation.new.id


def _insert(application: Application) -> Application:
    """Raises Conflict where the member has an open application by now (A-06)."""
    try:
        with session.begin_nested():
            session.add(application)
            session.flush()
    except IntegrityError as error:
        if open_application(application.member_id) is None:
            raise
        raise checks.open_business() from error
    return application


def _categorise(situation: Situation) -> None:
    """What the reason says that the graduate counts for; the later wins (PD-09, PD-58)."""
    category = situation.policy.reasons[Reason(situation.wanted.reason)].category
    if situation.leaver.row is not None and category is not None:
        graduation.categorise(situation.leaver.row, GraduateCategory(category))
