"""Reports read the replica, write nothing there, say how old they are, and do without it when it is away."""

from __future__ import annotations

import contextvars
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError

from tests.browsing import Browser, Page
from tests.conftest import Installation, twin
from tests.transfers.steps import EMPLOYED, acting, do, start
from tests.world import World
from zhtj.graduation import operations as graduation
from zhtj.kernel import audit
from zhtj.kernel.database import db, session, unit_of_work
from zhtj.kernel.sql import replica
from zhtj.kernel.work import queue as work_queue
from zhtj.orgs.models import Organisation
from zhtj.rates import access_tokens
from zhtj.rates.models import RateCounter, Standing
from zhtj.transfers import operations

NOWHERE = {"sqlite": "sqlite:////nowhere/at/all.db", "postgresql": "postgresql://nobody@127.0.0.1:1/nothing"}


def fill() -> World:
    """The same world, number by number, each time."""
    world = World.build()
    with unit_of_work():
        graduation.open_register()
    return world


@dataclass
class Pair:
    """An installation with a replica, which is what the database was before ``arrive``.

    Args:
        on_replica: statements that were executed there.
    """

    app: Flask
    world: World
    on_replica: list[str]

    def arrive(self) -> None:
        """On the primary alone a graduate arrives."""
        application = start(
            self.world.own_seat(self.world.graduate), self.world.graduate, self.world.orgs["team"], **EMPLOYED
        )
        do(operations.accept, application, self.world.seat("team"))

    def page(self, path: str) -> Page:
        """A page as the province's secretary sees it."""
        return Browser(self.app.test_client()).login(self.world.accounts["province"]).get(path)

    def document(self, plain: str) -> Any:
        """The province's figures as JSON."""
        session.commit()
        client, headers = self.app.test_client(), {"Authorization": f"Bearer {plain}"}
        return contextvars.Context().run(lambda: client.get("/api/v1/rates", headers=headers).get_json())

    def command(self) -> Any:
        """What the command line says, and its remarks."""
        session.commit()
        done = self.app.test_cli_runner().invoke(args=["rates", "--season", "2026", "--org", "34", "--json"])
        return json.loads(done.stdout), done.stderr


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    """No replica of another test is left alone."""
    replica._away.until = 0.0
    yield
    replica._away.until = 0.0


@pytest.fixture
def paired(installation: Installation) -> Iterator[Callable[[str], Pair]]:
    """Makes the pair; an address that leads nowhere takes the place of the replica's."""
    contexts = []

    def make(nowhere: str = "") -> Pair:
        copy, replica_url = installation.copy()
        with copy.app_context(), audit.acting(None):
            fill()
            db.session.remove()
            db.engine.dispose()
        _, url = installation.copy()
        app = twin(installation.app, url, nowhere or replica_url)
        context = app.app_context()
        context.push()
        contexts.append(context)
        seen: list[str] = []

        def listen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(" ".join(statement.split()))

        event.listen(db.engines[replica.BIND], "before_cursor_execute", listen)
        with audit.acting(None):
            return Pair(app, fill(), seen)

    yield make
    for context in contexts:
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()
        context.pop()


def done(document: Any) -> tuple[int, int]:
    rate = document["rates"]["society"]
    return rate["numerator"], rate["denominator"]


def token(pair: Pair) -> str:
    seat = pair.world.seat("province")
    with acting(seat):
        return access_tokens.create(seat, "省数据中心", date(2026, 12, 31), people=True)[1]


def test_reports_read_the_replica_and_say_how_old_it_is(paired: Callable[[str], Pair], clock_at: Any) -> None:
    # Given a graduate who has arrived since the replica was last brought up to date, and five minutes
    pair = paired("")
    plain = token(pair)
    pair.arrive()
    clock_at("2026-10-14T09:05")

    # When page, interface and command line are asked
    document, (printed, remarks) = pair.document(plain), pair.command()
    page = pair.page("/provincial/rates")

    # Then they say what the replica says, and since when
    assert done(document) == done(printed) == (0, 2)
    assert (document["source"], document["lag_seconds"]) == ("replica", 300)
    assert document["as_of"] == printed["as_of"] == "2026-10-14T09:00:00+08:00"
    assert "0.00%" in page.text
    assert "报表取自备库，约晚 5 分钟" in page.text
    assert remarks == ""
    # and the database itself knows better
    assert session.scalar(select(Standing.done).where(Standing.done)) is True


def test_nothing_is_written_to_the_replica(paired: Callable[[str], Pair]) -> None:
    pair = paired("")
    plain = token(pair)
    pair.arrive()
    for _ in range(2):
        pair.document(plain)
        for tab in ("rates", "rates/people?key=graduates", "rates/tokens"):
            assert pair.page(f"/provincial/{tab}").status == 200

    assert any("rate_counters" in statement for statement in pair.on_replica)
    assert any("standings" in statement for statement in pair.on_replica)
    assert {statement.split()[0] for statement in pair.on_replica} - {"BEGIN"} == {"SELECT"}
    with pytest.raises(DBAPIError):
        replica.reports().execute(text("DELETE FROM rate_counters"))


def test_what_is_committed_later_than_the_replica_shows_once_it_is_there(paired: Callable[[str], Pair]) -> None:
    pair = paired("")
    plain = token(pair)

    assert pair.document(plain)["lag_seconds"] == 0
    assert "报表取自备库" in pair.page("/provincial/rates").text


def test_a_replica_that_is_away_is_said_and_done_without(
    paired: Callable[[str], Pair],
    installation: Installation,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a replica that does not answer
    pair = paired(NOWHERE[installation.backend])
    plain = token(pair)
    pair.arrive()

    # When reports are asked for
    with caplog.at_level(logging.WARNING, logger="zhtj.kernel.sql.replica"):
        document, (printed, remarks) = pair.document(plain), pair.command()
        page = pair.page("/provincial/rates")

    # Then they come from the database itself, say so, and the log has it once, not for each
    assert done(document) == done(printed) == (1, 2)
    assert (document["source"], document["lag_seconds"]) == ("primary", 0)
    assert page.status == 200
    assert "报表备库暂时连不上，下面的数据直接取自主库。" in page.text
    assert remarks == "报表备库连不上，以下数据取自主库。\n"
    assert len([record for record in caplog.records if record.name == "zhtj.kernel.sql.replica"]) == 1
    # and the installation is as ready as before
    monkeypatch.setattr(work_queue, "reachable", lambda: True)
    assert Browser(pair.app.test_client()).get("/readyz").status == 200


def test_without_a_replica_reports_are_part_of_the_transaction(world: World) -> None:
    assert replica.reports() is session()
    assert (replica.lag(), replica.is_away()) == (None, False)
    assert replica.reports().get(Organisation, world.orgs["province"].id) is world.orgs["province"]
    assert replica.reports().scalar(select(RateCounter.season).limit(1)) == 2026
