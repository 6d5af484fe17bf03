"""Letters for hundreds: pick, fill in once, look at every line, confirm, watch, take the files (L-09, PD-27)."""

from __future__ import annotations

import secrets
import zipfile
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import Permission
from zhtj.letters import authority
from zhtj.letters.many import candidates, letter_batches
from zhtj.letters.many import print_files as batch_files
from zhtj.letters.many.candidates import CandidateFilters
from zhtj.letters.many.models import BatchState, LetterBatch
from zhtj.letters.printing.render import render_letter
from zhtj.letters.record import FileDisposition
from zhtj.orgs.policies import policy_of
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, number_in, own_organisation, page_links
from zhtj.web.htmx import hx_redirect, is_htmx

SHOWN = 500
"""Lines on the page; the register has them all."""
COMMON = ("dues_until", "file_disposition", "file_note", "handler", "handler_mobile")


def _filters(said: Mapping[str, str]) -> CandidateFilters:
    done = said.get("done", "")
    return CandidateFilters(
        text=said.get("q", "").strip(),
        org_id=number_in(said.get("org", "")),
        done=done if done in {"yes", "no"} else "",
    )


@routes.desk.get("/letters/many")
@requires(Permission.LETTER_ISSUE)
def letter_many() -> str:
    """Applications without letter, to pick from."""
    seat = current_seat()
    authority.check_issuer(seat)
    filters, policy = _filters(request.args), policy_of(own_organisation())
    listing = candidates.listing(seat, policy, filters)
    page = listing.page(**cursors())
    return render_template(
        "desks/letters/letter_many.html",
        rows=page.rows,
        filters=filters,
        total=0 if page.is_whole else listing.count(),
        recent=letter_batches.recent(seat),
        at_most=letter_batches.AT_MOST,
        key=secrets.token_hex(16),
        links=page_links(page, ".letter_many", q=filters.text, org=filters.org_id, done=filters.done),
    )


@routes.desk.post("/letters/many")
@requires(Permission.LETTER_ISSUE)
def letter_many_pick() -> AnyResponse:
    """Keep what was picked, and look at it."""
    seat = current_seat()
    authority.check_issuer(seat)
    everybody = bool(request.form.get("all"))
    filters = _filters(request.form) if everybody else CandidateFilters()
    ids = [number for text in request.form.getlist("row") if (number := number_in(text)) is not None]
    policy = policy_of(own_organisation())
    found = candidates.picked(seat, policy, filters, None if everybody else ids, letter_batches.AT_MOST + 1)
    if not found:
        flash("请先勾选要开具介绍信的申请。", "warning")
        return redirect(url_for(".letter_many"), 303)
    if len(found) > letter_batches.AT_MOST:
        raise DomainError(f"一次最多开具 {letter_batches.AT_MOST:,} 份。", fix="请先用筛选缩小范围，分几次开具。")
    key = request.form.get("key", "")[:32] or secrets.token_hex(16)
    details = {"from_file": True, "file_disposition": FileDisposition.WITH_PERSONAL_FILE.value}
    with unit_of_work():
        number = letter_batches.keep(
            seat, found, key=key, title=f"选中的 {len(found):,} 份申请", details=details, site=request.url_root
        )
    return redirect(url_for(".letter_batch", batch_id=number), 303)


@routes.desk.get("/letters/batches/<int:batch_id>")
@requires(Permission.LETTER_ISSUE)
def letter_batch(batch_id: int) -> AnyResponse | str:
    """Preview, progress or result, whichever it has come to."""
    found = letter_batches.owned(batch_id, current_seat())
    if found.state is BatchState.PREVIEWED:
        return _preview(found, found.choices)
    files = batch_files.files(found)
    if is_htmx():
        if found.state is BatchState.DONE:
            return hx_redirect(url_for(".letter_batch", batch_id=batch_id))
        return render_template("desks/letters/letter_batch_progress.html", batch=found, printed=len(files))
    finished = found.state is BatchState.DONE
    lines = letter_batches.lines(found) if finished else []
    lines.sort(key=lambda line: line[2] is not None)
    stale = batch_files.stale(found) if finished else set()
    return render_template(
        "desks/letters/letter_batch.html",
        batch=found,
        printed=len(files),
        files=[file for file in files if file.position not in stale],
        incomplete=finished and (bool(stale) or bool(batch_files.missing(found))),
        lines=lines[:SHOWN],
        rest=max(len(lines) - SHOWN, 0),
    )


def _preview(found: LetterBatch, typed: dict[str, Any], error: DomainError | None = None) -> AnyResponse:
    lines = [seen for _, seen in letter_batches.examine(found, current_seat(), typed)]
    lines.sort(key=lambda seen: seen.error is None)
    bad = sum(seen.error is not None for seen in lines)
    page = render_template(
        "desks/letters/letter_batch_preview.html",
        batch=found,
        typed=typed,
        lines=lines[:SHOWN],
        rest=max(len(lines) - SHOWN, 0),
        ready=len(lines) - bad,
        bad=bad,
        dispositions=list(FileDisposition),
        error=error,
    )
    return make_response(page, 422 if error else 200)


def _details() -> dict[str, Any]:
    typed: dict[str, Any] = {name: request.form.get(name, "").strip()[:80] for name in COMMON}
    return {**typed, "from_file": bool(request.form.get("from_file"))}


@routes.desk.post("/letters/batches/<int:batch_id>/options")
@requires(Permission.LETTER_ISSUE)
def letter_batch_choose(batch_id: int) -> AnyResponse:
    """Keep what holds for all lines, and show what would come of it."""
    with unit_of_work():
        letter_batches.choose(letter_batches.owned(batch_id, current_seat()), _details())
    return redirect(url_for(".letter_batch", batch_id=batch_id), 303)


@routes.desk.post("/letters/batches/<int:batch_id>/sample")
@requires(Permission.LETTER_ISSUE)
def letter_batch_sample(batch_id: int) -> AnyResponse:
    """The first letter as it would look, marked as good for nothing."""
    found = letter_batches.owned(batch_id, current_seat())
    seen = next((seen for _, seen in letter_batches.examine(found, current_seat(), _details()) if seen.record), None)
    if seen is None or seen.record is None:
        return _preview(found, _details(), DomainError("没有可以开具的。", fix="请按下面每一行的说明补全。"))
    response = make_response(render_letter(seen.record, site=request.url_root, sample=True))
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = 'inline; filename="letter-sample.pdf"'
    return response


@routes.desk.post("/letters/batches/<int:batch_id>/confirm")
@requires(Permission.LETTER_ISSUE)
def letter_batch_confirm(batch_id: int) -> AnyResponse:
    """Give numbers to what can have one, and print it."""
    seat = current_seat()
    found = letter_batches.owned(batch_id, seat)
    authority.check_issuer(seat)
    if found.state is BatchState.PREVIEWED:
        typed = _details()
        seen = letter_batches.examine(found, seat, typed)
        refused = {position: one.error for position, one in seen if one.error is not None}
        if len(refused) == found.total:
            return _preview(found, typed, DomainError("没有可以开具的。", fix="请按下面每一行的说明补全或改正。"))
        with unit_of_work():
            found = letter_batches.owned(batch_id, seat)
            letter_batches.choose(found, typed)
            letter_batches.confirm(found, seat, refused)
    return redirect(url_for(".letter_batch", batch_id=batch_id), 303)


@routes.desk.post("/letters/batches/<int:batch_id>/discard")
@requires(Permission.LETTER_ISSUE)
def letter_batch_discard(batch_id: int) -> AnyResponse:
    """Throw away what was only looked at."""
    with unit_of_work():
        letter_batches.discard(letter_batches.owned(batch_id, current_seat()))
    flash("已放弃，没有开具任何介绍信。", "info")
    return redirect(url_for(".letter_many"), 303)


@routes.desk.post("/letters/batches/<int:batch_id>/again")
@requires(Permission.LETTER_ISSUE)
def letter_batch_again(batch_id: int) -> AnyResponse:
    """Print again the files that were thrown away or hold a void letter."""
    with unit_of_work():
        batch_files.reprint(letter_batches.owned(batch_id, current_seat()))
    return redirect(url_for(".letter_batch", batch_id=batch_id), 303)


@routes.desk.get("/letters/batches/<int:batch_id>/<int:position>.pdf")
@requires(Permission.LETTER_ISSUE)
def letter_batch_file(batch_id: int, position: int) -> Response:
    """One PDF of at most a hundred letters."""
    content = batch_files.content(letter_batches.owned(batch_id, current_seat()), position)
    return _download(content, "application/pdf", f"介绍信-{batch_id}-{position}.pdf")


@routes.desk.get("/letters/batches/<int:batch_id>.zip")
@requires(Permission.LETTER_ISSUE)
def letter_batch_zip(batch_id: int) -> Response:
    """All files of a batch in one."""
    found = letter_batches.owned(batch_id, current_seat())
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:  # PDFs are compressed already
        for file in batch_files.files(found):
            archive.writestr(f"{file.first}-{file.last}.pdf", batch_files.content(found, file.position))
    return _download(target.getvalue(), "application/zip", f"介绍信-{batch_id}.zip")


def _download(content: bytes, media_type: str, name: str) -> Response:
    response = send_file(BytesIO(content), media_type, as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "no-store"
    return response
