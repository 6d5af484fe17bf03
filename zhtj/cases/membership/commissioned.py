"""定向委培: what a decided statement brings, that somebody's relation stays with the unit that sent him (T-27, PD-60).

It is no disposition. Whose relation lies with the unit stands in no register; a graduate who is still in a class is
marked and counts as before: without a transfer he is not completed (M-04).
"""

from __future__ import annotations

from zhtj.cases.models import Case
from zhtj.graduation import season_register
from zhtj.kernel import audit, clock
from zhtj.kernel.errors import DomainError
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.models import Region
from zhtj.people.models import Member
from zhtj.transfers import operations as transfers
from zhtj.transfers.kinds import basic_of
from zhtj.transfers.models import Application
from zhtj.transfers.queries import open_application


def check(person: Member) -> None:
    """Raise DomainError where a transfer is under way that nobody can take back any more (PD-16)."""
    found = open_application(person.id)
    if found is not None and not transfers.may_be_taken_back(found):
        raise DomainError(
            f"{found.to_org.short_name}已经同意接收{person.name}，申请不能再撤销。",
            fix="请与对方联系；转接完成后需要回原单位的，由对方办理转出。",
            field="purpose",
            rule="PD-16",
        )


def settle(person: Member, case: Case) -> str:
    """End the open application, mark the row of this season, tell unit and schools. Says in words what was done."""
    row, open_now = season_register.open_row(person.id, clock.now()), open_application(person.id)
    words = f"组织关系留在{person.org.short_name if row is None else '原单位'}"
    if open_now is not None:
        transfers.end_by_statement(open_now, f"定向委培，{words}（情况说明 {case.number}）")
    if row is not None:
        season_register.keep_with_unit(row, f"case:{case.id}")
    _tell(person, case, open_now, words)
    done = "正在办理的转接申请已撤销。" if open_now is not None else ""
    if row is None:
        return f"说明已存入本人材料，{words}。{done}"
    return f"说明已存入本人材料，名册标注“留在单位”。{done}仍计入本届，没有转出计为未完成。"


def _tell(person: Member, case: Case, ended: Application | None, words: str) -> None:
    """The unit and the schools, but for who decided or raised it and the two sides that hear of the end itself."""
    row = season_register.open_row(person.id, clock.now())
    places = [person.org, basic_of(person.org), row.origin and basic_of(row.origin) if row is not None else None]
    knows = {audit.actor().org_id, case.raised_org_id if case.raised_member_id is None else None}
    what = ""
    if ended is not None:
        places.append(basic_of(ended.to_org))
        knows |= {ended.from_org_id, ended.to_org_id}
        what = f"，转往{ended.to_org.short_name}的申请已撤销"
    told = {one.id: one for one in places if one is not None and one.system is Region.NATIONAL and one.id not in knows}
    body = f"{person.name}（{person.org.short_name}）属于定向委培，情况说明（{case.number}）已办结：{words}{what}。"
    notices.send_many(
        NewMessage(MessageKind.OUTCOME, "定向委培，组织关系留在原单位", body, org_id=number) for number in told
    )
