"""The menu: which entries each kind of seat has, the tabs below them, and which pages lie behind a tab.

One table, from which the frame, the page 更多 and the tests read. Whether a seat may open a tab says its view.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from zhtj.kernel.permissions import SeatKind
from zhtj.notices.waiting import WaitingKind
from zhtj.people.queries import SeatChoice
from zhtj.transfers.workflow import State


class Needs(StrEnum):
    """What an organisation must have for a tab to concern it."""

    GRADUATES = "graduates"
    FLOATING = "floating"
    TOWNSHIPS = "townships"

    def has(self, choice: SeatChoice) -> bool:
        """Whether the organisation of this seat has it."""
        return {
            Needs.GRADUATES: choice.has_graduates,
            Needs.FLOATING: choice.has_floating,
            Needs.TOWNSHIPS: choice.has_townships,
        }[self]


@dataclass(frozen=True, slots=True)
class MenuTab:
    """A page that the menu leads to, and what lies behind it.

    Args:
        page: endpoint within the role's blueprint.
        label: the term on the screen.
        behind: endpoints whose pages mark this tab too; ``letter_*`` means all that begin so.
        asks: arguments of its address.
        counts: the kind of waiting things of which it shows the number.
        steps: of the applications that wait only those at these steps; empty for all.
        needs: what the organisation must have; where something waits the tab is there all the same.
        names_own: its address names the seat's own organisation.
    """

    page: str
    label: str
    behind: tuple[str, ...] = ()
    asks: Mapping[str, str] = field(default_factory=dict)
    counts: WaitingKind | None = None
    steps: frozenset[str] = frozenset()
    needs: Needs | None = None
    names_own: bool = False

    def reach(self, endpoint: str) -> int:
        """How closely an endpoint belongs here: 0 not at all; the more of its name is said, the closer."""
        if endpoint == self.page:
            return 2 * len(endpoint)
        return max((len(name) for name in self.behind if fits(name, endpoint)), default=0)


def fits(name: str, endpoint: str) -> bool:
    """Whether an endpoint is this one, or begins as ``name*`` says."""
    return endpoint.startswith(name[:-1]) if name.endswith("*") else endpoint == name


@dataclass(frozen=True, slots=True)
class MenuSection:
    """An entry of the menu: an object of work with its tabs.

    Args:
        label: the term on the screen.
        tabs: its pages; the first is where the entry leads.
        on_bar: whether it stands on the bar below a phone's screen, which has room for four and 更多.
        is_waiting: whether it leads to what waits, and tells how much.
    """

    label: str
    tabs: tuple[MenuTab, ...]
    on_bar: bool = False
    is_waiting: bool = False


_ALLOCATED = frozenset({State.AWAITING_ALLOCATION.value})
_DECIDED = frozenset(state.value for state in State if state.is_open) - _ALLOCATED
_STARTING = ("transfer_out", "transfer_out_picked", "transfer_out_template")
_HOME = MenuSection("工作台", (MenuTab("home", "工作台"),), on_bar=True)
_APPROVE = MenuTab("waiting", "审批", ("bulk", "bulk_*"), counts=WaitingKind.APPLICATION, steps=_DECIDED)
_ALLOCATE = replace(_APPROVE, label="分配", behind=(), asks={"tab": "allocate"}, steps=_ALLOCATED)
_TOWNSHIPS = MenuTab("townships", "代办", needs=Needs.TOWNSHIPS)
_ARRIVALS = MenuTab(
    "arrivals", "新转入", ("arrival", "arrival_*", "arrivals_*"), {"status": "mine"}, counts=WaitingKind.ARRIVAL
)
_CASES = MenuTab("cases", "事项", ("case", "case_*", "cases_*", "special_units"), counts=WaitingKind.CASE)
_SPECIAL = MenuTab("special_units", "特殊单位")
_OBJECTIONS = MenuTab("objections", "申诉", ("answer_objection", "see_flag"), counts=WaitingKind.OBJECTION)
_RECEIPTS = MenuTab("letter_receipts", "催回执", asks={"side": "late"}, counts=WaitingKind.RECEIPT)
_TIMERS = MenuTab("timers", "全部时限", ("timers_*",))
_WAITING = MenuSection(
    "待办",
    (_APPROVE, _ALLOCATE, _ARRIVALS, _CASES, _OBJECTIONS, _RECEIPTS, _TIMERS),
    on_bar=True,
    is_waiting=True,
)
_WATCHING = replace(
    _WAITING,
    tabs=(_APPROVE, _ALLOCATE, _TOWNSHIPS, _ARRIVALS, _CASES, _OBJECTIONS, _RECEIPTS, _SPECIAL, _TIMERS),
)
_MEMBERS = MenuTab(
    "members",
    "花名册",
    (
        *(
            "member",
            "member_*",
            "advice",
            "code",
            "code_sheet",
            "identity",
            "sheet",
            "sheet_*",
            "duplicates",
            "compare",
        ),
        *("apart", "merge", "proposals", "propose", "keep_view", "forget_view", "import_members*"),
    ),
)
_FILES = MenuTab("files", "档案", ("file", "file_*", "files_*"))
_FLOATING = MenuTab("floating", "流动团员", ("floating_*", "onward_*", "import_floating*"), needs=Needs.FLOATING)
_STAYING = MenuTab("staying", "保留和出国", ("staying_*", "delayed", "delayed_*"), needs=Needs.GRADUATES)
_GRADUATES = MenuTab("graduates", "毕业生", ("graduates_*",), needs=Needs.GRADUATES)
_DESTINATIONS = MenuTab("destinations", "去向登记", ("destination", "import_destinations*"), needs=Needs.GRADUATES)
_MARKING = MenuTab(
    "marking", "毕业时间标记", ("marking_*", "mark", "mark_change", "member_marks"), needs=Needs.GRADUATES
)
_LIAISONS = MenuTab(
    "liaisons",
    "负责人",
    (
        "liaisons_*",
        "import_liaisons*",
    ),
    needs=Needs.GRADUATES,
)
_LEFTOVERS = MenuTab("leftovers", "往届", needs=Needs.GRADUATES)
_EXCEPTIONS = MenuTab("exceptions", "特殊情况", ("exception", "exception_*"))
_APPLICATIONS = MenuTab(
    "applications",
    "申请",
    ("application", "ask", "decide", "amend", "object", "redirect", "evidence", "secret_unit", "run", "run_*"),
)
_TRANSFER_IN = MenuTab("transfer_in", "办理转入", ("transfer_in_*",))
_TRANSFER_OUT = MenuTab("transfer_out_many", "办理转出", _STARTING)
_WAITS = MenuTab("waits", "等待名单")
_LETTERS = MenuTab("letters", "介绍信", ("letter_*",))
_SLIPS = MenuTab("letter_receipts", "回执")
_STUBS = MenuTab("letter_stubs", "存根", ("letter_stubs_*",))
_SEALS = MenuTab("letter_settings", "印模", ("letter_seal*", "letter_authorise", "letter_unauthorise"))
_PAPERS = (_LETTERS, _SLIPS, _STUBS)
# The pages of the figures name one another, and keep whose and which season's are asked for.
FIGURES = (
    MenuTab("rates", "指标", ("rates_people",)),
    MenuTab("rates_ranking", "实时通报", ("rates_notice", "rates_notice_pdf")),
    MenuTab("rates_curve", "进度曲线"),
    MenuTab("rates_map", "地区图"),
    MenuTab("rates_stuck", "卡在哪里", ("rates_stuck_*",)),
    MenuTab("rates_receiving", "接收情况", ("rates_receiving_*",)),
    MenuTab("rates_statistics", "毕业生统计", ("rates_statistics_*",)),
    MenuTab("quality", "去向质量", ("quality_list",)),
)
_FIGURES = MenuSection("数据", FIGURES, on_bar=True)
_ORGANISATIONS = MenuSection(
    "组织",
    (
        MenuTab(
            "organisations",
            "下级组织",
            ("organisation", "organisation_*", "import_organisations*", "posts", "appoint", "post_code", "end_post"),
        ),
        MenuTab("tree", "组织树", ("tree_level",)),
        MenuTab("emptied", "空的毕业生团组织", ("emptied_close",), needs=Needs.GRADUATES),
        MenuTab("editions", "试行政策", ("edition", "edition_*")),
    ),
)
_TRANSFERS = MenuSection("转接", (_APPLICATIONS, _TRANSFER_IN, _TRANSFER_OUT, _WAITS))
_GRADUATION = MenuSection("毕业季", (_GRADUATES, _DESTINATIONS, _MARKING, _LIAISONS, _LEFTOVERS, _EXCEPTIONS))
_PEOPLE = MenuSection("团员", (_MEMBERS, _FILES, _FLOATING, _STAYING), on_bar=True)

MEMBER = (
    MenuSection(
        "我的",
        (
            MenuTab(
                "home",
                "组织关系",
                (
                    *("application", "again", "amend", "object", "redirect", "withdraw", "transfer_*", "advice"),
                    *("advice_apply", "guide", "stay", "wait", "wait_leave", "floating"),
                ),
            ),
            MenuTab("destination", "登记去向"),
            MenuTab("letters", "介绍信", ("letter", "letter_page")),
        ),
        on_bar=True,
    ),
    MenuSection("办过的事", (MenuTab("history", "转接历史"), _CASES), on_bar=True),
    MenuSection("消息", (MenuTab("messages", "消息", ("message", "messages_read")),), on_bar=True),
    MenuSection(
        "资料",
        (
            MenuTab("me", "我的资料"),
            MenuTab("file", "入团材料", ("file_open",)),
            MenuTab("sheet", "登记表", ("sheet_print",)),
        ),
        on_bar=True,
    ),
)
BRANCH = (
    _HOME,
    _WAITING,
    MenuSection("团员", (_MEMBERS, _GRADUATES, _DESTINATIONS, _LEFTOVERS, _FILES, _FLOATING, _STAYING), on_bar=True),
    _TRANSFERS,
    _FIGURES,
)
COLLEGE = (
    _HOME,
    _WAITING,
    _GRADUATION,
    _PEOPLE,
    replace(_TRANSFERS, tabs=(*_TRANSFERS.tabs, *_PAPERS)),
    _FIGURES,
    _ORGANISATIONS,
)
SCHOOL = (
    _HOME,
    _WAITING,
    _GRADUATION,
    replace(_PEOPLE, tabs=(*_PEOPLE.tabs, *_TRANSFERS.tabs)),
    MenuSection("文书", _PAPERS),
    _FIGURES,
    _ORGANISATIONS,
)
# Employers, townships, parks: they receive, and have no graduates of their own.
UNIT = (
    _HOME,
    _WAITING,
    replace(_PEOPLE, tabs=(*_PEOPLE.tabs, *_GRADUATION.tabs)),
    replace(_TRANSFERS, tabs=(*_TRANSFERS.tabs, *_PAPERS)),
    _ORGANISATIONS,
    _FIGURES,
)
LEADING = (
    _HOME,
    _WATCHING,
    _FIGURES,
    _TRANSFERS,
    _ORGANISATIONS,
    MenuSection("查询", (replace(_MEMBERS, label="团员"), *_GRADUATION.tabs, *_PEOPLE.tabs[1:]), on_bar=True),
)
# Behind the name of the seat, on every page of whoever holds a post.
SEAT = (
    # A branch, which has nothing below it, sees its own page in the tree there.
    MenuTab("own", "本组织资料", ("own_change", "organisations", "organisation", "tree", "tree_level")),
    MenuTab("posts", "任职", names_own=True),
    _SEALS,
    MenuTab("rates_tokens", "接口令牌", ("rates_token_*",)),
    MenuTab("exports", "我的导出", ("export", "export_*")),
)
HELP = (("public.help_page", "帮助"), ("public.advice", "去向顾问"), ("public.offices", "办公室电话"))
# Reached from the header; they belong to no entry.
HEADER = frozenset({"more", "messages", "message", "messages_read", "addresses", "address_*"})


def sections_of(choice: SeatChoice) -> tuple[MenuSection, ...]:
    """The entries of a seat, with all the tabs it could have."""
    kind = choice.seat.kind
    if kind in {SeatKind.COLLEGE, SeatKind.SCHOOL} and not choice.has_graduates:
        return UNIT
    return {
        SeatKind.MEMBER: MEMBER,
        SeatKind.BRANCH: BRANCH,
        SeatKind.COLLEGE: COLLEGE,
        SeatKind.SCHOOL: SCHOOL,
        SeatKind.PROVINCIAL: LEADING,
    }[kind]


def closest(
    sections: tuple[MenuSection, ...], endpoint: str, said: Mapping[str, str]
) -> tuple[MenuSection, MenuTab] | None:
    """The entry and tab to which a page belongs; of two tabs of one page the one whose arguments are said.

    Args:
        sections: of the menu that is shown.
        endpoint: within the role's blueprint.
        said: arguments of the address.
    """
    found = [(section, tab) for section in sections for tab in section.tabs if tab.reach(endpoint)]
    return max(found, key=lambda one: _closeness(one[1], endpoint, said), default=None)


def _closeness(tab: MenuTab, endpoint: str, said: Mapping[str, str]) -> tuple[int, int]:
    fits = all(said.get(name) == value for name, value in tab.asks.items())
    return tab.reach(endpoint), (len(tab.asks) if fits else -1)


def pages(sections: tuple[MenuSection, ...]) -> Iterator[MenuTab]:
    """All tabs of a menu, in its order."""
    return (tab for section in sections for tab in section.tabs)
