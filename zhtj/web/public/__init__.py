"""Addresses open to everybody: the way in, health, metrics."""

from __future__ import annotations

from ipaddress import ip_address

from flask import Response, abort, redirect, render_template, request, url_for
from flask_login import current_user
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import session
from zhtj.kernel.work import queue as work_queue
from zhtj.orgs.policies import national_policy
from zhtj.policy.destinations import judge, summary
from zhtj.policy.vocabulary import Destination, Reason
from zhtj.web import routes
from zhtj.web.access import current_choice, public
from zhtj.web.public import advice, chart, interface, letters, offices
from zhtj.web.rendering.navigation import home_of

__all__ = ["advice", "chart", "interface", "letters", "offices"]

# What most people ask, in the words of the policy in force.
EXPLAINED = (
    "employed_with_org",
    "employed_without_org",
    "further_study",
    "unplaced",
    "enlisted",
    "overseas_study",
    "overseas_private",
    "delayed",
)
FORWARDED = frozenset({"forwarded", "via", "x-forwarded-for", "x-real-ip"})


@routes.public.get("/")
@public
def index() -> AnyResponse:
    """To the active seat's workbench, or to the login page."""
    if not current_user.is_authenticated:
        return redirect(url_for("auth.login"))
    choice = current_choice()
    if choice is None:
        return redirect(url_for("auth.account"))
    return redirect(home_of(choice.seat.kind))


@routes.public.get("/help/")
@public  # H-01: guides and common questions are open before login.
def help_page() -> str:
    """How the transfer goes, in our own words."""
    policy = national_policy()
    external = judge(policy, Reason.OTHER, Destination.EXTERNAL)
    where_to = [summary(policy, key) for key in EXPLAINED] + [(Destination.EXTERNAL.label, external.why)]
    return render_template("public/help.html", where_to=where_to, policy=policy)


@routes.public.get("/healthz")
@public
def healthz() -> Response:
    """The process is alive."""
    return Response("ok\n", mimetype="text/plain")


@routes.public.get("/readyz")
@public
def readyz() -> Response:
    """Database and queue answer."""
    problems = []
    try:
        session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        problems.append("database")
    if not work_queue.reachable():
        problems.append("queue")
    return Response(
        "".join(f"{name}\n" for name in problems) or "ok\n", 503 if problems else 200, mimetype="text/plain"
    )


@routes.public.get("/metrics")
@public
def metrics() -> Response:
    """Figures for Prometheus, for a scraper on this machine; not through a proxy, which makes everybody local."""
    address = request.remote_addr
    passed_on = not FORWARDED.isdisjoint(name.lower() for name in request.headers.keys())  # noqa: SIM118 - pairs otherwise
    if passed_on or (address is not None and not ip_address(address).is_loopback):
        abort(404)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
