"""Words and small lists that templates ask for: options of a select, labels of codes, who can be rung up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Flask, g, request, url_for
from flask_login import current_user
from markupsafe import Markup

from zhtj.graduation.models import BranchMark
from zhtj.kernel.permissions import Permission
from zhtj.letters.queries import Validity
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import national_policy, policy_of
from zhtj.people.models import Membership
from zhtj.people.queries import first_mobile
from zhtj.policy.vocabulary import PlaceTie, Reason
from zhtj.transfers.deciding import receiving
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground
from zhtj.transfers.workflow import State
from zhtj.web.access import current_seat
from zhtj.web.rendering import formatters
from zhtj.web.rendering.history import note

Options = list[tuple[str | int, str]]


def register(app: Flask) -> None:
    """Make them available in every template."""
    app.jinja_env.globals.update(
        branch_options=organisation_ids,
        choice_options=choice_options,
        contact_of=contact_of,
        export_address=export_address,
        file_required=file_required,
        whereabouts_asked=receiving.whereabouts_asked,
        ground_label=lambda key: Ground(key).label if key in set(Ground) else None,
        ground_options=ground_options,
        history=history,
        label_options=label_options,
        mark_label=mark_label,
        may=may,
        memberships_rows=memberships_rows,
        office_of=office_of,
        organisation_crumbs=organisation_crumbs,
        organisation_options=organisation_codes,
        season_policy=national_policy,
        policy_of=policy_of,
        place_label=lambda key: PlaceTie(key).label,
        phone_icon=phone_icon(app),
        reason_label=reason_label,
        state_badge=state_badges(app).__getitem__,
        state_options=state_options,
        validity_tag=validity_tags(app).__getitem__,
    )


def phone_icon(app: Flask) -> Markup:
    """The telephone symbol, drawn once for all lists."""
    icons: Any = app.jinja_env.get_template("components/icons.html").module
    return Markup(icons.icon("phone"))  # noqa: S704 - a template of ours


def state_badges(app: Flask) -> dict[State, Markup]:
    """The badge of every state, drawn once: lists show many."""
    status: Any = app.jinja_env.get_template("components/status.html").module
    return {state: Markup(status.badge(state.value)) for state in State}  # noqa: S704 - a template of ours


def validity_tags(app: Flask) -> dict[Validity, Markup]:
    """The same for what a letter is worth."""
    status: Any = app.jinja_env.get_template("components/status.html").module
    tones = {Validity.VALID: "done", Validity.LAPSED: "late", Validity.VOID: "bad"}
    return {one: Markup(status.tag(one.label, tone)) for one, tone in tones.items()}  # noqa: S704 - a template of ours


def may(permission: str) -> bool:
    """Whether the active seat's kind has a permission at all."""
    return bool(current_user.is_authenticated) and current_seat().may(Permission(permission))


def reason_label(reason: str) -> str:
    """Name of a transfer reason in this season's policy."""
    return national_policy().reasons[Reason(reason)].label


def state_options(states: Iterable[State] | Mapping[State, int]) -> Options:
    """States as options of a filter; with counts where given."""
    counts = states if isinstance(states, Mapping) else {}
    return [(state.value, f"{state.label}（{counts[state]}）" if state in counts else state.label) for state in states]


def export_address(key: str, **more: Any) -> str:
    """Where the list that is being shown is exported, as its address filters it; ``more`` arguments besides."""
    kept = {name: value for name, value in request.args.items() if name not in {"after", "before", "key"}}
    return url_for(".export_list", key=key, **{**kept, **more})


def organisation_ids(organisations: Sequence[Organisation]) -> Options:
    """Organisations by id."""
    return [(organisation.id, organisation.short_name) for organisation in organisations]


def organisation_codes(organisations: Sequence[Organisation]) -> Options:
    """Organisations by code."""
    return [(organisation.code, organisation.short_name) for organisation in organisations]


def label_options(values: Iterable[Any]) -> Options:
    """Members of an enumeration that have a label."""
    return [(value.value, value.label) for value in values]


def choice_options(values: Iterable[Any]) -> list[dict[str, str]]:
    """The same for ``choices``."""
    return [{"value": value.value, "label": value.label} for value in values]


def ground_options(grounds: Sequence[Ground]) -> list[dict[str, object]]:
    """Grounds of refusal for ``choices``; forbidden ones greyed, with the reason (PD-17)."""
    return [
        {
            "value": ground.value,
            "label": ground.label,
            "disabled": "按规定不得以此为由拒绝接收" if ground.forbidden_by else False,
        }
        for ground in grounds
    ]


def office_of(organisation: Organisation) -> Organisation:
    """Who acts for an organisation: itself, or the nearest superior with an administrator (PD-22)."""
    return organisation.office or organisation


def contact_of(organisation: Organisation) -> str | None:
    """The telephone under which whoever acts for an organisation is reached, for other administrators (O-24).

    Without an office telephone it is the mobile of its first administrator; looked up once a request.
    """
    office = office_of(organisation)
    if organisation.phone or office.phone:
        return organisation.phone or office.phone
    known: dict[int, str | None] = g.setdefault("administrators", {})
    if office.id not in known:
        known[office.id] = first_mobile(office.id)
    return known[office.id]


def file_required(receiver: Organisation) -> bool:
    """Whether this receiver checks the file before it says yes (E-07); asked once a request."""
    known: dict[int, bool] = g.setdefault("file_required", {})
    if receiver.id not in known:
        known[receiver.id] = receiving.file_check_required(receiver)
    return known[receiver.id]


def mark_label(mark: BranchMark | None) -> str:
    """A branch's graduation time, or why there is none."""
    if mark is None:
        return "未标记"
    return formatters.month(mark.month) if mark.month else (mark.no_time.label if mark.no_time else "")


def organisation_crumbs(line: Sequence[Organisation]) -> list[tuple[str, str]]:
    """Links up to the seat's own organisation."""
    return [(one.short_name, url_for(".organisation", organisation_id=one.id)) for one in line]


def memberships_rows(stays: Sequence[Membership]) -> list[list[str]]:
    """Rows of the table of memberships."""
    return [
        [
            stay.org.short_name,
            formatters.day(stay.started_at),
            formatters.day(stay.ended_at) if stay.ended_at else "现在",
        ]
        for stay in stays
    ]


def history(application: Application) -> list[dict[str, object]]:
    """The steps of an application for ``timeline``, newest first (A-07)."""
    return [
        {
            "at": event.at,
            "title": event.action.label,
            "actor": "、".join(
                part
                for part in (event.account.name if event.account else "系统", event.org.short_name if event.org else "")
                if part
            ),
            "note": note(event),
            "quote": event.remark,
        }
        for event in reversed(application.events)
    ]
