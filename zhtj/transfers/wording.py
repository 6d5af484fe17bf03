"""What messages about an application say: what happened, and what each party does now (PD-18, PD-20, A-07). Pure.

A text is put together from two tables: one sentence for the action, one for the state it led to as the reader stands
to it. Whole and in plain words: it is copied into a class chat as it is. No ID number, no telephone number, and of a
special unit only the generic destination (S-09).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from zhtj.notices.models import TITLE_AT_MOST, MessageKind
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import Action, State

# What somebody types may hold an ID or telephone number; no message passes one on.
LONG_NUMBER = re.compile(r"(?:0\d{2,3}-)?\d{7,}[Xx]?")


class Reader(StrEnum):
    """As what somebody reads about an application (收信人)."""

    MEMBER = "member"
    OLD_SIDE = "old_side"
    NEW_SIDE = "new_side"
    STARTER = "starter"
    SUPERIOR = "superior"


@dataclass(frozen=True, slots=True)
class Matter:
    """What is told.

    Args:
        name: the member's.
        old, new: names of the two sides as screens show them.
        final: where he has arrived.
        starter: who started it, in words.
        actor: who acted, in words.
        ground, remark: of a refusal and the like; "" where a reader may not see it.
        deadline: until when it has to be decided, in words; "" where no clock runs.
        special: into the special units' pool.
        lapsed: name of the organisation that let it lapse.
        decider: who decides in place of the new side; "" where that decides itself (PD-58).
    """

    name: str
    old: str
    new: str
    final: str = ""
    starter: str = ""
    actor: str = ""
    ground: str = ""
    remark: str = ""
    deadline: str = ""
    special: bool = False
    lapsed: str = ""
    decider: str = ""


HAPPENED = {
    Action.SUBMIT: "已提交，由{starter}发起。",
    Action.RELEASE: "：{old}已同意转出。",
    Action.ACCEPT: "：{new}已同意转入。",
    Action.ALLOCATE: "：已分配到{final}。",
    Action.TAKE_OVER: "：因{new}暂不能接收，已由县级团委接收到{final}。",
    Action.APPROVE: "：省级团委已批准。",
    Action.CONFIRM: "：对方系统已接收。",
    Action.FAIL: "：对方系统没有接收。{why}",
    Action.REFUSE: "未获同意。{why}",
    Action.AMEND: "的内容有修改，请以修改后的为准。",
    Action.WITHDRAW: "已撤销，由{actor}办理。{why}",
    Action.RETURN: "在期限内没有办理，系统已自动退回。",
    Action.OBJECT: "未获同意，申请人提出申诉。{why}",
    Action.SUSTAIN: "的申诉得到支持。{why}",
    Action.DISMISS: "的申诉没有得到支持。{why}",
}
TITLES = {
    Action.SUBMIT: "已提交",
    Action.RELEASE: "已同意转出",
    Action.ACCEPT: "已同意转入",
    Action.APPROVE: "已批准",
    Action.REFUSE: "未获同意",
    Action.AMEND: "有修改",
    Action.WITHDRAW: "已撤销",
    Action.RETURN: "超期退回",
    Action.FAIL: "对方系统没有接收",
    Action.OBJECT: "提出申诉",
    Action.SUSTAIN: "申诉得到支持",
    Action.DISMISS: "申诉没有得到支持",
}
# Whose turn it is in a state, and what he is asked to do.
TURN = {
    State.AWAITING_RELEASE: (Reader.OLD_SIDE, "请在“待办”中同意转出，不同意的请写明理由。"),
    State.AWAITING_ACCEPTANCE: (Reader.NEW_SIDE, "请在“待办”中审批，不同意的请写明理由。"),
    State.AWAITING_ALLOCATION: (Reader.NEW_SIDE, "请在“待办”中尽快分配到团支部，分配后转接完成。"),
    State.AWAITING_PROVINCE: (Reader.NEW_SIDE, "请在“待办”中核对后批准，不同意的请写明理由。"),
    State.AWAITING_EXTERNAL: (Reader.OLD_SIDE, "请与对方联系，把对方系统的处理结果登记到“待办”中。"),
}
WAITS = {
    State.AWAITING_RELEASE: "现在等待{old}同意转出。",
    State.AWAITING_ACCEPTANCE: "现在等待{decider}审批。",
    State.AWAITING_ALLOCATION: "现在等待{new}分配团支部，分配后转接完成。",
    State.AWAITING_PROVINCE: "现在等待省级团委审批。",
    State.AWAITING_EXTERNAL: "现在等待对方系统处理，结果由{old}登记。",
}
LISTED = 40  # lines of a message about many
AGAIN = "团员本人、转出组织、转入组织都可以重新发起，原来填写的内容会自动带出。"
ENDS = {
    (State.COMPLETED, Reader.MEMBER): "您的组织关系已转入{final}，请主动与该组织联系报到。",
    (State.COMPLETED, Reader.OLD_SIDE): "组织关系已转到{final}，不再由贵组织管理。",
    (State.COMPLETED, Reader.NEW_SIDE): "{name}已转入{final}，请尽快与本人联系，更新信息，安排报到，接续团费。",
    (State.COMPLETED, Reader.STARTER): "组织关系已转到{final}。",
    (State.REFUSED, Reader.MEMBER): (
        "接下来您可以：认为理由不成立的，申诉一次，由对方的上级核实；去向有变的，改选组织；信息有误的，改正后重新发起。"
        "原来填写的内容会自动带出。"
    ),
    (State.REFUSED, Reader.OLD_SIDE): "请联系本人核对去向：可以申诉一次，也可以改选组织或改正后重新发起。",
    (State.REFUSED, Reader.STARTER): "请核对去向：可以申诉一次，也可以改选组织或改正后重新发起。",
    (State.RETURNED, Reader.MEMBER): "去向无误的请重新发起，原来填写的内容会自动带出；也可以请所在组织与对方联系。",
    (State.RETURNED, Reader.OLD_SIDE): f"请与对方联系，核对本人去向，尽快重新发起。{AGAIN}",
    (State.RETURNED, Reader.NEW_SIDE): f"请与本人联系。确属贵组织接收的，可以直接办理转入。{AGAIN}",
    (State.RETURNED, Reader.STARTER): f"请核对去向，尽快重新发起。{AGAIN}",
    (State.RETURNED, Reader.SUPERIOR): "{lapsed}没有按时办理，请了解情况，督促办理。",
    (State.FAILED_EXTERNAL, Reader.MEMBER): "请按对方的意见改正后重新发起，需要时请所在组织协调。",
    (State.FAILED_EXTERNAL, Reader.OLD_SIDE): "请联系本人，按对方的意见改正后重新发起。",
    (State.FAILED_EXTERNAL, Reader.STARTER): "请按对方的意见改正后重新发起。",
}
SPECIAL_ENDS = {
    (State.COMPLETED, Reader.MEMBER): "您的组织关系已按{new}转出，转接完成，不能撤回。",
    (State.COMPLETED, Reader.OLD_SIDE): "组织关系已按{new}转出，不再由贵组织管理。",
    (State.COMPLETED, Reader.STARTER): "组织关系已按{new}转出。",
    (State.REFUSED, Reader.MEMBER): "请按意见改正后重新发起，原来填写的内容会自动带出。",
    (State.REFUSED, Reader.OLD_SIDE): "请联系本人，按意见改正后重新发起。",
    (State.REFUSED, Reader.STARTER): "请按意见改正后重新发起。",
}
# An objection leaves the state as it is: these stand in place of how an ended application goes on.
OBJECTIONS = {
    (Action.OBJECT, Reader.SUPERIOR): "请在“申诉”中核实，作出处理。",
    (Action.SUSTAIN, Reader.MEMBER): "您没有其他正在办理的申请时，会重新送到{new}审批。",
    (Action.SUSTAIN, Reader.NEW_SIDE): "本人没有其他正在办理的申请时，会重新送到贵组织，请按处理意见审批。",
    (Action.DISMISS, Reader.MEMBER): "您可以改选组织，或改正后重新发起，原来填写的内容会自动带出。",
    (Action.DISMISS, Reader.OLD_SIDE): "请联系本人，改选组织或改正后重新发起。",
    (Action.DISMISS, Reader.STARTER): "请改选组织，或改正后重新发起。",
}
FLAGGED = "不同意的说明里出现了按规定不得作为理由的情况（不是正式职工或不是本地户籍），请核实并督促改正。"
ABOUT_OBJECTIONS = frozenset({Action.OBJECT, Action.SUSTAIN, Action.DISMISS})


def text(matter: Matter, action: Action, after: State, reader: Reader) -> tuple[MessageKind, str, str]:
    """Kind, title and whole text of the message about one step for one reader."""
    turn = after in TURN and TURN[after][0] is reader and action is not Action.AMEND
    what = f"转接申请（{matter.old} → {matter.new}）"
    happened = HAPPENED.get(action, f"：{action.label}。").format(
        old=matter.old,
        new=matter.new,
        final=matter.final,
        starter=_person(matter.starter, reader),
        actor=_person(matter.actor, reader),
        why=why(matter),
    )
    whose = "您的" if reader is Reader.MEMBER else f"{matter.name}的"
    body = f"{whose}组织关系{what}{happened}{_ahead(matter, action, after, reader)}"
    return _kind(after, action, turn=turn), _title(matter, action, after, reader, turn=turn), body


def text_of_many(
    matters: Sequence[Matter], action: Action, after: State, reader: Reader
) -> tuple[MessageKind, str, str]:
    """The same about many applications that took one step together: one message that lists them."""
    turn = after in TURN and TURN[after][0] is reader and action is not Action.AMEND
    number = f"{len(matters)} 份转接申请"
    happened = TITLES.get(action, action.label)
    lines = [f"· {one.name}（{one.old} → {one.new}）" for one in matters[:LISTED]]
    if len(matters) > LISTED:
        lines.append(f"· ……共 {len(matters)} 份")
    together = Matter(
        name="上述团员",
        old=_common((one.old for one in matters), "原组织"),
        new=_common((one.new for one in matters), "转入组织"),
        final=_common((one.final for one in matters), "新的组织"),
        decider=_common((one.decider for one in matters), "上级团组织"),
        lapsed=_common((one.lapsed for one in matters), "有关组织"),
        ground=_common((one.ground for one in matters), ""),
        remark=_common((one.remark for one in matters), ""),
        # All of one step began on one day or another; the nearest end is what counts.
        deadline=min((one.deadline for one in matters), key=_day, default=""),
        special=all(one.special for one in matters),
    )
    body = "\n".join(
        [f"以下 {number}{happened}：{why(together)}", *lines, _ahead(together, action, after, reader)]
    ).strip()
    title = f"请办理：{number}（{after.label}）" if turn else f"{number}{_outcome(after) or happened}"
    return _kind(after, action, turn=turn), title, body


def _outcome(after: State) -> str:
    return "已完成" if after is State.COMPLETED else ""


def _common(values: Iterable[str], otherwise: str) -> str:
    found = set(values)
    return found.pop() if len(found) == 1 else otherwise


def _day(deadline: str) -> tuple[int, ...]:
    """The order of 9月30日 and 10月1日."""
    return tuple(int(number) for number in re.findall(r"\d+", deadline))


def _person(words: str, reader: Reader) -> str:
    return "您" if reader is Reader.MEMBER and words == "本人" else words


def why(matter: Matter) -> str:
    """Coded ground and remark, as far as they are told."""
    ground = Ground(matter.ground).label if matter.ground in set(Ground) else ""
    remark = LONG_NUMBER.sub("（号码略）", matter.remark.rstrip("。 "))
    return (f"理由：{ground}。" if ground else "") + (f"说明：{remark}。" if remark else "")


def _ahead(matter: Matter, action: Action, after: State, reader: Reader) -> str:
    if action in ABOUT_OBJECTIONS:
        words = OBJECTIONS.get((action, reader), "")
    elif after in TURN:
        whose, ask = TURN[after]
        words = ask if whose is reader and action is not Action.AMEND else WAITS[after]
        words += f"请在{matter.deadline}前办理，逾期系统自动退回。" if matter.deadline and whose is reader else ""
        words += f"办理期限到{matter.deadline}。" if matter.deadline and whose is not reader else ""
    else:
        table = SPECIAL_ENDS if matter.special and (after, reader) in SPECIAL_ENDS else ENDS
        words = table.get((after, reader), "")
    return words.format(
        old=matter.old,
        new=matter.new,
        final=matter.final,
        name=matter.name,
        lapsed=matter.lapsed,
        decider=matter.decider or matter.new,
    )


def _kind(after: State, action: Action, *, turn: bool) -> MessageKind:
    if turn or action is Action.OBJECT:
        return MessageKind.TASK
    return MessageKind.PROGRESS if after.is_open else MessageKind.OUTCOME


def _title(matter: Matter, action: Action, after: State, reader: Reader, *, turn: bool) -> str:
    whose = "" if reader is Reader.MEMBER else f"{cut(matter.name, 30)}的"
    if turn:
        return f"请办理：{whose}转接申请（{after.label}）"
    if after is State.COMPLETED:
        return f"{whose}组织关系转接完成"
    return f"{whose}转接申请{TITLES.get(action, action.label)}"


def cut(words: str, length: int = TITLE_AT_MOST) -> str:
    """At most ``length`` signs."""
    return words if len(words) <= length else words[: length - 1] + "…"


def flagged(matter: Matter) -> tuple[MessageKind, str, str]:
    """For the level above: a refusal that hides a forbidden ground (A-16, PD-17)."""
    body = f"{matter.name}的组织关系转接申请（{matter.old} → {matter.new}）未获同意。{why(matter)}{FLAGGED}"
    return MessageKind.OUTCOME, f"请核实：{cut(matter.name, 30)}的申请被拒收的理由", body


def duties_pass(matter: Matter, post: str, reader: Reader) -> tuple[MessageKind, str, str]:
    """A secretary applies to leave: he and his direct superior are told who goes on with his work (PD-21, U-23)."""
    ends = "转接完成后，该职务同时结束；该组织没有其他管理员时，工作由直接上级代为办理，直到确定新的管理员。"
    where = cut(matter.old, 30)
    if reader is Reader.MEMBER:
        title = f"您担任{where}{post}，请安排好工作交接"
        body = f"您担任{matter.old}{post}。{ends}请在离开前做好交接，最好先请上级更换管理员。"
    else:
        title = f"{where}{post}{cut(matter.name, 20)}申请转出，请确定接任人"
        body = f"{matter.old}{post}{matter.name}已申请转出组织关系。{ends}请尽快确定接任人。"
    return MessageKind.DUTIES, title, body
