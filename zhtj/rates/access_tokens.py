"""Tokens of the read-only interface for an organisation's own data centre (数据接口令牌, PD-37, PD-38).

A token belongs to an organisation and reaches what its administrators reach: the organisation and all below it. It is
shown once and kept as a keyed hash only.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import joinedload

from zhtj.kernel import audit, clock
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session, touched
from zhtj.kernel.errors import Conflict, DomainError, NotFound
from zhtj.kernel.limits import Limit
from zhtj.kernel.permissions import ActiveSeat, Permission, check, subtree
from zhtj.orgs.models import Organisation
from zhtj.rates.models import AccessToken

PREFIX = "zhtj_"
_BYTES = 32
HINT = 4
"""Signs at its end by which a token can be told from others."""
LONGEST = timedelta(days=366)
MOST = 20
"""Tokens in use of one organisation."""
PER_MINUTE = Limit("interface", times=120, seconds=60, what="这个令牌查询得太频繁")
REFUSED = Limit("interface-refused", times=30, seconds=600, what="错误的令牌太多")
# Written at most so often: what reads is not to be slowed by what it writes.
_NOTED_EVERY = timedelta(minutes=1)


def _hash(plain: str) -> str:
    return keyed_hash("access_token", plain)


def of(seat: ActiveSeat) -> Sequence[AccessToken]:
    """The tokens of the seat's organisation: those in use first, newest first."""
    query = select(AccessToken).where(AccessToken.org_id == seat.org_id).options(joinedload(AccessToken.created_by))
    found = session.scalars(query.order_by(AccessToken.id.desc())).all()
    return sorted(found, key=lambda one: not one.is_open)


def create(seat: ActiveSeat, name: str, valid_until: date, *, people: bool) -> tuple[AccessToken, str]:
    """Make a token of the seat's organisation. Returns it and its plain text, which nobody sees again.

    Args:
        seat: who; its organisation is what the token reaches.
        name: what it is for.
        valid_until: its last day, at most a year ahead.
        people: whether it opens names, too.

    Raises:
        Forbidden: this kind of seat makes none.
        DomainError: no name, or a day that does not fit.
        Conflict: the organisation has enough of them.
    """
    check(seat, Permission.ACCESS_TOKENS, seat.path)
    name, today = " ".join(name.split()), clock.today()
    if not 0 < len(name) <= AccessToken.name.type.length:
        raise DomainError("请写明用途。", fix="最多 60 个字，如“数据中心：毕业生看板”。", field="name")
    if not today <= valid_until <= today + LONGEST:
        raise DomainError("有效期从今天起，最长一年。", fix="到期前可以换新的令牌。", field="valid_until")
    if sum(one.is_open for one in of(seat)) >= MOST:
        raise Conflict(f"在用的令牌已有 {MOST} 个。", fix="请先停用不再使用的。")
    plain = PREFIX + secrets.token_urlsafe(_BYTES)
    found = AccessToken(
        org_id=seat.org_id,
        name=name,
        token_hash=_hash(plain),
        hint=plain[-HINT:],
        people=people,
        created_at=clock.now(),
        created_by_account_id=seat.account_id,
        valid_until=valid_until,
    )
    session.add(found)
    session.flush()
    audit.record(
        "access_token.create",
        "access_token",
        found.id,
        name=name,
        valid_until=valid_until.isoformat(),
        people=people,
    )
    return found, plain


def revoke(number: int, seat: ActiveSeat) -> AccessToken:
    """End a token at once.

    Raises:
        NotFound: the seat's organisation has no such token.
        Conflict: it has ended already.
    """
    check(seat, Permission.ACCESS_TOKENS, seat.path)
    found = session.get(AccessToken, number, populate_existing=True)
    if found is None or found.org_id != seat.org_id:
        raise NotFound
    open_one = (AccessToken.id == number, AccessToken.revoked_at.is_(None))
    if touched(session.execute(update(AccessToken).where(*open_one).values(revoked_at=clock.now()))) == 0:
        raise Conflict("这个令牌已经停用。", fix="请刷新页面。")
    session.refresh(found)
    audit.record("access_token.revoke", "access_token", number, name=found.name)
    return found


def recognise(plain: str) -> AccessToken | None:
    """The token that was sent, if it is good: in use, of an organisation that is."""
    if not plain.startswith(PREFIX):
        return None
    query = select(AccessToken).where(AccessToken.token_hash == _hash(plain)).options(joinedload(AccessToken.org))
    found = session.scalars(query).first()
    return found if found is not None and found.is_open and found.org.closed_at is None else None


def note_use(token: AccessToken) -> None:
    """Remember when it was last used, to the minute."""
    moment = clock.now()
    stale = or_(AccessToken.used_at.is_(None), AccessToken.used_at <= moment - _NOTED_EVERY)
    session.execute(update(AccessToken).where(AccessToken.id == token.id, stale).values(used_at=moment))


def reached(token: AccessToken, words: str) -> Organisation:
    """The organisation that a question names by code or full name, by default the token's own.

    Raises:
        NotFound: there is none, or it is not the token's, nor below it.
    """
    if not words:
        return token.org
    named = or_(Organisation.code == words, Organisation.full_name == words)
    found = session.scalars(select(Organisation).where(named, subtree(Organisation.path, token.org.path))).first()
    if found is None:
        raise NotFound("没有找到这个组织，或不在令牌的范围内。", fix="请核对组织编码。", field="org")
    return found
