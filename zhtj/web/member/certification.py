"""认证与档案: how my identity and my application form stand, what blocks me, my sheet (U-13, A-25)."""

from __future__ import annotations

from flask import Response, render_template
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases.membership import e_files
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.permissions import Permission
from zhtj.web import routes
from zhtj.web.access import requires
from zhtj.web.desks.identity import registration_sheets
from zhtj.web.downloads import hand_over
from zhtj.web.member.loading import own


@routes.member.get("/file")
@requires(Permission.OWN_MEMBERSHIP)
def file() -> str:
    """How I stand, and what to do."""
    _, member = own()
    return render_template("identity/file.html", member=member, own=True, may_replace=False)


@routes.member.post("/file/open")
@requires(Permission.OWN_MEMBERSHIP)
def file_open() -> Response:
    """My approved form; the look is noted."""
    _, member = own()
    with unit_of_work():
        kept, content = e_files.open_file(member)
        media_type, filename = kept.media_type, kept.filename
    return hand_over(content, media_type, filename)


@routes.member.route("/sheet", methods=["GET", "POST"])
@requires(Permission.OWN_MEMBERSHIP)
def sheet() -> AnyResponse:
    """Fill in my registration sheet (F-16)."""
    _, member = own()
    return registration_sheets.fill_in(member, own=True)


@routes.member.get("/sheet/print")
@requires(Permission.OWN_MEMBERSHIP)
def sheet_print() -> str:
    """My registration sheet as it is printed."""
    _, member = own()
    return registration_sheets.on_paper(member)
