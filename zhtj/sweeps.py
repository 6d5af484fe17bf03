"""Everything that falls due by itself, in one registry: jobs and ``flask sweep`` run it from here (PD-36)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from flask import current_app

from zhtj.config import Config
from zhtj.editions import operations as editions
from zhtj.editions import work as edition_work
from zhtj.exports import operations as exports
from zhtj.exports import work as export_work
from zhtj.floating import reminders as floating
from zhtj.graduation import conversion, season_register
from zhtj.graduation import operations as graduation
from zhtj.identity import checking
from zhtj.identity import reminders as missing_files
from zhtj.imports import batches
from zhtj.imports import work as imports
from zhtj.kernel import audit, clock, limits
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.work import periods
from zhtj.letters import outstanding
from zhtj.letters.many import letter_batches
from zhtj.notices import delivery, digests, outbox
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.people.finding import duplicates
from zhtj.rates.counting import recount
from zhtj.transfers.applying import waits
from zhtj.transfers.many import runs
from zhtj.transfers.watching import sweeps as transfers

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SweepCounts:
    """What one sweep did: rows found, done, skipped (someone else was first), failed."""

    found: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0

    def as_dict(self) -> dict[str, int]:
        """For ``--json``."""
        return asdict(self)


def _return_overdue(at: datetime) -> SweepCounts:
    found = transfers.overdue(at)
    done, skipped, failed = transfers.return_overdue(at)
    return SweepCounts(found, done, skipped, failed)


def _config() -> Config:
    conf: Config = current_app.config["ZHTJ"]
    return conf


def _remind(at: datetime) -> SweepCounts:
    del at
    conf = _config()
    with audit.acting(None):
        due, sent = digests.remind(mail=conf.mail is not None, robots=conf.robots)
    return SweepCounts(due, sent, due - sent)


def _deliver(at: datetime) -> SweepCounts:
    del at
    conf = _config()
    run = delivery.deliver(conf.mail, conf.robots, conf.address)
    with unit_of_work():
        outbox.forget_old()
    return SweepCounts(run.found, run.done, run.skipped, run.failed)


def _resume_runs(at: datetime) -> SweepCounts:
    found, done = runs.resume(at)
    return SweepCounts(found, done, found - done)


def _resume_exports(at: datetime) -> SweepCounts:
    found, done = export_work.resume(at, _config().instance)
    return SweepCounts(found, done, found - done)


def _resume_dry_runs(at: datetime) -> SweepCounts:
    found, done = edition_work.resume(at)
    return SweepCounts(found, done, found - done)


def _resume_letters(at: datetime) -> SweepCounts:
    found, done = letter_batches.resume(at)
    return SweepCounts(found, done, found - done)


def _remind_of_letters(at: datetime) -> SweepCounts:
    del at
    with unit_of_work(), audit.acting(None):
        found, told = outstanding.remind()
    return SweepCounts(found, told, found - told)


def _resume_imports(at: datetime) -> SweepCounts:
    found, done = imports.resume(at)
    return SweepCounts(found, done, found - done)


def _in_unit(work: Callable[[], int]) -> Callable[[datetime], SweepCounts]:
    def run(at: datetime) -> SweepCounts:
        del at
        with unit_of_work(), audit.acting(None):
            done = work()
        return SweepCounts(done, done)

    return run


def _foretell() -> int:
    """Tell every school a week ahead what the conversion of 1 June will do to it, once a season (G-09)."""
    told = conversion.notices()
    if not told or not periods.claim(conversion.NOTICE_NAME, clock.today().year):
        return 0
    return notices.send_many(NewMessage(MessageKind.REMINDER, title, body, org_id=org) for org, title, body in told)


def _identity(at: datetime) -> SweepCounts:
    """Ask about everybody whose identity is due; while the source is down they stay due (U-12)."""
    del at
    with audit.acting(None):
        found, done, left = checking.run_due()
    return SweepCounts(found, done, left)


def _seal(at: datetime) -> SweepCounts:
    del at
    done = audit.seal()
    return SweepCounts(done, done)


# In the order in which `flask sweep` runs them.
def _recount(at: datetime) -> SweepCounts:
    del at
    found = recount.recount()
    wrong = found.standings + found.places
    if wrong:
        log.warning("指标重新统计：%d 人的计入情况、%d 处计数与记录不符，已更正", found.standings, found.places)
    return SweepCounts(wrong + found.days, wrong + found.days)


REGISTRY: dict[str, Callable[[datetime], SweepCounts]] = {
    "foretell": _in_unit(_foretell),
    "convert": _in_unit(graduation.convert_branches),
    "register": _in_unit(season_register.keep),
    "return": _return_overdue,
    "waits": _in_unit(waits.tell_all),
    "remind": _remind,
    "floating": _in_unit(floating.remind),
    "files": _in_unit(missing_files.remind),
    "identity": _identity,
    "deliver": _deliver,
    "receipts": _remind_of_letters,
    "runs": _resume_runs,
    "letters": _resume_letters,
    "old-letters": _in_unit(letter_batches.purge),
    "imports": _resume_imports,
    "uploads": _in_unit(batches.purge),
    "exports": _resume_exports,
    "old-exports": _in_unit(lambda: exports.purge(_config().instance)),
    "dry-runs": _resume_dry_runs,
    "old-dry-runs": _in_unit(editions.purge),
    "old-runs": _in_unit(runs.purge),
    "duplicates": _in_unit(duplicates.find),
    "attempts": _in_unit(limits.forget_old),
    "rates": _recount,
    "seal": _seal,
}


def run(name: str, at: datetime | None = None) -> SweepCounts:
    """Run one sweep as if it were ``at`` (default: now). Raises KeyError for an unknown name."""
    sweep = REGISTRY[name]
    if at is None:
        return sweep(clock.now())
    with clock.at(at):
        return sweep(at)
