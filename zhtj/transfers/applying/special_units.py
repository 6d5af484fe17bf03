"""The name of a special unit: kept encrypted, opened for the deciding province alone, each look noted (S-09, PD-37)."""

from __future__ import annotations

from sqlalchemy import select

from zhtj.kernel import audit
from zhtj.kernel.database import session
from zhtj.kernel.errors import Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat
from zhtj.transfers.models import Application
from zhtj.transfers.parties import roles
from zhtj.transfers.workflow import Party, State


def may_open(application: Application, seat: ActiveSeat) -> bool:
    """Whether this seat decides about the application now, and a name was told at all."""
    deciding = application.state is State.AWAITING_PROVINCE and Party.PROVINCE in roles(seat, application)
    return deciding and was_told(application)


def was_told(application: Application) -> bool:
    """Whether a name was told; it is not decrypted for that."""
    told = select(Application.id).where(Application.id == application.id, Application.secret_unit.is_not(None))
    return session.scalar(told) is not None


def open_name(application: Application, seat: ActiveSeat) -> str:
    """The name, for the eyes of the deciding province; the look is recorded.

    Raises:
        Forbidden: the seat does not decide here, or no longer.
        NotFound: no name was told.
    """
    if Party.PROVINCE not in roles(seat, application) or application.state is not State.AWAITING_PROVINCE:
        raise Forbidden("单位名称只有审批的省级团委能看。", rule="S-09")
    if not application.secret_unit:
        raise NotFound("没有填写单位名称。")
    audit.record("application.secret_unit_seen", "application", application.id)
    return application.secret_unit
