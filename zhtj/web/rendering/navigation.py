"""The frame around every page: seat, menu with counts, clock banner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_login import current_user

from zhtj.kernel import clock
from zhtj.kernel.permissions import Permission, SeatKind
from zhtj.notices import queries as notices
from zhtj.notices import waiting
from zhtj.notices.waiting import WaitingKind
from zhtj.people.queries import SeatChoice
from zhtj.transfers.workflow import State
from zhtj.web.access import current_choice, current_seat, seat_choices
from zhtj.web.rendering import menu
from zhtj.web.rendering.menu import MenuSection, MenuTab


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One link of the menu, as the page shows it.

    Args:
        current: value of ``aria-current``: ``page`` on its own page, ``true`` on those behind it, else "".
        on_bar: whether it stands on the bar below a phone's screen.
        counter: how many wait there; asked by whole pages alone, as a fragment shows no menu.
        key: by which the number is found again when a decision in place changes it; "" where there is none.
    """

    label: str
    href: str
    current: str = ""
    on_bar: bool = False
    counter: Callable[[], int] = int
    key: str = ""

    @property
    def count(self) -> int:
        """How many wait there."""
        return self.counter()


class Menu:
    """The menu of one seat on the page that is asked for; nothing of it is made before it is shown."""

    def __init__(self, choice: SeatChoice) -> None:
        self.choice = choice
        self.sections = menu.sections_of(choice)
        blueprint, _, endpoint = (request.endpoint or "").partition(".")
        self._endpoint = endpoint if blueprint == choice.seat.kind else ""
        self._here = menu.closest(self.sections, self._endpoint, request.args) if self._endpoint else None

    @cached_property
    def entries(self) -> list[MenuEntry]:
        """The main menu."""
        return [self._entry(section) for section in self.sections]

    @property
    def section(self) -> str:
        """Label of the entry whose page this is; "" where it belongs to none."""
        return self._here[0].label if self._here else ""

    @property
    def tabs(self) -> list[MenuEntry]:
        """The tabs of that entry; nothing where it has but one page."""
        found = self.tabs_of(self._here[0]) if self._here else []
        return found if len(found) > 1 else []

    def tabs_with(self, address: Callable[[str], str | None]) -> list[MenuEntry]:
        """The same tabs with addresses of one's own, by page; None leaves that of the menu."""
        if self._here is None:
            return []
        tabs = self._shown(self._here[0])
        return [replace(self._tab(tab), href=address(tab.page) or self._href(tab)) for tab in tabs]

    @property
    def waiting(self) -> list[MenuEntry]:
        """Whatever shows how much waits: the entry and its tabs."""
        section = next((one for one in self.sections if one.is_waiting), None)
        if section is None:
            return []
        return [self._entry(section), *(tab for tab in self.tabs_of(section) if tab.key)]

    @property
    def groups(self) -> list[tuple[str, list[MenuEntry]]]:
        """Everything there is, entry by entry."""
        return [(section.label, self.tabs_of(section)) for section in self.sections]

    @property
    def seat(self) -> list[MenuEntry]:
        """What stands behind the name of the seat."""
        if self.choice.seat.kind is SeatKind.MEMBER:
            return []
        return [self._tab(tab) for tab in menu.SEAT if self._may(tab)]

    @property
    def own(self) -> list[MenuEntry]:
        """Everything of the seat and of whoever sits there."""
        inbox = MenuEntry("消息", self._address("messages"))
        account = MenuEntry("我的账号", url_for("auth.account"))
        return [inbox, *self.seat, account]

    @property
    def help(self) -> list[MenuEntry]:
        """Where one asks."""
        return [MenuEntry(label, url_for(endpoint)) for endpoint, label in menu.HELP]

    @property
    def more(self) -> MenuEntry:
        """The way to everything, on the bar below a phone's screen."""
        beside = self._here is not None and not self._here[0].on_bar
        current = "page" if self._endpoint == "more" else "true" if beside else ""
        return MenuEntry("更多", self._address("more"), current)

    @property
    def messages(self) -> str:
        """Address of the inbox."""
        return self._address("messages")

    def tabs_of(self, section: MenuSection) -> list[MenuEntry]:
        """The tabs of an entry that concern this seat, and those where something waits."""
        return [self._tab(tab) for tab in self._shown(section)]

    def _shown(self, section: MenuSection) -> list[MenuTab]:
        return [tab for tab in section.tabs if self._may(tab) and self._concerns(tab)]

    def _concerns(self, tab: MenuTab) -> bool:
        return tab.needs is None or tab.needs.has(self.choice) or _count_of(tab) > 0

    def _may(self, tab: MenuTab) -> bool:
        return self.choice.seat.may(permission_of(self.choice.seat.kind, tab.page))

    def _tab(self, tab: MenuTab) -> MenuEntry:
        here = self._here is not None and tab is self._here[1]
        current = ("page" if tab.page == self._endpoint else "true") if here else ""
        key = f"{tab.page}-{tab.asks.get('tab', '')}".strip("-") if tab.counts else ""
        return MenuEntry(tab.label, self._href(tab), current, counter=lambda: _count_of(tab), key=key)

    def _entry(self, section: MenuSection) -> MenuEntry:
        current = "true" if self._here is not None and self._here[0] is section else ""
        if current and self._endpoint == section.tabs[0].page:
            current = "page"
        if not section.is_waiting:
            return MenuEntry(section.label, self._href(self._shown(section)[0]), current, section.on_bar)
        # It leads to the first of its tabs where something is to be done.
        full = next((tab for tab in section.tabs if _count_of(tab)), section.tabs[0])
        return MenuEntry(section.label, self._href(full), current, section.on_bar, count_waiting, "all")

    def _href(self, tab: MenuTab) -> str:
        own = {"organisation_id": self.choice.seat.org_id} if tab.names_own else {}
        return self._address(tab.page, **tab.asks, **own)

    def _address(self, page: str, **asks: Any) -> str:
        return url_for(f"{self.choice.seat.kind.value}.{page}", **asks)


def permission_of(kind: SeatKind, page: str) -> Permission:
    """What the view of a page of this seat's desk asks for."""
    view: Any = current_app.view_functions[f"{kind.value}.{page}"]
    return Permission(view.permission)


def _count_of(tab: MenuTab) -> int:
    if tab.counts is None:
        return 0
    steps = tab.steps
    return sum(n for (kind, step), n in _counts().items() if kind == tab.counts and (not steps or step in steps))


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


def count_waiting() -> int:
    """All that waits for the active seat: the badge."""
    return sum(waiting_kinds().values())


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
    values["menu"] = Menu(choice)
    values["unread_messages"] = unread_messages
    values["seat"] = {"organisation": choice.organisation, "post": choice.label}
    values["seats"] = [
        {"id": one.key, "organisation": one.organisation, "post": one.label, "active": one.key == choice.key}
        for one in seat_choices()
    ]
    values["home"] = home_of(choice.seat.kind)
    values["user_name"] = current_user.name
    return values
