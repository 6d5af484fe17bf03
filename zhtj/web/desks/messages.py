"""The inbox of a seat: what happened, what waits, the whole text to pass on; where the digest goes by mail.

The inbox is the same for a member and for every administrator; addresses of the digest are the administrators' affair.
"""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import limits
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, TooMany
from zhtj.kernel.limits import Limit
from zhtj.kernel.permissions import Permission
from zhtj.kernel.sql.paging import LARGEST
from zhtj.notices import operations, queries
from zhtj.notices.models import Message, MessageKind
from zhtj.notices.queries import MessageFilters
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.desks.loading import cursors, own_organisation, page_links

SUBJECTS = {
    "application": (".application", "查看申请"),
    "case": (".case", "查看事项"),
    "hearing": (".case_hearing", "查看并答复"),
    "letter": (".letter_page", "查看介绍信"),
}
CODES = Limit("digest-code", times=10, seconds=3600, what="发送验证码太频繁")
TRIES = Limit("digest-confirm", times=10, seconds=3600, what="验证码错误次数太多")


@routes.desk.get("/messages")
@routes.member.get("/messages")
@requires(Permission.MESSAGES)
def messages() -> str:
    """The inbox, newest first."""
    seat, filters = current_seat(), read_filters()
    page = queries.inbox(seat, filters).page(**cursors())
    wanted = {"kind": filters.kind, "show": "unread" if filters.unread else ""}
    return render_template(
        "desks/notices/messages.html",
        rows=page.rows,
        filters=filters,
        kinds=list(MessageKind),
        org_id=seat.org_id,
        newest=page.rows[0].id if page.rows and not page.before else None,
        links=page_links(page, ".messages", **wanted),
    )


def read_filters() -> MessageFilters:
    """Filters of the address; unknown values count as none."""
    kind = request.values.get("kind", "")
    return MessageFilters(
        kind=MessageKind(kind) if kind in set(MessageKind) else None, unread=request.values.get("show") == "unread"
    )


@routes.desk.get("/messages/<int:message_id>")
@routes.member.get("/messages/<int:message_id>")
@requires(Permission.MESSAGES)
def message(message_id: int) -> str:
    """One message with its whole text; opening it marks it read, a browser that only looks ahead does not."""
    seat = current_seat()
    found = queries.message(seat, message_id)
    if found.read_at is None and "prefetch" not in request.headers.get("Sec-Purpose", ""):
        with unit_of_work():
            operations.mark_read(found, seat)
        session.expire_all()
        found = queries.message(seat, message_id)
    return render_template(
        "desks/notices/message.html",
        message=found,
        org_id=seat.org_id,
        account_id=seat.account_id,
        subject=subject_of(found),
    )


def subject_of(found: Message) -> tuple[str, str] | None:
    """Address and name of what a message is about."""
    if found.subject_type in SUBJECTS:
        endpoint, label = SUBJECTS[found.subject_type]
        about: dict[str, Any] = {f"{found.subject_type}_id": found.subject_id}
        return url_for(endpoint, **about), label
    if found.kind in {MessageKind.REMINDER, MessageKind.TASK} and found.org_id is not None:
        return url_for(".waiting"), "去办理"
    return None


@routes.desk.post("/messages/read")
@routes.member.post("/messages/read")
@requires(Permission.MESSAGES)
def messages_read() -> AnyResponse:
    """Mark everything read that stood in the list; what came in meanwhile stays unread."""
    typed = request.form.get("up_to", "")[:10]
    up_to = min(int(typed), LARGEST) if typed.isdecimal() else 0
    filters = read_filters()
    with unit_of_work():
        done = operations.mark_all_read(current_seat(), up_to=up_to, kind=filters.kind)
    flash(f"已将 {done} 条消息标为已读。" if done else "没有未读消息。", "success")
    return redirect(url_for(".messages", kind=filters.kind), 303)


def _has_mail() -> bool:
    return current_app.config["ZHTJ"].mail is not None


def _check_mail() -> None:
    if not _has_mail():
        raise DomainError("本系统没有开通邮件。", fix="请联系系统管理员。", field="address")


def _page(error: DomainError | None = None, *, typed: str = "", of: int | None = None) -> AnyResponse:
    """The page of addresses, with what went wrong at which of them (None: at the new one)."""
    organisation = own_organisation()
    shown = render_template(
        "desks/notices/messages_addresses.html",
        rows=queries.subscriptions(organisation.id),
        mails=queries.latest_mails(organisation.id),
        mail=_has_mail(),
        error=error,
        typed=typed,
        of=of,
    )
    answer = make_response(shown, error.status if error else 200)
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


@routes.desk.route("/messages/addresses", methods=["GET", "POST"])
@requires(Permission.WORKBENCH)
def addresses() -> AnyResponse:
    """Where the digest goes by mail; a new address gets a code first."""
    if request.method == "GET":
        return _page()
    typed = request.form.get("address", "").strip()
    try:
        _check_mail()
        limits.count(CODES, str(current_seat().org_id))
        with unit_of_work():
            operations.subscribe(own_organisation(), typed, current_seat())
    except DomainError as error:
        session.expire_all()
        return _page(error, typed=typed)
    flash(f"验证码正在发往 {typed}，一般一两分钟内到达。", "success")
    return redirect(url_for(".addresses"), 303)


@routes.desk.post("/messages/addresses/<int:subscription_id>/confirm")
@requires(Permission.WORKBENCH)
def address_confirm(subscription_id: int) -> AnyResponse:
    """The code that arrived there."""
    found = queries.subscription(current_seat().org_id, subscription_id)
    try:
        limits.count(TRIES, str(found.id))
        with unit_of_work():
            session.refresh(found)
            operations.confirm(found, request.form.get("code", ""))
            address = found.address
    except DomainError as error:
        session.expire_all()
        return _page(error, of=subscription_id)
    flash(f"待办提醒会同时发到 {address}。", "success")
    return redirect(url_for(".addresses"), 303)


@routes.desk.post("/messages/addresses/<int:subscription_id>/remove")
@requires(Permission.WORKBENCH)
def address_remove(subscription_id: int) -> AnyResponse:
    """No more digests there."""
    found = queries.subscription(current_seat().org_id, subscription_id)
    with unit_of_work():
        session.refresh(found)
        address = found.address
        operations.unsubscribe(found)
    flash(f"不再向 {address} 发送提醒。", "success")
    return redirect(url_for(".addresses"), 303)
