"""认证与档案: who still lacks an approved application form, one member's status, many in one zip (U-13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from zhtj.cases import operations
from zhtj.cases.kinds.e_file import DEVELOPED, KIND, TRANSFERRED
from zhtj.cases.membership import e_files
from zhtj.cases.membership.e_files import EFileFilters, EFileState
from zhtj.identity import archive, certification, checking
from zhtj.identity.archive import AT_MOST, LARGEST_ZIP, ArchivedFile, ArchiveError
from zhtj.identity.verifiers import VerifierDown
from zhtj.kernel import limits
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.orgs.policies import policy_of
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.graduation.graduates import chosen_organisation, parts_below
from zhtj.web.desks.loading import cursors, load_member, own_organisation, page_links
from zhtj.web.downloads import hand_over
from zhtj.web.rendering import formatters
from zhtj.web.upload_limits import takes

HOUR = 3600
CHECKS_AN_HOUR = 200
ZIPS_AN_HOUR = 20


def read_filters(said: Mapping[str, str]) -> EFileFilters:
    """Filters of the address; unknown values count as none."""
    chosen, state = chosen_organisation(said.get("org", "")), said.get("state", EFileState.MISSING)
    return EFileFilters(
        state=EFileState(state) if state in set(EFileState) else None,
        path=chosen.path if chosen else "",
        text=said.get("q", "").strip()[:100],
    )


@routes.desk.get("/files", endpoint="files")
@requires(Permission.MEMBER_VIEW)
def list_files() -> str:
    """Members who need a form, by how theirs stands; with the people behind each figure (PD-25)."""
    org = request.args.get("org", "")
    chosen = chosen_organisation(org)  # held, so that it is read once
    seat, filters, policy = current_seat(), read_filters(request.args), policy_of(own_organisation())
    page = e_files.listing(seat, policy, filters).page(**cursors())
    kept = {"state": filters.state or "all", "q": filters.text, "org": org}
    counts = e_files.counts(seat, policy, filters)
    return render_template(
        "identity/files.html",
        rows=page.rows,
        states=e_files.states_of(list(page.rows)),
        filters=filters,
        kept=kept,
        parts=parts_below(chosen),
        since=policy.certification_from.year,
        figures=[
            {
                "label": state.label,
                "value": formatters.counted(count, e_files.counted_to(seat)),
                "href": _link(kept, state=state.value),
                "hot": state in {EFileState.MISSING, EFileState.REFUSED} and count > 0,
            }
            for state, count in counts.items()
        ],
        links=page_links(page, ".files", **kept),
    )


def _link(kept: Mapping[str, str], **changed: str) -> str:
    arguments: dict[str, Any] = {name: value for name, value in {**kept, **changed}.items() if value}
    return url_for(".files", **arguments)


@routes.desk.get("/members/<int:member_id>/file")
@requires(Permission.MEMBER_VIEW)
def file(member_id: int) -> str:
    """How one member stands: identity, form, what blocks him, what can be done."""
    member = load_member(member_id, Permission.MEMBER_VIEW)
    seat = current_seat()
    office = certification.office_of(member).organisation
    organisation = own_organisation()
    may_replace = (
        organisation.category in certification.COMMITTEES
        if office is None
        else organisation.id in {office.id, office.office_id}
    )
    return render_template(
        "identity/file.html",
        member=member,
        own=False,
        may_replace=may_replace,
        may_open=seat.may(Permission.MEMBER_FILE, member.org.path),
    )


@routes.desk.post("/members/<int:member_id>/file/open")
@requires(Permission.MEMBER_FILE)
def file_open(member_id: int) -> Response:
    """The approved form of a member in one's line, saved and never shown; the look is noted."""
    member = load_member(member_id, Permission.MEMBER_FILE)
    with unit_of_work():
        kept, content = e_files.open_file(member)
        media_type, filename = kept.media_type, kept.filename
    return hand_over(content, media_type, filename)


@routes.desk.post("/members/<int:member_id>/identity")
@requires(Permission.MEMBER_VIEW)
def identity(member_id: int) -> AnyResponse:
    """Ask again about one member's number and name, now (U-12)."""
    member = load_member(member_id, Permission.MEMBER_VIEW)
    limits.hit("identity", str(current_seat().account_id), CHECKS_AN_HOUR, HOUR)
    try:
        checking.check([member.id])
    except VerifierDown:
        flash("认证接口暂时连不上，请稍后再试；系统也会自动重查。", "warning")
    else:
        session.expire_all()
        status = checking.status_of(load_member(member_id, Permission.MEMBER_VIEW))
        flash(f"身份认证：{status.state.label}。", "success" if not status.fault else "warning")
    return redirect(url_for(".file", member_id=member_id), 303)


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file of a zip."""

    filename: str
    name: str = ""
    said: str = ""
    ok: bool = False


@routes.desk.route("/files/many", methods=["GET", "POST"])
@takes(LARGEST_ZIP)
@requires(Permission.CASES)
def files_many() -> AnyResponse | str:
    """Many forms in one zip, each named by student or ID number; the result a line."""
    if request.method == "GET":
        return _many_page(None)
    limits.hit("e-files", str(current_seat().account_id), ZIPS_AN_HOUR, HOUR)
    sent, source = request.files.get("file"), request.form.get("source", "")
    try:
        lines = [_take(entry, current_seat(), source) for entry in archive.entries(_chosen(sent, source))]
    except DomainError as error:
        return make_response(_many_page(error), error.status)
    return render_template("identity/files_many.html", lines=lines, done=sum(line.ok for line in lines))


def _chosen(sent: FileStorage | None, source: str) -> IO[bytes]:
    """The zip that was chosen. Raises DomainError where the form is not filled in."""
    if source not in {DEVELOPED, TRANSFERRED}:
        raise DomainError("请选择从哪里来。", field="source")
    if sent is None or not sent.filename:
        raise ArchiveError("请选择压缩包。", "")
    return sent.stream


def _many_page(error: DomainError | None) -> str:
    source = KIND.field("source")
    return render_template(
        "identity/files_many.html",
        lines=None,
        error=error,
        typed=request.form.get("source", ""),
        sources=[{"value": value, "label": label} for value, label in source.choices],
        at_most=AT_MOST,
        largest=LARGEST_ZIP // 2**20,
    )


def _take(entry: ArchivedFile, seat: ActiveSeat, source: str) -> FileResult:
    """One form, in a transaction of its own: whatever is wrong with it spoils no other."""
    if entry.problem:
        return FileResult(entry.filename, said=entry.problem)
    try:
        with unit_of_work():
            upload = Upload(f"{entry.number}.pdf", entry.content)
            case = operations.raise_case(KIND, seat, entry.number, {"source": source}, [upload])
            name = case.title.partition("（")[0]
            where = f"已提交，由{case.holder.short_name}审核。" if case.holder else "已完成认证。"
    except DomainError as error:
        return FileResult(entry.filename, said=str(error))
    finally:
        session.expunge_all()
    return FileResult(entry.filename, name, where, ok=True)
