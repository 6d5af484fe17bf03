"""Who hears of a step: whoever has to act next, and whoever raised the case (PD-34)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from zhtj.cases.kinds import kind_of
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseAction
from zhtj.kernel import audit
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage

SUBJECT = "case"
# More than so many of one step reach an organisation as one message.
ONE_BY_ONE = 3
_TITLE = 80
Step = tuple[Case, CaseAction, str]


def tell(steps: Sequence[Step]) -> None:
    """Tell everybody concerned of these steps, taken together by one actor."""
    notices.send_many(_messages(steps))


def _messages(steps: Sequence[Step]) -> Iterator[NewMessage]:
    knows = audit.actor().org_id
    tasks: dict[int, list[Case]] = defaultdict(list)
    for case, action, remark in steps:
        if case.holder_id is not None and case.holder_id != knows:
            tasks[case.holder_id].append(case)
        if action not in {CaseAction.RAISE, CaseAction.WITHDRAW}:
            yield from _to_raiser(case, action, remark, knows)
        yield from _to_person(case, action, remark)
    for org_id, cases in tasks.items():
        yield from _to_holder(org_id, cases)


def _name(case: Case) -> str:
    return f"{kind_of(case.kind).label}：{case.title}" if case.title else kind_of(case.kind).label


def _to_raiser(case: Case, action: CaseAction, remark: str, knows: int | None) -> Iterator[NewMessage]:
    subject = (SUBJECT, case.id)
    if action is CaseAction.FORWARD:
        holder = case.holder.short_name if case.holder else ""
        passed = kind_of(case.kind).passing
        kind, title, body = MessageKind.PROGRESS, f"事项已{passed}", f"{_name(case)}，已{passed}{holder}。"
    else:
        kind, title = MessageKind.OUTCOME, f"事项{case.state.label}"
        more = case.outcome if action is CaseAction.APPROVE else f"原因：{remark}"
        body = f"{_name(case)}（编号 {case.number}）{case.state.label}。{more or ''}"
    if case.raised_member_id is not None:
        yield NewMessage(kind, title, body, member_id=case.raised_member_id, subject=subject)
    elif case.raised_org_id != knows:
        yield NewMessage(kind, title, body, org_id=case.raised_org_id, subject=subject)


def _to_person(case: Case, action: CaseAction, remark: str) -> Iterator[NewMessage]:
    """Whoever others have raised it for: he signs what has to be signed, and hears how it ended (PD-35, A-22)."""
    kind, subject = kind_of(case.kind), (SUBJECT, case.id)
    if not kind.personal or case.raised_member_id is not None or case.subject_id is None:
        return
    if action is CaseAction.RAISE and kind.paper is not None:
        body = f"{case.raised_org.short_name}为您提出了“{kind.label}”（编号 {case.number}）。请阅读并签名后再办理。"
        yield NewMessage(MessageKind.TASK, "请阅读并签名", body, member_id=case.subject_id, subject=subject)
    elif action in {CaseAction.APPROVE, CaseAction.REFUSE}:
        more = case.outcome if action is CaseAction.APPROVE else f"原因：{remark}"
        body = f"{kind.label}（编号 {case.number}）{case.state.label}。{more or ''}"
        yield NewMessage(
            MessageKind.OUTCOME, f"事项{case.state.label}", body, member_id=case.subject_id, subject=subject
        )


def _to_holder(org_id: int, cases: Sequence[Case]) -> Iterator[NewMessage]:
    if len(cases) > ONE_BY_ONE:
        names = "、".join(dict.fromkeys(kind_of(case.kind).label for case in cases))
        title = f"有 {len(cases)} 件事项待办理"
        yield NewMessage(
            MessageKind.NOTE, title[:_TITLE], f"{names}，共 {len(cases)} 件，请到“事项”中办理。", org_id=org_id
        )
        return
    for case in cases:
        what = "请核实后决定。" if case.is_last else f"请核实后{kind_of(case.kind).passing}。"
        body = f"{_name(case)}（编号 {case.number}），由{case.raised_org.short_name}提出。{what}"
        yield NewMessage(MessageKind.TASK, "新的事项", body, org_id=org_id, subject=(SUBJECT, case.id))


def ask_refusal(case: Case, name: str, why: str) -> None:
    """Tell whoever has the case that the member himself asks not to grant it (A-22)."""
    if case.holder_id is None:
        return
    body = f"{name}请求不同意{_name(case)}（编号 {case.number}）。{f'原因：{why}' if why else ''}"
    notices.send(
        NewMessage(MessageKind.TASK, "本人请求不同意", body, org_id=case.holder_id, subject=(SUBJECT, case.id))
    )
    audit.record("case.ask_refusal", "case", case.id, why=why or None)
