"""The frame around every page: seat, menu with counts, clock banner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, request, url_for
from flask_login import current_user

from zhtj.kernel import clock
from zhtj.kernel.permissions import SeatKind
from zhtj.notices import queries as notices
from zhtj.notices import waiting
from zhtj.notices.waiting import WaitingKind
from zhtj.people.queries import SeatChoice
from zhtj.transfers.workflow import State
from zhtj.web.access import current_choice, current_seat, seat_choices

WAITING = "waiting"
GRADUATES, ARRIVALS, FLOATING, MARKING = "graduates", "arrivals", "floating", "marking"
RATES = "rates"
# Endpoint within the role's blueprint and its label, in the order of the menu.
MENU: Mapping[SeatKind, tuple[tuple[str, str], ...]] = {
    SeatKind.MEMBER: (("home", "我的组织关系"), ("history", "转接历史"), ("cases", "事项"), ("me", "我的资料")),
    SeatKind.BRANCH: (
        ("home", "工作台"),
        (WAITING, "待办"),
        ("applications", "转接申请"),
        (GRADUATES, "毕业生"),
        (RATES, "衔接率"),
        (ARRIVALS, "新转入"),
        (FLOATING, "流动团员"),
        ("members", "团员"),
        ("transfer_in", "办理转入"),
        ("cases", "事项"),
        ("timers", "时限"),
        ("own", "本组织"),
    ),
}
_COMMITTEE = (
    *MENU[SeatKind.BRANCH],
    ("objections", "申诉处理"),
    ("organisations", "下级组织"),
    (MARKING, "毕业时间标记"),
)
_MENUS = {
    **MENU,
    SeatKind.COLLEGE: _COMMITTEE,
    SeatKind.SCHOOL: (*_COMMITTEE, ("letters", "介绍信")),
    SeatKind.PROVINCIAL: _COMMITTEE,
}


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One entry of the main menu."""

    label: str
    href: str
    active: bool
    counted: bool = False

    @property
    def count(self) -> int:
        """How many wait there; asked by whole pages alone, as a fragment shows no menu."""
        return sum(waiting_kinds().values()) if self.counted else 0


def _concerns(choice: SeatChoice, name: str) -> bool:
    """Whether an entry of the menu has anything to do with the organisation; the workbench leads to all of them."""
    if name == ARRIVALS:
        return not choice.has_graduates
    return {
        GRADUATES: choice.has_graduates,
        MARKING: choice.has_graduates,
        FLOATING: choice.has_floating,
    }.get(name, True)


def home_of(kind: SeatKind) -> str:
    """Address of a role's workbench."""
    return url_for(f"{kind.value}.home")


def register(app: Flask) -> None:
    """Give every template what the frame needs."""
    app.context_processor(frame)


_UNREAD = notices.COUNT_OFFICE.scalar_subquery()


def waiting_counts() -> dict[State, int]:
    """Applications that wait for the active seat, by state."""
    found = ((step, number) for (kind, step), number in _counts().items() if kind == WaitingKind.APPLICATION)
    return {State(step): number for step, number in found if number}


def waiting_kinds() -> dict[WaitingKind, int]:
    """What waits for the active seat, by kind; kinds of which nothing waits are missing (PD-19)."""
    found: Counter[WaitingKind] = Counter()
    for (kind, _), number in _counts().items():
        if kind and number:
            found[WaitingKind(kind)] += number
    return {kind: found[kind] for kind in WaitingKind if kind in found}


def unread_messages() -> int:
    """How many messages the active seat has not read yet."""
    seat = current_seat()
    return notices.count_unread(seat) if seat.kind is SeatKind.MEMBER else _counts()["", ""]


def _counts() -> dict[tuple[str, str], int]:
    """What waits for the organisation, by kind and step, and under no kind its unread messages; once a request."""
    if "waiting_counts" not in g:
        rows = waiting.counts(current_seat().org_id, _UNREAD)
        g.waiting_counts = {(kind, step): number for kind, step, number in rows}
    counts: dict[tuple[str, str], int] = g.waiting_counts
    return counts


def frame() -> dict[str, Any]:
    """Variables of base.html."""
    banner = f"本系统正在使用调整后的时间：{clock.local(clock.now()):%Y年%m月%d日 %H:%M}" if clock.is_changed() else ""
    values: dict[str, Any] = {"clock_banner": banner}
    choice = current_choice() if current_user.is_authenticated else None
    if choice is None:
        return values
    kind = choice.seat.kind
    blueprint, _, here = (request.endpoint or "").partition(".")
    values["navigation"] = [
        MenuEntry(
            label,
            url_for(f"{kind.value}.{name}"),
            active=blueprint == kind.value and (here == name or (name == RATES and here.startswith(RATES))),
            counted=name == WAITING,
        )
        for name, label in _MENUS[kind]
        if _concerns(choice, name)
    ]
    values["unread_messages"] = unread_messages
    values["messages_url"] = url_for(f"{kind.value}.messages")
    values["seat"] = {"organisation": choice.organisation, "post": choice.label}
    values["seats"] = [
        {"id": one.key, "organisation": one.organisation, "post": one.label, "active": one.key == choice.key}
        for one in seat_choices()
    ]
    values["home"] = home_of(kind)
    values["user_name"] = current_user.name
    return values
