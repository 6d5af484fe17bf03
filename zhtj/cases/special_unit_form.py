"""F-03 《转往特殊单位团组织》: filled by the applications; a unit's name is never in it (S-09)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from zhtj.kernel import clock
from zhtj.kernel.permissions import ActiveSeat, Permission, scope
from zhtj.kernel.sql.listing import Listing
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of
from zhtj.people.models import Member
from zhtj.policy.vocabulary import Destination
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import State

TITLE = "转往特殊单位团组织"
# F-03: exactly the form's columns.
COLUMNS = (
    "序号",
    "姓名",
    "提交时所在支部（系统内全称）",
    "系统提交时间",
    "去向单位名称（若部队名称涉密，填写去向即可，如参军入伍）",
)
_OUT = (State.WITHDRAWN, State.REFUSED)


# S-09: filled by the applications themselves, a unit only by its generic destination.
def listing(seat: ActiveSeat, season: int) -> Listing[Application]:
    """Applications to special units from this part of the tree in a year, as they were submitted."""
    query = select(Application).where(
        scope(Application.from_path, seat, Permission.CASES),
        Application.kind == Destination.SPECIAL_POOL,
        Application.state.not_in(_OUT),
        Application.submitted_at >= clock.start_of_day(clock.today().replace(year=season, month=1, day=1)),
        Application.submitted_at < clock.start_of_day(clock.today().replace(year=season + 1, month=1, day=1)),
    )
    loads = (joinedload(Application.member).joinedload(Member.account), joinedload(Application.from_org))
    return Listing(query, [Application.id], loads=loads)


def cells(application: Application, position: int) -> tuple[str, ...]:
    """One line in the form's columns; for the unit only the generic destination."""
    return (
        str(position),
        application.member.name,
        application.from_org.full_name,
        f"{clock.local(application.submitted_at):%Y-%m-%d %H:%M}",
        application.unit_label,
    )


def is_filed(organisation: Organisation) -> bool:
    """Whether the policy asks this organisation to file the register upwards (S-09)."""
    return policy_of(organisation).special_unit_register
