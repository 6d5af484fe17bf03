"""去向登记 by the graduate himself, on his phone (PD-09, T-34)."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.graduation import destinations, queries
from zhtj.kernel import clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.desks.graduation.registration import destination_page
from zhtj.web.forms import destination as form
from zhtj.web.member.loading import own


@routes.member.route("/destination", methods=["GET", "POST"])
@requires(Permission.OWN_MEMBERSHIP)
def destination() -> AnyResponse | str:
    """Where I go after graduation; who does not graduate this season is told so."""
    _, member = own()
    row = queries.register_row(member.id, clock.today().year)
    if row is None:
        return render_template("member/destination_none.html", delayed=queries.is_delayed(member))
    error = None
    if request.method == "POST":
        try:
            with unit_of_work():
                session.refresh(row)
                destinations.enter(row, form.given(request.form))
        except DomainError as wrong:
            session.expire_all()
            error = wrong
        else:
            flash("毕业去向已登记。去向有变化的，可以随时更改。", "success")
            return redirect(url_for(".destination"), 303)
    return destination_page("member/destination.html", row, error)
