"""数据接口: figures as JSON for an organisation's own data centre; read-only, opened by its token (PD-25, PD-37).

Described for its readers at ``/help/interface``. Errors are documents too: see ``error_pages.render``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import wraps
from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.json.provider import DefaultJSONProvider
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel import clock, limits
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import DomainError, Forbidden
from zhtj.kernel.sql import paging
from zhtj.orgs.models import Organisation
from zhtj.rates import access_tokens, queries
from zhtj.rates.models import AccessToken
from zhtj.rates.reports import documents
from zhtj.web.access import TOKEN

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
MOST = 500
USUAL = 100
ARGUMENTS = ("season", "org", "at", "key", "limit")
_YEAR = 4


class Unauthorised(DomainError):  # noqa: N818 - named as the status is
    """No token, or none that is good."""

    status = 401


def with_token(view: Callable[[AccessToken], dict[str, Any]]) -> Callable[[], AnyResponse]:
    """The route needs a token, is limited by it, and answers with a document and its ETag."""

    @wraps(view)
    def guarded() -> AnyResponse:
        token = _token()
        with unit_of_work():
            limits.count(access_tokens.PER_MINUTE, str(token.id))
            access_tokens.note_use(token)
        response = jsonify(view(token))
        response.add_etag()
        return response.make_conditional(request)

    guarded.permission = TOKEN  # type: ignore[attr-defined]
    return guarded


def _token() -> AccessToken:
    scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not plain.strip():
        raise Unauthorised("请在 Authorization 请求头里给出令牌。", fix="写法：Authorization: Bearer zhtj_…")
    token = access_tokens.recognise(plain.strip())
    if token is None:
        limits.count(access_tokens.REFUSED, request.remote_addr or "")
        raise Unauthorised("令牌不正确、已停用或已到期。", fix="请联系本组织的管理员。")
    return token


@blueprint.record_once
def write_plainly(state: BlueprintSetupState) -> None:
    """Documents as the command line writes them: Chinese as it is, names in our order."""
    provider = state.app.json
    if isinstance(provider, DefaultJSONProvider):
        provider.ensure_ascii = provider.sort_keys = False


@blueprint.after_request
def say_how(response: Response) -> Response:
    """Tell programs with what one signs in here, and that they may keep an answer but must ask whether it holds."""
    response.headers["Cache-Control"] = "private, no-cache"
    if response.status_code == Unauthorised.status:
        response.headers["WWW-Authenticate"] = 'Bearer realm="zhtj"'
    return response


# ---- what is asked for


def _asked(token: AccessToken) -> tuple[Organisation, int, date | None]:
    """Organisation, season and day of the address.

    Raises:
        NotFound: an organisation out of reach, a season without figures.
        DomainError: a season or day that is none.
    """
    organisation = access_tokens.reached(token, request.args.get("org", "").strip())
    text = request.args.get("season", "").strip() or str(clock.today().year)
    if not (text.isdecimal() and len(text) == _YEAR):
        raise DomainError(f"season 的值“{text}”不是届别。", fix="请写成 2026 这样。", field="season")
    documents.check_season(int(text))
    return organisation, int(text), queries.check_day(int(text), _day(request.args.get("at", "").strip()))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise DomainError(f"at 的值“{text}”不是日期。", fix="请写成 2026-09-30 这样。", field="at") from error


def _size() -> int:
    text = request.args.get("limit", "").strip() or str(USUAL)
    if not (text.isdecimal() and len(text) < len(str(paging.LARGEST)) and 0 < int(text) <= MOST):
        raise DomainError(f"limit 的值“{text}”不对。", fix=f"请填写 1 到 {MOST}。", field="limit")
    return int(text)


def _next(cursor: str) -> str | None:
    """Address of the page behind a cursor; None for "", where there is none."""
    if not cursor:
        return None
    kept: dict[str, Any] = {name: request.args[name] for name in ARGUMENTS if name in request.args}
    return url_for(str(request.endpoint), **kept, cursor=cursor)


# ---- the documents


@blueprint.get("/rates")
@with_token
def rates(token: AccessToken) -> dict[str, Any]:
    """The five rates of an organisation."""
    return documents.overview(*_asked(token))


@blueprint.get("/rates/children")
@with_token
def children(token: AccessToken) -> dict[str, Any]:
    """The same of its direct children, in the order of the tree."""
    asked, size = _asked(token), _size()
    found = documents.children(*asked)
    codes = [one["organisation"]["code"] for one in found]
    begin = _behind(codes)
    end = begin + size
    return {
        **documents.heading(*asked),
        "total": len(found),
        "children": found[begin:end],
        "next": _next(paging.encode([codes[end - 1]]) if end < len(found) else ""),
    }


def _behind(codes: Sequence[str]) -> int:
    """Where the page begins: behind the code that the cursor holds."""
    cursor = request.args.get("cursor", "")
    if not cursor:
        return 0
    (code,) = paging.decode(cursor, [str])
    if code not in codes:
        raise DomainError("翻页地址已经失效。", fix="请从第一页重新读取。", field="cursor")
    return codes.index(code) + 1


@blueprint.get("/rates/people")
@with_token
def people(token: AccessToken) -> dict[str, Any]:
    """The people behind one figure, as many as it says (PD-25); for tokens that open names."""
    if not token.people:
        raise Forbidden("这个令牌不能读取名单。", fix="需要名单的，请管理员创建允许读取名单的令牌。")
    asked = _asked(token)
    key = request.args.get("key", "").strip()
    label = queries.asked_for(key)
    organisation, season, day = asked
    listing = documents.people(organisation, season, key, day, _size())
    page = listing.page(after=request.args.get("cursor", ""))
    return {
        **documents.heading(*asked),
        "key": key,
        "label": label,
        "total": listing.count(),
        "people": page.rows,
        "next": _next(page.after),
    }
