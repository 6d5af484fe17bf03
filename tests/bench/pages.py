"""How much our pages cost over a bare one: ``python -m tests.bench.pages``.

The bare application is Flask, Flask-Login, two SELECTs and one Jinja template whose page is as long as ours. Both run
in this process on the same SQLite file, in turns, so that the ratio holds while the machine's speed drifts.
Bound: our throughput is at least 0.6 of the bare one's.
"""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask, render_template_string
from flask_login import LoginManager, UserMixin, login_required
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from tests.transfers.steps import EMPLOYED, start
from tests.world import World
from zhtj.factory import create_app
from zhtj.graduation import operations as graduation
from zhtj.kernel import audit, clock
from zhtj.kernel.database import Base, db, unit_of_work
from zhtj.people.models import Account, Member

BOUND = 0.6
ROUNDS = 7
REQUESTS = 40
ROWS = 20

BARE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{{ title }}</title></head><body>
<h1>{{ account.name }}</h1><table>{% for member in members %}<tr><td>{{ member.account.name }}</td>
<td>{{ member.student_no }}</td><td>{{ member.sex }}</td><td>{{ member.joined_on }}</td><td>{{ member.dev_number }}</td>
<td>{{ member.ethnicity }}</td><td>{{ member.account.mobile }}</td><td>{{ member.created_at }}</td><td>{{ filler }}</td>
</tr>{% endfor %}</table></body></html>"""


def bare(uri: str, filler: list[int]) -> Flask:
    """Flask + Flask-Login + two SELECTs + one template; ``filler`` holds the bytes that make its page as long."""
    app = Flask("bare")
    app.config.update(SECRET_KEY="bench", SQLALCHEMY_DATABASE_URI=uri)
    db.init_app(app)
    manager = LoginManager(app)

    class User(UserMixin):  # type: ignore[misc]  # the library is untyped
        def __init__(self, account: Account) -> None:
            self.account = account

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(text: str) -> User | None:
        account = db.session.get(Account, int(text))
        return User(account) if account else None

    @app.get("/")
    @login_required  # type: ignore[untyped-decorator]
    def page() -> str:
        from flask_login import current_user  # noqa: PLC0415 - only here

        members = db.session.scalars(
            select(Member).options(joinedload(Member.account)).order_by(Member.id).limit(ROWS)
        ).all()
        return render_template_string(
            BARE, title="bare", account=current_user.account, members=members, filler="字" * (filler[0] // 3 // ROWS)
        )

    return app


def client(app: Flask, account: tuple[int, int], *, plain: bool) -> Callable[[str], bytes]:
    """A signed-in client that only returns the body."""
    browser = app.test_client()
    with browser.session_transaction() as kept:
        kept["_user_id"] = str(account[0]) if plain else f"{account[0]}.{account[1]}"
        kept["_fresh"] = True

    def get(path: str) -> bytes:
        response = browser.get(path)
        if response.status_code != 200:
            raise SystemExit(f"{path}: {response.status_code}")
        return response.get_data()

    return get


def seconds(get: Callable[[str], bytes], path: str) -> float:
    """Time of one round of requests."""
    gc.collect()
    began = time.perf_counter()
    for _ in range(REQUESTS):
        get(path)
    return time.perf_counter() - began


def main() -> int:
    """Print both pages' throughput and the ratios; exit 1 below the bound."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({"ZHTJ_ENV": "test", "ZHTJ_INSTANCE": folder})
        clock.stand_still(clock.parse("2026-10-08T09:00"))
        with app.app_context():
            Base.metadata.create_all(db.engine)
            with audit.acting(None):
                world = World.build()
                with unit_of_work():
                    people = [world.enrol(f"团员{n:03d}", "class1") for n in range(60)]
                    graduation.open_register()
                start(world.own_seat(world.graduate), world.graduate, world.orgs["company"], **EMPLOYED)
                for member in people[:ROWS]:
                    start(world.seat("team"), member, world.orgs["team"], **EMPLOYED)
            who = {
                "/member/": (world.graduate.account_id, world.graduate.account.session_version),
                "/branch/applications": (world.accounts["class1"].id, 1),
                "/branch/waiting": (world.accounts["class1"].id, 1),
            }
        failed = False
        for path, account in who.items():
            ours = client(app, account, plain=False)
            length = len(ours(path))
            fill = [0]
            plain = client(bare(f"sqlite:///{Path(folder) / 'zhtj.db'}", fill), account, plain=True)
            fill[0] = max(0, length - len(plain("/")))
            pairs = [(seconds(plain, "/"), seconds(ours, path)) for _ in range(ROUNDS)]
            ratio = statistics.median(b / o for b, o in pairs)
            print(  # noqa: T201 - what a benchmark is for
                f"{path:24} {length:6} B  ours {REQUESTS / statistics.median(o for _, o in pairs):6.0f}/s  "
                f"bare {REQUESTS / statistics.median(b for b, _ in pairs):6.0f}/s  ratio {ratio:.2f} (bound {BOUND})"
            )
            failed |= path in {"/member/", "/branch/waiting"} and ratio < BOUND
        return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
