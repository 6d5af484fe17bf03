"""学社衔接负责人信息: a college names its three, the school sees who is missing and takes the sheet (F-13)."""

from __future__ import annotations

from io import BytesIO

from flask import Response, flash, make_response, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.graduation import liaisons
from zhtj.graduation.liaisons import TITLE, CollegeLiaisons
from zhtj.graduation.models import LiaisonRole
from zhtj.imports.spreadsheets import XLSX, write_xlsx
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission, SeatKind
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, own_organisation, page_links

HEADINGS = ("学院", *(f"{role.label}{what}" for role in LiaisonRole for what in ("姓名", "联系电话")), "登记时间")


@routes.desk.route("/liaisons", methods=["GET", "POST"], endpoint="liaisons")
@requires(Permission.QUALITY)
def list_liaisons() -> AnyResponse:
    """A college's own form; for everybody above the colleges with whom they have named."""
    if current_seat().kind is SeatKind.COLLEGE:
        return _own()
    seat, season = current_seat(), clock.today().year
    state = request.args.get("state", "")
    state = state if state in {"yes", "no"} else ""
    listings = {key: liaisons.listing(seat, season, key) for key in ("", "yes", "no")}
    page = listings[state].page(**cursors())
    return make_response(
        render_template(
            "desks/graduation/liaisons.html",
            lines=page.rows,
            season=season,
            state=state,
            roles=list(LiaisonRole),
            due=liaisons.due_on(season),
            counts={key: listing.count() for key, listing in listings.items()},
            links=page_links(page, ".liaisons", state=state),
        )
    )


def _own() -> AnyResponse:
    """The form of a college; nothing typed is lost."""
    organisation, season = own_organisation(), clock.today().year
    error: DomainError | None = None
    if request.method == "POST":
        try:
            with unit_of_work():
                liaisons.write(own_organisation(), current_seat(), request.form)
        except DomainError as wrong:
            session.expire_all()
            error = wrong
        else:
            flash("学社衔接负责人已登记。", "success")
            return redirect(url_for(".liaisons"), 303)
    line = liaisons.of_college(organisation, season)
    typed = request.form if error else _typed(line)
    page = render_template(
        "desks/graduation/liaisons_own.html",
        line=line,
        typed=typed,
        season=season,
        roles=list(LiaisonRole),
        due=liaisons.due_on(season),
        error=error,
    )
    return make_response(page, error.status if error else 200)


def _typed(line: CollegeLiaisons) -> dict[str, str]:
    found: dict[str, str] = {}
    for role, one in line.named.items():
        found |= {f"name_{role}": one.name, f"phone_{role}": one.phone}
    return found


@routes.desk.post("/liaisons/export", endpoint="liaisons_export")
@requires(Permission.QUALITY)
def export() -> Response:
    """Every college below with whom it has named, as xlsx; noted, for it holds telephone numbers (PD-37)."""
    seat, season = current_seat(), clock.today().year
    target = BytesIO()
    with unit_of_work():
        count = write_xlsx(target, TITLE, HEADINGS, map(_cells, liaisons.listing(seat, season)))
        audit.record("liaisons.export", "organisation", seat.org_id, rows=count, season=season)
    target.seek(0)
    return send_file(target, XLSX, as_attachment=True, download_name=f"{season}届{TITLE}.xlsx")


def _cells(line: CollegeLiaisons) -> list[str]:
    """One line of the sheet, in the order of HEADINGS; an empty one shows who is missing."""
    named = [line.named.get(role) for role in LiaisonRole]
    people = [words for one in named for words in ((one.name, one.phone) if one else ("", ""))]
    written = max((one.written_at for one in line.named.values()), default=None)
    return [line.college.full_name, *people, f"{clock.local(written):%Y-%m-%d}" if written else ""]
