"""Reads of transfers, always inside what the seat may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, func, literal, or_, select, type_coerce
from sqlalchemy.orm import aliased, defer, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from zhtj.kernel import clock
from zhtj.kernel.database import UtcDateTime, session
from zhtj.kernel.errors import NotFound
from zhtj.kernel.permissions import ActiveSeat, SeatKind, subtree
from zhtj.kernel.sql.listing import Listing
from zhtj.notices.waiting import NOW, WaitingKind, WaitingSource
from zhtj.orgs.models import Organisation
from zhtj.orgs.queries import arrives_in
from zhtj.people.finding import search
from zhtj.people.models import Account, Member
from zhtj.transfers.entries import way_now
from zhtj.transfers.models import Application, ApplicationEvent, TransferDraft
from zhtj.transfers.parties import DECISIONS, parties, roles
from zhtj.transfers.places import below
from zhtj.transfers.workflow import OPEN, Action, State, offered

WHOLE = (
    joinedload(Application.member).joinedload(Member.account),
    joinedload(Application.from_org).joinedload(Organisation.parent),
    joinedload(Application.to_org).joinedload(Organisation.parent),
    joinedload(Application.final_org),
    joinedload(Application.holder),
    joinedload(Application.initiator_account),
)

# A list shows little of each; its few organisations are fetched together (``attach_organisations``).
LISTED = (
    joinedload(Application.member).load_only(Member.account_id),
    joinedload(Application.member).joinedload(Member.account).load_only(Account.name, Account.mobile),
    *(
        defer(column)
        for column in (
            Application.unit_address,
            Application.version,
            Application.follows_id,
            Application.register_row_id,
            Application.initiator_account_id,
            Application.ended_at,
        )
    ),
)
# Nobody decides more than this at once; what a list holds beyond it is not counted.
COUNTED = 5000
_ORGANISATIONS = ("from_org", "to_org", "final_org", "holder")


# With the offices that act for them and the superiors whose offices may act too.
_ORGANISATIONS_BY_ID = (
    select(Organisation)
    .where(Organisation.id.in_(bindparam("ids", expanding=True)))
    .options(joinedload(Organisation.office), joinedload(Organisation.parent))
)


def attach_organisations(applications: Sequence[Application]) -> Sequence[Application]:
    """Attach the organisations of these applications, read once for all of them. Returns the same applications."""
    wanted = {getattr(row, f"{name}_id") for row in applications for name in _ORGANISATIONS} - {None}
    rows = session.scalars(_ORGANISATIONS_BY_ID, {"ids": list(wanted)}) if wanted else ()
    found = {organisation.id: organisation for organisation in rows}
    for row in applications:
        for name in _ORGANISATIONS:
            set_committed_value(row, name, found.get(getattr(row, f"{name}_id")))
    return applications


def in_time(moment: Any) -> ColumnElement[bool]:
    """Applications that somebody can still act on: from the due moment on they go back, swept or not (PD-18)."""
    return and_(Application.ended_at.is_(None), or_(Application.due_at.is_(None), Application.due_at > moment))


def _waiting_rows() -> Any:
    return select(
        Application.holder_id.label("org_id"),
        Application.waiting_since.label("since"),
        type_coerce(Application.state, String).label("step"),
        Application.due_at,
        # PD-18: the origin's policy says on which days one is reminded.
        Application.from_path.label("path"),
    ).where(in_time(NOW))


UNREVIEWED = frozenset(
    {State.AWAITING_RELEASE, State.AWAITING_ACCEPTANCE, State.AWAITING_PROVINCE, State.AWAITING_EXTERNAL}
)
# It is an organisation's turn: it holds the application, or acts for who does (PD-22).
WAITING = WaitingSource(
    WaitingKind.APPLICATION,
    _waiting_rows,
    steps={state.value: state.label for state in State if state.is_open},
    unreviewed=frozenset(UNREVIEWED),
)


class WaitingPart(StrEnum):
    """What is to be done with what waits: say yes or no, or choose the branch."""

    DECIDE = "decide"
    ALLOCATE = "allocate"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of applications is narrowed by; "" or None is no filter.

    Args:
        state: one state.
        side: ``out`` (from below), ``in`` (to below) or "".
        text: start of the member's name, or his whole student number.
        part: what is to be done with them.
    """

    state: State | None = None
    side: str = ""
    text: str = ""
    part: WaitingPart | None = None

    @property
    def said(self) -> dict[str, str]:
        """The filters as an address or a form says them."""
        values = {"state": self.state, "side": self.side, "q": self.text, "tab": self.part}
        return {name: str(value) for name, value in values.items() if value}


def waiting(seat: ActiveSeat, filters: Filters) -> Listing[Application]:
    """What waits for this seat: what goes back first, then the oldest."""
    served = select(Organisation.id).where(Organisation.office_id == seat.org_id)
    query = _narrow(select(Application).where(in_time(clock.now()), Application.holder_id.in_(served)), filters)
    goes_back = func.coalesce(Application.due_at, literal(clock.NEVER), type_=UtcDateTime()).label("goes_back_at")
    return Listing(
        query, [goes_back, Application.id], loads=(*LISTED, defer(Application.submitted_at)), dress=attach_organisations
    )


def visible(seat: ActiveSeat) -> ColumnElement[bool]:
    """Applications that leave or reach this seat's part of the tree (A-07, A-11)."""
    if seat.kind is SeatKind.MEMBER:
        mine: ColumnElement[bool] = Application.member_id == seat.member_id
        return mine
    return below(seat.path)


def applications(seat: ActiveSeat, filters: Filters) -> Listing[Application]:
    """All applications from or to this part of the tree, newest first."""
    query = _narrow(select(Application).where(_on_side(seat, filters.side)), filters)
    return Listing(query, [Application.id], descending=True, loads=LISTED, dress=attach_organisations)


def _on_side(seat: ActiveSeat, side: str) -> ColumnElement[bool]:
    if side == "out":
        return subtree(Application.from_path, seat.path)
    return subtree(Application.to_path, seat.path) if side == "in" else visible(seat)


def in_townships(seat: ActiveSeat, filters: Filters) -> Listing[Application]:
    """What a county could take over from its townships, oldest first (PD-22)."""
    query = _narrow(select(Application).where(_of_townships(seat)), filters)
    return Listing(query, [Application.id], loads=LISTED, dress=attach_organisations)


class ApplicationList(StrEnum):
    """A list of applications one can pick from."""

    WAITING = "waiting"
    APPLICATIONS = "applications"
    TOWNSHIPS = "townships"


_LISTS = {
    ApplicationList.WAITING: waiting,
    ApplicationList.APPLICATIONS: applications,
    ApplicationList.TOWNSHIPS: in_townships,
}


def count_listed(seat: ActiveSeat, which: ApplicationList, filters: Filters) -> int | None:
    """How many applications the list shows on all its pages.

    None where they are more than ``COUNTED``, or where too common a name is looked for among all of a place's.
    """
    text = filters.text.strip()
    if search.is_common(text) if which is ApplicationList.APPLICATIONS else not search.is_counted(seat, text):
        return None
    found = _LISTS[which](seat, filters).count(COUNTED)
    return found if found <= COUNTED else None


def picked(seat: ActiveSeat, which: ApplicationList, filters: Filters, most: int) -> list[int]:
    """Ids of what the list shows on all its pages, in the order of the waiting list."""
    return _LISTS[which](seat, filters).ordered(Application.id).take(most, Application.id)


def _of_townships(seat: ActiveSeat) -> ColumnElement[bool]:
    """Graduates who wait for a township of this county, or for a branch right below one (PD-22, D-15)."""
    township, county = aliased(Organisation), aliased(Organisation)
    # The township itself, or a branch right below it.
    itself = or_(
        and_(Organisation.township_flag.is_(True), township.id == Organisation.id),
        and_(township.id == Organisation.parent_id, township.township_flag.is_(True)),
    )
    townships = (
        select(Organisation.id)
        .join(township, itself)
        .join(county, county.id == township.parent_id)
        .where(subtree(Organisation.path, seat.path), county.office_id == seat.org_id)
    )
    return and_(
        Application.state == State.AWAITING_ACCEPTANCE,
        Application.register_row_id.is_not(None),
        subtree(Application.to_path, seat.path),
        Application.to_org_id.in_(townships),
    )


def _narrow(query: Select[Any], filters: Filters) -> Select[Any]:
    if filters.state is not None:
        query = query.where(Application.state == filters.state)
    if filters.part is not None:
        to_allocate = Application.state == State.AWAITING_ALLOCATION
        query = query.where(to_allocate if filters.part is WaitingPart.ALLOCATE else ~to_allocate)
    text = filters.text.strip()
    if text:
        query = query.where(search.is_called(Application.member_id, text))
    return query


def application(seat: ActiveSeat, number: int) -> Application:
    """One application with its history. Raises NotFound outside the seat's part of the tree."""
    query = (
        select(Application)
        .where(Application.id == number, visible(seat))
        .options(
            *WHOLE,
            selectinload(Application.events).joinedload(ApplicationEvent.account),
            selectinload(Application.events).joinedload(ApplicationEvent.org),
        )
        .execution_options(populate_existing=True)
    )
    found = session.scalars(query).unique().first()
    if found is None:
        raise NotFound
    return found


def of_member(member_id: int) -> list[Application]:
    """Every application about a member, newest first, whoever started it (A-07)."""
    query = select(Application).where(Application.member_id == member_id).options(*WHOLE)
    return list(session.scalars(query.order_by(Application.id.desc())).unique())


def open_application(member_id: int) -> Application | None:
    """The member's open application, if there is one."""
    return session.scalars(
        select(Application).where(Application.member_id == member_id, Application.state.in_(OPEN))
    ).first()


def seen(seat: ActiveSeat, found: Application | None) -> Application | None:
    """The same application, if it leaves or reaches this seat's part of the tree."""
    if found is None or session.scalar(select(Application.id).where(Application.id == found.id, visible(seat))) is None:
        return None
    return found


def latest(member_id: int) -> Application | None:
    """The newest application about a member, with both its organisations; the rest is read when it is asked for."""
    query = (
        select(Application)
        .where(Application.member_id == member_id)
        .options(joinedload(Application.from_org), joinedload(Application.to_org))
    )
    return session.scalars(query.order_by(Application.id.desc()).limit(1)).first()


def draft(member_id: int) -> TransferDraft | None:
    """The member's draft, if he began one."""
    return session.get(TransferDraft, member_id)


def possible_actions(seat: ActiveSeat, application: Application) -> list[Action]:
    """What this seat may do with the application now; buttons are read off it."""
    if not application.state.is_open:
        return []
    deciding = frozenset(roles(seat, application))
    changing = frozenset(parties(seat, application, Action.WITHDRAW))
    return list(offered(application.state, way_now(application), deciding, changing, DECISIONS))


def branches_below(organisation: Organisation) -> list[Organisation]:
    """Branches an accepted member can be put into (A-12): open, no graduates', none kept for a school's own people."""
    query = select(Organisation).where(
        arrives_in(organisation),
        subtree(Organisation.path, organisation.path),
        Organisation.category == "branch",
        Organisation.closed_at.is_(None),
    )
    return list(session.scalars(query.order_by(Organisation.path).limit(500)))


def count_open(seat: ActiveSeat) -> int:
    """Open applications from or to this part of the tree."""
    # Said so, one index answers it alone.
    query = select(func.count()).select_from(Application).where(Application.ended_at.is_(None), visible(seat))
    return session.scalar(query) or 0


def newest_by_member(member_ids: list[int]) -> dict[int, Application]:
    """The newest application of each of these members."""
    newest = (
        select(func.max(Application.id)).where(Application.member_id.in_(member_ids)).group_by(Application.member_id)
    )
    rows = session.scalars(
        select(Application).where(Application.id.in_(newest)).options(joinedload(Application.to_org))
    )
    return {application.member_id: application for application in rows}
