"""Applications to a class that is converted: nobody can take them in any more, and everybody is told (PD-57, O-10)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import joinedload

from zhtj.graduation import conversion
from zhtj.graduation.events import BranchesConverted
from zhtj.kernel.database import among, session
from zhtj.kernel.permissions import subtree
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member
from zhtj.transfers.models import Application
from zhtj.transfers.wording import cut
from zhtj.transfers.workflow import State

CHUNK = 500
SHOWN = 100
# Until then somebody can still do something about it.
_ON_THE_WAY = (State.AWAITING_RELEASE, State.AWAITING_ACCEPTANCE)
_AHEAD = {
    "member": "请改转其他组织，原来填写的内容会自动带出；也可以撤销申请。",
    "old": "请联系本人核对去向，改转其他组织或撤销。",
    "new": "请联系本人改转其他组织；不能接收的，请选“不同意”并写明。",
}


def tell(event: BranchesConverted) -> None:
    """Tell member, old and new side of every application that is on its way to one of these branches."""
    for start in range(0, len(event.ids), CHUNK):
        found = _stranded(among(Application.to_org_id, event.ids[start : start + CHUNK]))
        notices.send_many(message for one in found for message in _messages(one))


def _stranded(which: ColumnElement[bool], limit: int | None = None) -> Sequence[Application]:
    query = (
        select(Application)
        .where(Application.state.in_(_ON_THE_WAY), which)
        .options(
            joinedload(Application.member).joinedload(Member.account),
            joinedload(Application.from_org),
            joinedload(Application.to_org),
        )
        .order_by(Application.to_path, Application.id)
    )
    return session.scalars(query.limit(limit)).all()


def _messages(one: Application) -> Iterator[NewMessage]:
    name, subject = one.member.name, ("application", one.id)
    what = f"转接申请（{one.from_name} → {one.to_name}）：{one.to_name}已转为毕业生团组织，只出不进，不能再接收。"
    yield NewMessage(
        MessageKind.OUTCOME,
        "转接申请不能再被接收，请改转其他组织",
        f"您的组织关系{what}{_AHEAD['member']}",
        member_id=one.member_id,
        subject=subject,
    )
    title = f"{cut(name, 30)}的转接申请不能再被接收"
    for side, organisation in (("old", one.from_org), ("new", one.to_org)):
        yield NewMessage(
            MessageKind.OUTCOME,
            title,
            f"{name}的组织关系{what}{_AHEAD[side]}",
            org_id=organisation.id,
            subject=subject,
        )


def _ahead(path: str) -> ColumnElement[bool]:
    return Application.to_org_id.in_(conversion.due(select(Organisation.id)).where(subtree(Organisation.path, path)))


def foreseen(path: str) -> list[Application]:
    """What the conversion will strand at and below ``path``, with the marks as they stand now; the first hundred."""
    return list(_stranded(_ahead(path), SHOWN))


def count_foreseen(path: str) -> int:
    """How many applications that are."""
    query = select(func.count()).select_from(Application).where(and_(Application.state.in_(_ON_THE_WAY), _ahead(path)))
    return session.scalar(query) or 0
