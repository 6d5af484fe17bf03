"""Where mail may leave to: the mail server of ``ZHTJ_MAIL_URL`` and the chat robots of ``ZHTJ_WEBHOOK_URLS``.

Both hold secrets; neither is ever shown or stored.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

_PORTS = {"smtp": 25, "smtps": 465}
_SENDER = re.compile(r"[^\s@<>]+@[^\s@<>]+")
_ENTRY = re.compile(r"(?:(?P<place>[^=:/?]+)=)?(?P<url>[A-Za-z][A-Za-z0-9+.-]*:.+)")


@dataclass(frozen=True, slots=True)
class MailServer:
    """An SMTP server.

    Args:
        encrypted: TLS from the first byte (``smtps``); otherwise it begins as soon as the server offers it.
        sender: the address mail comes from.
    """

    host: str
    port: int
    encrypted: bool
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Robot:
    """A chat group's robot (群机器人).

    Args:
        place: code or full name of the organisation whose part of the tree concerns the group; "" for everything.
    """

    url: str = field(repr=False)
    place: str = ""

    @property
    def fingerprint(self) -> str:
        """What the database knows it by."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]


def mail_server(text: str) -> MailServer | None:
    """``smtp://user:password@host:port?from=address`` or ``smtps://…``; None for "".

    Raises:
        ValueError: what is wrong with it, in Chinese, without the password.
    """
    if not text.strip():
        return None
    parts = _split(text.strip())
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("应为 smtp://主机:端口?from=发件邮箱 或 smtps://…")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    sender = parse_qs(parts.query).get("from", [user])[0]
    if not _SENDER.fullmatch(sender):
        raise ValueError("缺少发件邮箱，请在末尾加上 ?from=发件邮箱")
    return MailServer(
        parts.hostname, parts.port or _PORTS[parts.scheme], parts.scheme == "smtps", sender, user, password
    )


def robots(text: str) -> tuple[Robot, ...]:
    """Entries ``URL`` or ``CODE=URL`` between blanks or commas.

    Raises:
        ValueError: which entry is wrong, in Chinese, without its secret.
    """
    found = []
    for number, entry in enumerate(filter(None, re.split(r"[\s,，]+", text)), start=1):
        match = _ENTRY.fullmatch(entry)
        parts = _split(match["url"]) if match else None
        if match is None or parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"第 {number} 项应为 https://… 或 组织编码=https://…")
        found.append(Robot(match["url"], match["place"] or ""))
    return tuple(dict.fromkeys(found))


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError as error:
        raise ValueError("主机或端口写法不对") from error
    return parts
