"""The season's graduates: who is where, who must act, whom to urge (A-11, A-29, T-33)."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from typing import Any

from flask import render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock, dates
from zhtj.kernel.permissions import Permission, SeatKind
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import policy_of
from zhtj.people.finding import search
from zhtj.policy.model import Policy
from zhtj.transfers.watching import graduates
from zhtj.transfers.watching.graduates import AGAIN, CATEGORIES, DONE, NOT_STARTED, STEPS, Counts, Due, GraduateFilters
from zhtj.transfers.workflow import OPEN
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.exporting import answer
from zhtj.web.desks.loading import cursors, load_organisation, own_organisation, page_links
from zhtj.web.rendering import formatters
from zhtj.web.rendering.words import Options

NAMES = 2000
"""Names in the texts for class chats at once; a longer list is narrowed first."""


@routes.desk.get("/graduates", endpoint="graduates")
@requires(Permission.TRANSFER_VIEW)
def list_graduates() -> str:
    """The list with its counts and filters."""
    seat, season = current_seat(), clock.today().year
    chosen, filters = chosen_organisation(request.args.get("org", "")), read_filters(request.args)
    page = graduates.listing(seat, season, filters).page(**cursors())
    found = graduates.counts(seat, season, filters)
    kept = _kept(filters, chosen)
    return render_template(
        "desks/graduation/graduates.html",
        season=season,
        rows=page.rows,
        filters=filters,
        kept=kept,
        total=found.total,
        figures=_figures(found, filters, kept),
        categories=[
            {"label": label, "value": found.categories.get(key), "href": _link(kept, category=key), "key": key}
            for key, label in {"": "全部去向", **CATEGORIES}.items()
        ],
        too_common=not search.is_counted(seat, filters.text),
        by_parts=NOT_STARTED not in found.steps,
        steps=[("", "全部"), *((key, _with(label, found.steps.get(key))) for key, label in STEPS.items())],
        dues=[("", "全部"), *((each.value, _with(each.label, found.dues.get(each.value))) for each in Due)],
        parts=parts_below(chosen),
        may_see=lambda graduate: seat.may(Permission.MEMBER_VIEW, graduate.row.member.org.path),
        links=page_links(page, ".graduates", **kept),
    )


def _with(label: str, count: int | None) -> str:
    return label if count is None else f"{label}（{count}）"


def read_filters(values: Any) -> GraduateFilters:
    """Filters of the address or of a form; unknown values count as none."""
    category, step, due = (values.get(name, "") for name in ("category", "step", "due"))
    chosen = chosen_organisation(values.get("org", ""))
    return GraduateFilters(
        path=chosen.path if chosen else "",
        category=category if category in CATEGORIES else "",
        step=step if step in STEPS else "",
        due=due if due in set(Due) else "",
        text=values.get("q", "").strip(),
    )


def chosen_organisation(number: str) -> Organisation | None:
    """The college or class that an address or a form names, if it does. Raises NotFound outside the seat's part."""
    return load_organisation(int(number), Permission.ORGANISATION_VIEW) if number.isdecimal() else None


def _kept(filters: GraduateFilters, chosen: Organisation | None) -> dict[str, str]:
    """The filters as they stand in an address."""
    values = {"category": filters.category, "step": filters.step, "due": filters.due, "q": filters.text}
    return {**values, "org": str(chosen.id) if chosen else ""}


def _link(kept: dict[str, str], **changed: str) -> str:
    arguments: dict[str, Any] = {key: value for key, value in {**kept, **changed}.items() if value}
    return url_for(".graduates", **arguments)


def _figures(found: Counts, filters: GraduateFilters, kept: dict[str, str]) -> list[dict[str, Any]]:
    """Counts that lead to exactly the people behind them (PD-25); open steps where somebody stands."""
    fixed = {NOT_STARTED, AGAIN, DONE}
    shown = [key for key in found.steps if key in fixed or (found.steps[key] and key in OPEN)]
    items = [("全部", found.steps[""], {"step": ""}, False)] if found.steps else []
    items += [(STEPS[key], found.steps[key], {"step": key}, False) for key in shown]
    near = [each for each in found.dues if found.dues[each] or filters.due == each]
    items += [(Due(each).label, found.dues[each], {"due": each}, True) for each in near]
    return [
        {"label": label, "value": formatters.number(count), "href": _link(kept, **changed), "hot": hot}
        for label, count, changed, hot in items
    ]


def parts_below(chosen: Organisation | None) -> Options:
    """Where one can look: the way up to the own organisation, and what lies below the chosen one."""
    seat = current_seat()
    if seat.kind is SeatKind.BRANCH:
        return []
    base = seat.org_id
    if chosen is not None:
        base = chosen.parent_id if chosen.is_branch and chosen.parent_id is not None else chosen.id
    found = graduates.parts(seat, base, chosen)
    return [("", "全部"), *((one.id, one.short_name) for one in found)]


def _picked() -> GraduateFilters:
    """What the form acts on: the ticked lines, or all that the filters show."""
    filters = read_filters(request.form)
    ticked = [int(text) for text in request.form.getlist("row") if text.isdecimal()]
    if not ticked or request.form.get("all"):
        return filters
    return GraduateFilters(**{**asdict(filters), "ids": tuple(ticked)})


@routes.desk.post("/graduates/text", endpoint="graduates_text")
@requires(Permission.TRANSFER_VIEW)
def text() -> str:
    """Text for the chat of each class, naming those who have not applied; ready to copy (A-29)."""
    seat, filters = current_seat(), _picked()
    names = graduates.not_started(seat, clock.today().year, filters, NAMES)
    policy = policy_of(own_organisation())
    chats = [(branch, [name for _, name in rows]) for branch, rows in groupby(names, key=lambda pair: pair[0])]
    return render_template(
        "desks/graduation/graduates_text.html",
        chats=[(branch, chat_text(branch, found, policy)) for branch, found in chats],
        count=len(names),
        cut=len(names) == NAMES,
    )


def chat_text(branch: str, names: list[str], policy: Policy) -> str:
    """What to write into the chat of one class."""
    until = next((day for day in (policy.initiate_target, policy.society_end) if clock.today() <= day), None)
    when = f"在 {dates.short(until)} 前" if until else "尽快"
    return (
        f"【学社衔接】{branch}还有 {len(names)} 名同学没有发起团员组织关系转接：{'、'.join(names)}。"
        f"请{when}登录系统提交转接申请。不清楚该转到哪里的，系统会按去向给出建议，也可以联系团支部或学院团组织。"
    )


@routes.desk.post("/graduates/export", endpoint="graduates_export")
@requires(Permission.TRANSFER_VIEW)
def export() -> AnyResponse:
    """The ticked lines, or all that the filters show, as a file (PD-37)."""
    return answer("graduates", _picked())
