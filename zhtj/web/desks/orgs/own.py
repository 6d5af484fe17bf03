"""The seat's own organisation: its data, what is missing, what it may change itself (O-05, O-21)."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases.kinds import kind_of
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import Permission
from zhtj.orgs.changing import administration, changes
from zhtj.orgs.models import Organisation, Tier
from zhtj.people.queries import posts
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import own_organisation


@routes.desk.get("/organisation")
@requires(Permission.ORGANISATION_OWN)
def own() -> str:
    """组织资料 of the own organisation."""
    return _page()


@routes.desk.post("/organisation")
@requires(Permission.ORGANISATION_OWN)
def own_change() -> AnyResponse:
    """Change it, at once."""
    organisation = own_organisation()
    try:
        with unit_of_work():
            changed = administration.change_own_data(organisation, request.form, request.form.get("seen", ""))
    except DomainError as error:
        session.expire_all()
        return make_response(_page(error), error.status)
    flash("组织资料已更新。" if changed else "没有改动。", "success")
    return redirect(url_for(".own"), 303)


def _superiors(organisation: Organisation) -> list[Organisation]:
    """The next two above, whom one rings with a question."""
    above = organisation.parent
    return [one for one in (above, above.parent if above else None) if one is not None]


def _page(error: DomainError | None = None) -> str:
    organisation = own_organisation()
    stored = {name: getattr(organisation, name) or "" for name in administration.OWN_DATA}
    typed = error is not None and not isinstance(error, Conflict)
    return render_template(
        "desks/orgs/own.html",
        organisation=organisation,
        posts=posts(organisation),
        gaps=administration.gaps(organisation),
        flag=administration.flag(organisation),
        earlier=changes.earlier_names(organisation),
        may_move=organisation.tier not in {Tier.CENTRE, Tier.PROVINCE},
        may_correct=current_seat().kind in kind_of("township").raised_by,
        values={name: request.form.get(name, "") for name in stored} if typed else stored,
        seen=administration.seen(organisation),
        superiors=_superiors(organisation),
        error=error,
    )
