"""What happens around every request: its id, who acts for the audit log, how long it took."""

from __future__ import annotations

import time
from contextlib import ExitStack

from flask import Flask, Response, g, request
from flask_login import current_user
from prometheus_client import Counter, Histogram

from zhtj.kernel import audit
from zhtj.kernel.ids import request_id
from zhtj.web.access import current_choice

REQUESTS = Counter("zhtj_requests", "Requests answered", ["endpoint", "status"])
SECONDS = Histogram("zhtj_request_seconds", "Time to answer a request", ["endpoint"])
SILENT = frozenset({"stylesheet", "static", "public.healthz", "public.readyz", "public.metrics"})


def register(app: Flask) -> None:
    """Hook into each request."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()
        g.request_id = request_id()
        if request.endpoint in SILENT:
            return
        choice = current_choice() if current_user.is_authenticated else None
        g.acting = ExitStack()
        g.acting.enter_context(audit.acting(choice.seat if choice else None, request=g.request_id))

    @app.after_request
    def measure(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        REQUESTS.labels(endpoint, str(response.status_code)).inc()
        SECONDS.labels(endpoint).observe(time.perf_counter() - g.get("began", time.perf_counter()))
        if "request_id" in g:
            response.headers["X-Request-Id"] = g.request_id
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        acting = g.pop("acting", None)
        if acting is not None:
            acting.close()
