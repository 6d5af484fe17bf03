"""任职: who administers an organisation - appoint, hand over, end, and codes for them (U-05, U-23, PD-22)."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import limits
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError, TooMany
from zhtj.kernel.permissions import Permission
from zhtj.orgs.models import Organisation
from zhtj.people import posts as people
from zhtj.people.models import Account, CodeKind, Post, Seat
from zhtj.people.signing import codes
from zhtj.people.signing.accounts import rules_now
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.auth import code_sheets, visitor
from zhtj.web.desks.loading import load_organisation, number_in

HOUR = 3600


@routes.desk.get("/organisations/<int:organisation_id>/posts")
@requires(Permission.POSTS)
def posts(organisation_id: int) -> str:
    """Who holds which post, and whom one can appoint."""
    return _page(load_organisation(organisation_id, Permission.POSTS))


def _page(shown: Organisation, error: DomainError | None = None, *, ending: int | None = None) -> str:
    held = people.open_posts(shown)
    text = (request.form.get("q") or request.args.get("q", "")).strip()[:40]
    found = people.candidates(shown, text) if text or shown.is_branch else []
    next_one = people.successor(shown)
    return render_template(
        "desks/people/posts.html",
        organisation=shown,
        held=held,
        past=people.past_posts(shown),
        next_one=next_one,
        acts=next_one.code if next_one else "none",
        last=next((seat.id for seat in held if people.is_last(seat, held)), None),
        secretary=next((seat.account for seat in held if seat.post is Post.SECRETARY), None),
        q=text,
        found=found[: people.MOST],
        more=len(found) > people.MOST,
        post_options=[(post.value, post.label) for post in Post],
        typed=request.form,
        error=error,
        ending=ending,
        own_account=current_seat().account_id,
        may_register=shown.parent is not None and shown.parent.office_id == current_seat().org_id != shown.id,
    )


@routes.desk.post("/organisations/<int:organisation_id>/posts")
@requires(Permission.POSTS)
def appoint(organisation_id: int) -> AnyResponse:
    """Appoint a member from the list, or somebody by name and full number."""
    shown = load_organisation(organisation_id, Permission.POSTS)
    try:
        wanted, person = _post(), _person(shown)
        with unit_of_work():
            account = session.get_one(Account, person)
            hand_over = bool(request.form.get("hand_over"))
            people.appoint(current_seat(), shown, account, wanted, hand_over=hand_over)
            name, where = account.name, shown.short_name
            waits = "，账号激活之前由上级代办" if shown.office_id != shown.id else ""
            own = people.has_ended(current_seat())
    except TooMany:
        raise
    except DomainError as error:
        session.expire_all()
        return make_response(_page(shown, error), error.status)
    words = f"已任命{name}为{wanted.label}{waits}。"
    return _go_on(words, where, organisation_id, own=own)


def _go_on(words: str, where: str, number: int, *, own: bool) -> AnyResponse:
    """Back to the posts; whoever has just given up the seat he acts in, to what is left to him (U-23)."""
    flash(words, "success")
    return redirect(visitor.leave_seat(where) if own else url_for(".posts", organisation_id=number), 303)


def _post() -> Post:
    wanted = request.form.get("post", "")
    if wanted not in set(Post):
        raise DomainError("请选择职务。", field="post", rule="PD-02")
    return Post(wanted)


def _person(shown: Organisation) -> int:
    """The account of whoever was chosen or named; by name and number the look is limited and noted (PD-37)."""
    member = number_in(request.form.get("member", ""))
    if member is not None:
        return people.member_account(shown, member).id
    name, number = (request.form.get(field, "").strip() for field in ("name", "number"))
    if not name or not number:
        fix = "请先从名单中选一名团员，或填写姓名和完整的身份证号码或手机号码。"
        raise DomainError("还没有选择任命谁。", fix=fix, field="name", rule="PD-37")
    limits.hit("lookup", str(current_seat().account_id), rules_now().lookup_limit, HOUR)
    with unit_of_work():
        found = people.find_person(name, number)
        person = found.id if found else None
    if person is None:
        raise DomainError(
            "没有找到这个人。",
            fix="姓名和号码须与本人账号完全一致；还没有账号的，请由直接上级生成管理员注册码，让本人注册。",
            field="number",
            rule="PD-37",
        )
    return person


@routes.desk.post("/organisations/<int:organisation_id>/posts/end")
@requires(Permission.POSTS)
def end_post(organisation_id: int) -> AnyResponse:
    """End a post; of the last one only after saying who acts from then on."""
    shown = load_organisation(organisation_id, Permission.POSTS)
    post = number_in(request.form.get("seat", ""))
    if post is None:
        raise DomainError("提交的内容不完整。", fix="请刷新页面后再试。")
    try:
        with unit_of_work():
            ended = people.end(current_seat(), shown, post, acts=request.form.get("acts", ""))
            words, own = f"{ended.account.name}的{ended.post.label}任职已结束。", people.has_ended(current_seat())
            where = shown.short_name
    except DomainError as error:
        session.expire_all()
        return make_response(_page(shown, error, ending=post), error.status)
    return _go_on(words, where, organisation_id, own=own)


@routes.desk.post("/organisations/<int:organisation_id>/posts/code")
@requires(Permission.CODE_ISSUE)
def post_code(organisation_id: int) -> str:
    """An activation or reset code for somebody who holds a post here; shown this once (U-05)."""
    shown = load_organisation(organisation_id, Permission.CODE_ISSUE)
    chosen = number_in(request.form.get("seat", ""))
    held: Seat | None = next((one for one in people.open_posts(shown) if one.id == chosen), None)
    if held is None:
        raise DomainError("提交的内容不完整。", fix="请回到任职页面再试。")
    person = held.account_id
    with unit_of_work():
        account = session.get_one(Account, person)
        kind = CodeKind.RESET if account.activated_at else CodeKind.ACTIVATION
        issued = codes.issue(kind, current_seat(), account=account)
    return code_page(
        issued,
        [(shown.short_name, url_for(".organisation", organisation_id=organisation_id))],
        ".posts",
        organisation_id,
    )


def code_page(issued: codes.IssuedCode, crumbs: list[tuple[str, str]], back: str, organisation_id: int) -> str:
    """The page that shows one code, this once.

    Args:
        issued: the code.
        crumbs: what stands above.
        back: endpoint of the page it was asked for on.
        organisation_id: of the organisation that page is about.
    """
    return render_template(
        "desks/orgs/organisation_code.html",
        issued=issued,
        crumbs=[*crumbs, (issued.kind.label, None)],
        fragment=code_sheets.code_card(issued),
        back=url_for(back, organisation_id=organisation_id),
    )
