"""数据接口: figures as JSON for an organisation's own data centre; read-only, opened by its token (PD-25, PD-37).

Described for its readers at ``/help/interface``. Errors are documents too: see ``error_pages.render``.
"""

from __future__ import annotations

from collections.abc import Callable
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


def with_token(view: Callable[[access_tokens.AccessToken], dict[str, Any]]) -> Callable[[], AnyResponse]:
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


def _token() -> access_tokens.AccessToken:
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


def _asked(token: access_tokens.AccessToken) -> tuple[Organisation, int, date | None]:
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


def _after(kind: type) -> Any:
    """The place behind which the page begins; None: the first page."""
    cursor = request.args.get("cursor", "")
    return paging.decode(cursor, [kind])[0] if cursor else None


def _next(last: str | int | None) -> str | None:
    """Address of the page behind ``last``."""
    if last is None:
        return None
    kept: dict[str, Any] = {name: request.args[name] for name in ARGUMENTS if name in request.args}
    return url_for(str(request.endpoint), **kept, cursor=paging.encode([last]))


# ---- the documents


@blueprint.get("/rates")
@with_token
def rates(token: access_tokens.AccessToken) -> dict[str, Any]:
    """The five rates of an organisation."""
    return documents.overview(*_asked(token))


@blueprint.get("/rates/children")
@with_token
def children(token: access_tokens.AccessToken) -> dict[str, Any]:
    """The same of its direct children, in the order of the tree."""
    asked, size, after = _asked(token), _size(), _after(str)
    found = documents.children(*asked)
    codes = [one["organisation"]["code"] for one in found]
    if after is not None and after not in codes:
        raise DomainError("翻页地址已经失效。", fix="请从第一页重新读取。", field="cursor")
    begin = codes.index(after) + 1 if after is not None else 0
    shown = found[begin : begin + size]
    more = begin + size < len(found)
    return {
        **documents.heading(*asked),
        "total": len(found),
        "children": shown,
        "next": _next(codes[begin + size - 1] if more else None),
    }


@blueprint.get("/rates/people")
@with_token
def people(token: access_tokens.AccessToken) -> dict[str, Any]:
    """The people behind one figure, as many as it says (PD-25); for tokens that open names."""
    if not token.people:
        raise Forbidden("这个令牌不能读取名单。", fix="需要名单的，请管理员创建允许读取名单的令牌。")
    asked, size, after = _asked(token), _size(), _after(int)
    key = request.args.get("key", "").strip()
    label = queries.asked_for(key)
    organisation, season, day = asked
    shown, last = documents.people(organisation, season, key, day, after=after or 0, size=size)
    return {
        **documents.heading(*asked),
        "key": key,
        "label": label,
        "total": queries.how_many(organisation.path, season, key, day),
        "people": shown,
        "next": _next(last),
    }
