"""Receivers of letters for tests: a small SMTP server and a chat robot, on loopback, which may be away for a while."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class Receiver:
    """Something on a port that is not there until it is ``up()``; what arrived lies in ``letters``."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        # What it answers to the next letters; [] means yes.
        self.answers: list[str] = []
        with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as free:
            self.port: int = free.server_address[1]

    def server(self) -> socketserver.TCPServer:
        """A server on ``port``."""
        raise NotImplementedError

    @contextmanager
    def up(self) -> Iterator[None]:
        """It answers inside the block."""
        server = self.server()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class MailReceiver(Receiver):
    """Takes letters as an SMTP server does; ``answers`` are lines in place of the last 250."""

    letters: list[EmailMessage]

    @property
    def url(self) -> str:
        """For ``ZHTJ_MAIL_URL``."""
        return f"smtp://127.0.0.1:{self.port}?from=zhtj@example.com"

    def server(self) -> socketserver.TCPServer:
        return _MailServer(("127.0.0.1", self.port), _Conversation, self)


class _MailServer(_Server):
    def __init__(self, address: tuple[str, int], handler: Any, receiver: MailReceiver) -> None:
        self.receiver = receiver
        super().__init__(address, handler)


class _Conversation(socketserver.StreamRequestHandler):
    server: _MailServer

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.say("220 ready")
        for raw in self.rfile:
            word = raw[:4].upper()
            if word == b"DATA":
                self.say("354 go on")
                self.take()
            elif word == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("550 no such user" if b"nobody@" in raw else "250 ok")

    def take(self) -> None:
        lines = iter(self.rfile.readline, b".\r\n")
        raw = b"".join(line.removeprefix(b".") if line.startswith(b"..") else line for line in lines)
        receiver = self.server.receiver
        answer = receiver.answers.pop(0) if receiver.answers else "250 taken"
        if answer == "hang up":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if answer.startswith("250"):
            receiver.letters.append(message_from_bytes(raw, policy=policy.default))
        self.say(answer)


class _Http(HTTPServer):
    allow_reuse_address = True


class Robot(Receiver):
    """Answers as a chat group's robot does; ``answers`` are JSON texts in place of errcode 0."""

    letters: list[dict[str, Any]]

    @property
    def url(self) -> str:
        """For ``ZHTJ_WEBHOOK_URLS``."""
        return f"http://127.0.0.1:{self.port}/cgi-bin/webhook/send?key=secret"

    def server(self) -> socketserver.TCPServer:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = receiver.answers.pop(0) if receiver.answers else '{"errcode": 0, "errmsg": "ok"}'
                if '"errcode": 0' in answer:
                    receiver.letters.append(json.loads(body))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return _Http(("127.0.0.1", self.port), Handler)
