"""去向顾问 for whoever looks after a member: the same questions, leading into 办理转出 (PD-11)."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for

from zhtj.kernel.permissions import Permission
from zhtj.policy.vocabulary import Reason
from zhtj.transfers.applying.advice import Counsel, Found
from zhtj.transfers.applying.judging import facts_of
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import load_member
from zhtj.web.desks.transfers.starting import SPECIAL
from zhtj.web.forms.advice import Act, Adviser


@routes.desk.get("/members/<int:member_id>/advice")
@requires(Permission.MEMBER_VIEW)
def advice(member_id: int) -> str:
    """One question a page, then the answer, about one member."""
    member = load_member(member_id, Permission.MEMBER_VIEW)
    himself = current_seat().member_id == member.id

    def start(counsel: Counsel, found: Found | None) -> Act:
        asked = counsel.asked
        place = found.place if found else counsel.place
        chosen = found.organisation if found else counsel.region
        special = SPECIAL if counsel.reason is Reason.SPECIAL_UNIT else ""
        typed = {
            "to": chosen.code if chosen else special,
            "reason": counsel.reason.value if counsel.reason else "",
            "unit_name": asked.unit_name,
            "unit_address": asked.address,
            "place": place.value if place else "",
            "situation": counsel.key if facts_of(counsel.policy, counsel.key, counsel.reason or "") else "",
            "unable": "1" if counsel.unable_at(place) else "",
        }
        said: dict[str, Any] = {name: text for name, text in typed.items() if text}
        url = url_for(".transfer_out", member_id=member_id, **said)
        return Act("办理转出", url, about=found.organisation.short_name if found else "")

    return render_template(
        "advice/page.html",
        adviser=Adviser(
            request.args,
            lambda **query: url_for(".advice", member_id=member_id, **query),
            act=None if himself else start,  # nobody decides about himself (PD-02)
            member=member,
            himself=himself,
        ),
        crumbs=[
            ("团员", url_for(".members")),
            (member.name, url_for(".member", member_id=member_id)),
            ("去向建议", None),
        ],
    )
