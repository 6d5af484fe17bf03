"""After the conversion a change of marks is told to branch, school and city (PD-59)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import func, select

from zhtj.graduation.events import MarksChanged
from zhtj.graduation.models import MarkChange
from zhtj.kernel.database import among, session
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.models import LEADING_TIERS, Organisation, Tier
from zhtj.people.models import Member
from zhtj.transfers.kinds import basic_of
from zhtj.transfers.models import Application
from zhtj.transfers.workflow import OPEN

NAMED = 10


def tell(event: MarksChanged) -> None:
    """Tell the branch, its school and the city above what was changed and whom that concerns."""
    changes = session.scalars(select(MarkChange).where(among(MarkChange.id, event.ids)).order_by(MarkChange.id)).all()
    heard: dict[int, list[str]] = defaultdict(list)
    for change in changes:
        branch = session.get_one(Organisation, change.org_id)
        text = f"{branch.short_name}：{said(change)}"
        for place in _places(branch):
            heard[place].append(text)
    notices.send_many(_messages(heard))


def _messages(heard: dict[int, list[str]]) -> Iterator[NewMessage]:
    for place, lines in heard.items():
        body = "\n".join([*lines, "已列在衔接率页面下方。正在办理的申请照常办理。"])
        yield NewMessage(MessageKind.NOTE, "转换以后的毕业时间标记有更改", body, org_id=place)


def _places(branch: Organisation) -> list[int]:
    """The branch, its school, the city above it (of a school right below a province: the province)."""
    school = basic_of(branch)
    above = select(Organisation).where(Organisation.path.in_(branch.line), Organisation.tier.in_(LEADING_TIERS))
    leading = {one.tier: one for one in session.scalars(above)}
    city = leading.get(Tier.CITY) or leading.get(Tier.PROVINCE)
    return list(dict.fromkeys(one.id for one in (branch, school, city) if one is not None))


def said(change: MarkChange) -> str:
    """One change in a sentence: what, whom it concerns, what runs, why."""
    parts = [change.what]
    parts += [f"{_names(change.gone)}不再计入本届"] if change.gone else []
    parts += [f"{_names(change.come)}计入本届"] if change.come else []
    open_now = session.scalar(
        select(func.count())
        .select_from(Application)
        .where(among(Application.member_id, [*change.gone, *change.come]), Application.state.in_(OPEN))
    )
    parts += [f"其中 {open_now} 人有正在办理的申请"] if open_now else []
    return "，".join(parts) + (f"（{change.why}）。" if change.why else "。")


def _names(ids: Sequence[int]) -> str:
    query = select(Member).where(among(Member.id, ids[:NAMED])).order_by(Member.id)
    names = "、".join(one.name for one in session.scalars(query))
    return f"{names}等 {len(ids)} 人" if len(ids) > NAMED else names
