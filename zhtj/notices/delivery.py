"""Mail leaves the house: by SMTP, and to chat robots by the JSON that 企业微信 takes.

The receiver may be away for days. Each attempt is claimed and committed first (``outbox``), nothing is sent inside a
transaction, and a server that does not answer is left alone for the rest of the run.
"""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from zhtj.kernel import clock
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.work.outgoing import MailServer, Robot
from zhtj.notices import digests, outbox
from zhtj.notices.models import Channel
from zhtj.notices.outbox import ROBOT_BYTES, Mail

log = logging.getLogger(__name__)

BATCH = 200
PATIENCE = 10  # seconds for each answer
ROBOT_A_MINUTE = 20
REPLY_BYTES = 64 * 1024
FOR_GOOD = 500  # SMTP: from here on the answer will not change
SENDER_NAME = "团员组织关系转接系统"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class UndeliveredError(Exception):
    """A mail did not get through.

    Args:
        why: for the operator, without address or secret.
        forever: another attempt would fail too.
        down: the receiver as a whole does not answer.
    """

    def __init__(self, why: str, *, forever: bool = False, down: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.forever = forever
        self.down = down


class MailConnection:
    """The mail server; one connection serves a whole run.

    Args:
        address: the system's own, which stands under every mail; "" if it is not known.
    """

    def __init__(self, server: MailServer, address: str = "") -> None:
        self.server = server
        self.address = address
        self.connection: smtplib.SMTP | None = None

    def send(self, mail: Mail) -> None:
        """Hand one mail over; returns once the server has taken it. Raises UndeliveredError."""
        try:
            self._connect().send_message(self._message(mail))
        except smtplib.SMTPRecipientsRefused as error:
            code, reason = next(iter(error.recipients.values()))
            self.close()
            raise UndeliveredError(f"对方邮箱拒收：{code} {_text(reason)}", forever=code >= FOR_GOOD) from error
        except smtplib.SMTPDataError as error:
            self.close()
            raise UndeliveredError(f"邮件被拒收：{error.smtp_code} {_text(error.smtp_error)}") from error
        except smtplib.SMTPAuthenticationError as error:
            self.close()
            raise UndeliveredError("邮件服务器不接受用户名或密码", down=True) from error
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise UndeliveredError("邮件服务器没有应答", down=True) from error

    def _connect(self) -> smtplib.SMTP:
        if self.connection is None:
            self.connection = self._open()
        return self.connection

    def _open(self) -> smtplib.SMTP:
        server, context = self.server, ssl.create_default_context()
        if server.encrypted:
            opened: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE, context=context)
        else:
            opened = smtplib.SMTP(server.host, server.port, timeout=PATIENCE)
        try:
            self._introduce(opened, context)
        except BaseException:
            opened.close()
            raise
        return opened

    def _introduce(self, connection: smtplib.SMTP, context: ssl.SSLContext) -> None:
        """Encrypt if the server can, then sign in; a password never travels in the clear."""
        server = self.server
        secure = server.encrypted
        connection.ehlo()
        if not secure and connection.has_extn("starttls"):
            connection.starttls(context=context)
            connection.ehlo()
            secure = True
        if not server.user:
            return
        if not secure and server.host not in LOOPBACK:
            raise UndeliveredError("邮件服务器不支持加密，没有发送密码", down=True)
        connection.login(server.user, server.password)

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = " ".join(str(mail.payload["title"]).split())
        message["From"] = formataddr((SENDER_NAME, self.server.sender))
        message["To"] = mail.address
        message["Date"] = format_datetime(clock.now())
        # The same at every attempt: a mail that arrived without our knowing is recognised when it comes again.
        domain = self.server.sender.rpartition("@")[2]
        message["Message-ID"] = f"<zhtj.{mail.id}.{int(mail.created_at.timestamp())}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        foot = f"\n\n{SENDER_NAME}：{self.address}" if self.address else ""
        message.set_content(f"{mail.payload['text']}{foot}")
        return message

    def close(self) -> None:
        """Hang up."""
        if self.connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                self.connection.quit()
            self.connection = None


def _text(reason: bytes | str) -> str:
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
    return " ".join(text.split())


class Robots:
    """The chat robots, found by fingerprint; each takes twenty messages a minute."""

    def __init__(self, robots: tuple[Robot, ...]) -> None:
        self.urls = {robot.fingerprint: robot.url for robot in robots}
        self.counts: Counter[str] = Counter()

    def send(self, mail: Mail) -> None:
        """Hand one mail over; returns once the robot has said ``errcode`` 0. Raises UndeliveredError."""
        if mail.address not in self.urls:
            raise UndeliveredError("设置中已没有这个群机器人", forever=True)
        content = cut(f"{mail.payload['title']}\n{mail.payload['text']}", ROBOT_BYTES)
        body = json.dumps({"msgtype": "text", "text": {"content": content}}, ensure_ascii=False).encode()
        wanted = Request(  # noqa: S310 - http or https: checked when the settings were read
            self.urls[mail.address], data=body, headers={"Content-Type": "application/json"}, method="POST"
        )
        try:
            with urlopen(wanted, timeout=PATIENCE) as answer:  # noqa: S310 - as above
                reply = answer.read(REPLY_BYTES)
        except (URLError, HTTPException, OSError) as error:
            code = f"：{error.code}" if isinstance(error, HTTPError) else ""
            raise UndeliveredError(f"群机器人没有应答{code}", down=True) from error
        _check(reply)

    def is_full(self, address: str) -> bool:
        """Whether this robot has had its share of this run; counts the question as one mail."""
        self.counts[address] += 1
        return self.counts[address] > ROBOT_A_MINUTE


def _check(reply: bytes) -> None:
    try:
        answer = json.loads(reply)
        code = answer["errcode"]
    except (ValueError, KeyError, TypeError) as error:
        raise UndeliveredError("群机器人的答复无法识别", down=True) from error
    if code != 0:
        raise UndeliveredError(f"群机器人拒收：{code} {_text(str(answer.get('errmsg', '')))}", down=True)


def cut(text: str, size: int) -> str:
    """At most ``size`` bytes of UTF-8, ending in … where something is missing."""
    raw = text.encode()
    if len(raw) <= size:
        return text
    return raw[: size - len("…".encode())].decode("utf-8", "ignore") + "…"


@dataclass(slots=True)
class Run:
    """What one run did."""

    found: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0


def deliver(server: MailServer | None, robots: tuple[Robot, ...], address: str = "") -> Run:
    """Send what is due, up to some hundred mails a channel; safe twice, at once, and when killed (PD-36).

    Args:
        server: without one, mail by SMTP waits.
        robots: of the settings.
        address: the system's own, to be named in every mail (PD-19).
    """
    run = Run()
    if server is not None:
        with _connected(server, address) as connection:
            _each(run, Channel.MAIL, connection.send, lambda _: "", lambda _: False)
    group = Robots(robots)
    _each(run, Channel.WEBHOOK, group.send, lambda mail: mail.address, lambda mail: group.is_full(mail.address))
    return run


@contextmanager
def _connected(server: MailServer, address: str) -> Iterator[MailConnection]:
    connection = MailConnection(server, address)
    try:
        yield connection
    finally:
        connection.close()


def _each(run: Run, channel: Channel, send: Any, receiver: Any, is_full: Any) -> None:
    down: set[str] = set()
    for written in outbox.due(channel, BATCH):
        run.found += 1
        if receiver(written) in down or is_full(written):
            run.skipped += 1
            continue
        mail = _claim(written)
        if mail is None:
            run.skipped += 1
            continue
        try:
            send(mail)
        except UndeliveredError as error:
            run.failed += 1
            log.warning("mail %s not delivered: %s (%r)", mail.id, error.why, error.__cause__)
            with unit_of_work():
                outbox.fail(mail.id, mail.attempts + 1, error.why, forever=error.forever)
            if error.down:
                down.add(receiver(mail))
        else:
            run.done += 1
            with unit_of_work():
                outbox.confirm(mail.id, mail.payload)


def _claim(mail: Mail) -> Mail | None:
    """The mail with its words, taken in hand; None if somebody else has it, or there is nothing left to say."""
    with unit_of_work():
        if mail.attempts >= outbox.ATTEMPTS_AT_MOST:
            outbox.fail(mail.id, mail.attempts, outbox.INTERRUPTED)
            return None
        if not outbox.claim(mail.id, mail.attempts):
            return None
        words = digests.words(mail)
        if words is None:
            outbox.fail(mail.id, mail.attempts + 1, outbox.NOTHING_LEFT, forever=True)
            return None
        return mail._replace(payload=words)
