"""What other processes do to the same database, at the same moment.

They are forked from a server that has imported the project once, and build the application anew, as web processes do.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from typing import Any

from flask import Flask

from tests.browsing import Browser
from zhtj import sweeps
from zhtj.factory import create_app
from zhtj.kernel import audit
from zhtj.kernel.database import session, unit_of_work
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.orgs.models import Organisation
from zhtj.people.models import Account, Member
from zhtj.transfers import operations
from zhtj.transfers.applying.situations import Submission
from zhtj.transfers.models import Application
from zhtj.transfers.rules import Ground
from zhtj.transfers.watching import sweeps as returns

PATIENCE = 60


def family() -> ForkServerContext:
    """Where processes come from; the project is imported once for all of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def variables(app: Flask, moment: str) -> dict[str, str]:
    """The environment of another process on the database of ``app``, whose clock stands at ``moment``."""
    conf = app.config["ZHTJ"]
    return {
        "ZHTJ_ENV": "test",
        "ZHTJ_INSTANCE": str(conf.instance),
        "ZHTJ_DATABASE_URL": conf.database_url,
        "ZHTJ_REDIS_URL": conf.redis_url,
        "ZHTJ_SECRET_KEY": conf.secret_key,
        "ZHTJ_DATA_KEYS": ",".join(conf.data_keys),
        "ZHTJ_NOW": f"={moment}",
    }


@dataclass(frozen=True)
class Deed:
    """One thing to do: an operation of transfers in a seat, on an application; or a whole sweep.

    Args:
        action: ``accept``, ``approve``, ``refuse``, ``withdraw``, ``submit`` or ``sweep``.
        number: id of the application; of the member, for ``submit``.
        to: id of the destination, for ``submit``.
    """

    action: str
    number: int = 0
    seat: ActiveSeat | None = None
    to: int = 0

    def do(self) -> str:
        """Do it; what came of it in words."""
        if self.action == "sweep":
            return json.dumps(sweeps.run("return").as_dict())
        assert self.seat is not None
        try:
            with audit.acting(self.seat), unit_of_work():
                self._write(self.seat)
        except DomainError as error:
            return f"{type(error).__name__}: {error}"
        return "done"

    def _write(self, seat: ActiveSeat) -> None:
        if self.action == "submit":
            member, to = session.get_one(Member, self.number), session.get_one(Organisation, self.to)
            operations.submit(Submission(member, to, "employed_with_org", unit_name="示例科技有限公司"), seat)
            return
        application = session.get_one(Application, self.number)
        if self.action == "refuse":
            operations.refuse(application, seat, Ground.OTHER, "手续还没有办完")
            return
        deeds = {"accept": operations.accept, "approve": operations.approve, "withdraw": operations.withdraw}
        deeds[self.action](application, seat)


def perform(environment: dict[str, str], deeds: Sequence[Deed], together: Any, answers: Any) -> None:
    """Do one deed after another, each at the same moment as the other process does its own."""
    app = create_app(environment)
    with app.app_context():
        session.connection()
        session.rollback()
        for position, deed in enumerate(deeds):
            together.wait(PATIENCE)
            try:
                answer = deed.do()
            except Exception as error:  # noqa: BLE001 - told to the test
                answer = f"crash: {error!r}"
            answers.put((position, deed, answer))


def browse(environment: dict[str, str], account_id: int, numbers: Sequence[int], together: Any, answers: Any) -> None:
    """Approve one application after another in a browser, each page opened before the other one's click."""
    app = create_app(environment)
    with app.app_context():
        account = session.get_one(Account, account_id)
        session.expunge_all()
    for number in numbers:
        browser = Browser(app.test_client()).login(account)
        form = browser.get(f"/branch/applications/{number}").form(f"/applications/{number}/accept")
        together.wait(PATIENCE)
        page = form.submit()
        answers.put((number, account_id, page.status, page.text))


def sweep(environment: dict[str, str], chunk: int, start: Any) -> None:
    """Return what is due, in small chunks, as soon as told to."""
    app = create_app(environment)
    returns.CHUNK = chunk
    with app.app_context():
        session.connection()
        session.rollback()
        assert start.wait(PATIENCE)
        sweeps.run("return")


@contextmanager
def processes(*jobs: tuple[Any, ...]) -> Iterator[list[BaseProcess]]:
    """These processes, each a function and its arguments; none is left behind."""
    started: list[BaseProcess] = []
    try:
        for function, *arguments in jobs:
            process: BaseProcess = family().Process(target=function, args=tuple(arguments), daemon=True)
            process.start()
            started.append(process)
        yield started
    finally:
        for process in started:
            process.kill()
            process.join()


def at_once(
    app: Flask, first: Sequence[Deed], second: Sequence[Deed], *moments: str
) -> list[tuple[tuple[Deed, str], tuple[Deed, str]]]:
    """Two processes do these deeds, the n-th of the one at the same moment as the n-th of the other.

    Args:
        app: whose database.
        first, second: what each of them does.
        moments: where their clocks stand, one for both or one each.

    Returns:
        Round by round both deeds with what came of them, the one that was done before the one that was refused.
    """
    context = family()
    together, answers = context.Barrier(2), context.Queue()
    jobs = [
        (perform, variables(app, moment), deeds, together, answers)
        for moment, deeds in ((moments[0], first), (moments[-1], second))
    ]
    with processes(*jobs):
        found = [answers.get(timeout=PATIENCE) for _ in range(len(first) + len(second))]
    rounds = []
    for position in range(len(first)):
        one, other = sorted(
            ((deed, answer) for number, deed, answer in found if number == position), key=lambda pair: pair[1] != "done"
        )
        rounds.append((one, other))
    return rounds
