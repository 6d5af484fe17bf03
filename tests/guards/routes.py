"""Asks every route about everything near and far: 401, 403, 404 or let through as the table says.

The cases are read off the URL map and ``zhtj.kernel.permissions.TABLE``: a new route is judged without being named
here, unless it takes an argument these guards have never heard of - then they ask what it stands for.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from tests.browsing import Browser, Page
from tests.conftest import undone
from tests.guards.town import Place, Town
from tests.statements import statements
from zhtj.kernel.permissions import TABLE, Permission, Relation, SeatKind
from zhtj.transfers.parties import DECISIONS
from zhtj.transfers.workflow import Action
from zhtj.web.access import PUBLIC, TOKEN
from zhtj.web.routes import COMMITTEES

ANONYMOUS, SEATLESS = "anonymous", "nobody"
ACTORS = (ANONYMOUS, SEATLESS, *SeatKind)
# An address names what it is about by the id that stands first in it.
ID = re.compile(r"<int:(\w+_id)>")
# What a number in an address is the number of, by what stands before it.
KINDS = {
    "applications": "application",
    "cases": "case",
    "cases/hearings": "hearing",
    "members": "member",
    "organisations": "organisation",
    "letters": "letter",
    "letters/batches": "letter_batch",
    "messages": "message",
    "messages/addresses": "subscription",
    "imports/members": "members_batch",
    "imports/organisations": "organisations_batch",
    "imports/destinations": "destinations_batch",
    "imports/floating": "floating_batch",
    "imports/liaisons": "liaisons_batch",
    "runs": "run",
    "exports": "export",
    "editions": "dry_run",
}
# The values a route is asked with where the argument is no number.
WORDS: dict[str, tuple[str, ...]] = {
    "action": tuple(sorted(DECISIONS | {Action.WITHDRAW})),
    "code": ("no-such-code",),
    "key": ("members",),
    "digest": ("000000000000",),
    "evidence_id": ("2147483647",),
    "file_id": ("2147483647",),
    "filename": ("zhtj.css",),
    "kind": ("statement",),
    "position": ("1",),
    "reason": ("employed_with_org",),
    "status": ("404",),
    "step": ("unit", "place", "organisation", "external", "special", "check"),
    "topic": ("delay", "retention", "overseas-study"),
    "year": ("2026",),
}
LETTERS = (
    "letter_new",
    "letter_sample",
    "letter_offline",
    "letter_offline_sample",
    "letter_void",
    "letter_receipt",
    "letter_card",
    "letter_seal",
    "letter_seal_withdraw",
    "letter_many",
    "letter_many_pick",
    "letter_batch_confirm",
)
# Allowed by the table, and narrowed by a rule that the operation checks itself: 403 with a sentence that says why.
NARROWER = {
    "amend": "only whoever started it (PD-16)",
    "redirect": "only whoever started it (PD-16)",
    "object": "only whoever started it (PD-17)",
    "decide": "whose turn it is, and nobody above (PD-14)",
    "secret_unit": "the province that decides, as long as it does (S-09)",
    "case_hearing_answer": "only whoever acts for the branch of the holder (PD-22)",
    "mark": "a leading organ marks only below itself (G-12)",
    "mark_change": "a leading organ changes only what it may mark (G-13)",
    "code": "own organisation or direct superior (U-04)",
    "organisation_code": "the direct superior alone (U-07)",
    "organisation_edit": "those above an organisation, not itself (PD-06)",
    "organisation_close": "those above an organisation, not itself (PD-06)",
    "organisation_reopen": "those above an organisation, not itself (PD-06)",
    "transfer_in_many": "only where students are admitted (PD-37)",
    **dict.fromkeys(LETTERS, "a college only while its school authorises it (PD-30)"),
    "letter_authorise": "only the school committee (PD-30)",
    "letter_unauthorise": "only the school committee (PD-30)",
    "rates_statistics_write": "schools, colleges and leading organs report, a branch does not (F-10)",
}
# Let through, and then not found: what is asked for is there for nobody.
NOT_THERE = {
    "case_paper": "a statement is a form that nobody signs",
    "case_sign": "a correction is signed by nobody",
    "case_ask_refusal": "a correction is no application to stay",
    "staying_round_cancel": "an empty post names no round",
    "file_open": "nobody has an approved form",
    "sheet_print": "nobody has filled in a sheet",
    "switch_seat": "an empty post names no seat",
    "rates_token_revoke": "an empty post names no token",
    "answer_objection": "nobody has objected to it",
    "see_flag": "nothing about it was flagged",
    "again": "only an application that has ended can be started again",
    "townships": "only a county has townships (PD-22)",
    "letter_receipt_file": "no receipt has come back",
    "case_form": "a statement is not signed",
    "letter_seal_picture": "no seal was uploaded",
    "letter_stubs_xlsx": "a college has issued none",
    "letter_stubs_pdf": "a college has issued none",
    "letter_batch_file": "nothing was printed yet",
    "mark_change": "only a branch that was marked has a mark to change (G-14)",
    "member_marks": "only a branch has members to mark (G-05)",
}
# An upload is its owner's alone, whatever stands below him.
PERSONAL = frozenset(
    {
        "export",
        "dry_run",
        "members_batch",
        "organisations_batch",
        "destinations_batch",
        "floating_batch",
        "liaisons_batch",
        "run",
        "letter_batch",
    }
)
# What a form must hold to be looked at.
FORMS = {
    "import_members_apply": {"accepted": "0"},
    "import_organisations_apply": {"accepted": "0"},
    "import_destinations_apply": {"accepted": "0"},
    "import_floating_apply": {"accepted": "0"},
    "import_liaisons_apply": {"accepted": "0"},
}
# Arguments that come from outside; most of their values lead nowhere.
OPEN_ENDED = frozenset({"code", "status", "digest", "evidence_id", "file_id"})
NOT_SIGNED_IN = frozenset({302, 303, 401})
# Counting attempts, and that a message was opened, is all that looking may write down.
COUNTERS = re.compile(r"^((INSERT INTO|UPDATE|DELETE FROM) attempts\b|UPDATE messages SET read_at\b)")
WRITE = re.compile(r"^\s*(INSERT|UPDATE|DELETE|MERGE|TRUNCATE|DROP|ALTER|CREATE)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Ask:
    """One request: its method and address, the place of the object it names, and what it should not come to."""

    method: str
    url: str
    rule: Rule
    place: Place | None

    @property
    def name(self) -> str:
        """The route's name within its blueprint."""
        return name_of(self.rule)

    def __str__(self) -> str:
        return f"{self.method} {self.url}" + (f" ({self.place.where})" if self.place else "")


def rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def doors(app: Flask, actor: str, *, brief: bool) -> list[Rule]:
    """Every route; ``brief``: the desks of others behind one door each, the next in turn from desk to desk.

    The same view stands behind all of its doors, and asks for its permission by itself.
    """
    found, desks = [], dict[tuple[str, str], list[Rule]]()
    for rule in rules(app):
        door, _, rest = rule.rule.strip("/").partition("/")
        if brief and door in COMMITTEES and door != actor:
            desks.setdefault((name_of(rule), rest), []).append(rule)
        else:
            found.append(rule)
    return found + [same[turn % len(same)] for turn, same in enumerate(desks.values())]


def name_of(rule: Rule) -> str:
    """The route's name within its blueprint."""
    return str(rule.endpoint).partition(".")[2]


def permission_of(app: Flask, rule: Rule) -> Any:
    return getattr(app.view_functions[rule.endpoint], "permission", None)


def methods_of(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def kind_of(rule: Rule) -> str | None:
    """The kind of object that the route is about."""
    found = ID.search(rule.rule)
    if found is None:
        return None
    before = rule.rule[: found.start()].strip("/").partition("/")[-1]
    assert before in KINDS, f"{rule.rule}: say in KINDS what the id is the id of"
    return KINDS[before]


def asks(rule: Rule, places: list[Place], *, once: bool) -> Iterator[Ask]:
    """Every request this route can be asked with, about an object in each of these places (``once``: in one)."""
    kind = kind_of(rule)
    about = ID.search(rule.rule)
    words = sorted(rule.arguments - {about[1] if about else ""} - set(rule.defaults or ()))
    for name in words:
        assert name in WORDS, f"{rule.rule}: say in WORDS what <{name}> may be"
    fitting = [place for place in places if kind in place.objects] if kind else [None]
    assert fitting, f"{rule.rule}: no place has a {kind}"
    for method, place, values in itertools.product(
        methods_of(rule), fitting[:1] if once else fitting, itertools.product(*(WORDS[name] for name in words))
    ):
        arguments: dict[str, Any] = dict(zip(words, values, strict=True))
        if place is not None and kind is not None and about is not None:
            arguments[about[1]] = place.objects[kind]
        built = rule.build(arguments, append_unknown=False)
        assert built is not None, rule
        yield Ask(method, built[1], rule, place)


def answer(browser: Browser, ask: Ask) -> tuple[Page, list[str]]:
    """The page, and what was written to make it; all of it is taken back."""
    with undone(), statements() as seen:
        page = browser.get(ask.url) if ask.method == "GET" else browser.post(ask.url, FORMS.get(ask.name, {}))
    written = [" ".join(statement.split()) for statement in seen if WRITE.match(statement)]
    return page, [statement[:90] for statement in written if not COUNTERS.match(statement)]


def turned_away(app: Flask, actor: str, rule: Rule) -> frozenset[int]:
    """The statuses that are right whatever is asked about; empty for whoever may come in."""
    permission = permission_of(app, rule)
    if permission == PUBLIC:
        return frozenset()
    if permission == TOKEN:  # nobody's session opens it
        return frozenset({401})
    if actor == ANONYMOUS:
        return NOT_SIGNED_IN
    if permission is Permission.OWN_ACCOUNT:
        return frozenset()
    door = rule.endpoint.partition(".")[0]
    wrong_door = door in set(SeatKind) and door != actor
    no_such_kind = actor == SEATLESS or SeatKind(actor) not in TABLE[permission]
    return frozenset({403}) if wrong_door or no_such_kind else frozenset()


def out_of_sight(app: Flask, actor: str, ask: Ask) -> bool:
    """Whether the table puts the object where this seat sees nothing."""
    if ask.place is None:
        return False
    if kind_of(ask.rule) in PERSONAL:
        return ask.place.relation is not Relation.OWN
    return ask.place.relation not in TABLE[permission_of(app, ask.rule)][SeatKind(actor)]


def let_through(ask: Ask, status: int) -> bool:
    """Neither turned away nor crashed; whatever else the form says to an empty post is its own affair."""
    if status == 404:
        return ask.name in NOT_THERE or not OPEN_ENDED.isdisjoint(ask.rule.arguments)
    if status == 403:
        return ask.name in NARROWER
    if status == 401:
        return False
    return status < 500 or ask.rule.endpoint == "public.readyz"


def walk(app: Flask, actor: str, *, brief: bool) -> None:
    """Every route lets this actor through, or turns him away, exactly as the table says; looking writes nothing.

    Args:
        brief: see ``doors``.
    """
    # Given somebody in this kind of seat
    town = Town.build()
    browser = Browser(app.test_client())
    if actor != ANONYMOUS:
        browser.login(town.actors[actor])
    browser.get("/").follow()
    comes_back = browser.returning()
    places = town.places(actor if actor in town.seats else SeatKind.SCHOOL)
    wrong, asked = [], 0
    # When he asks for everything there is, about his own, what is below, above, beside and far away
    for rule in doors(app, actor, brief=brief):
        refused = turned_away(app, actor, rule)
        for ask in asks(rule, places, once=bool(refused)):
            comes_back()  # one of the routes signs out
            page, written = answer(browser, ask)
            right = refused or (frozenset({404}) if out_of_sight(app, actor, ask) else frozenset())
            asked += 1
            if page.status not in right if right else not let_through(ask, page.status):
                wrong.append(f"{ask}: {page.status}, not {set(right) or 'let through'}")
            if ask.method == "GET" and written:
                wrong.append(f"{ask} writes: {written}")
            if page.status in {403, 404} and written:
                wrong.append(f"{ask} writes although it is refused: {written}")
    # Then each answer is the one the table gives, and looking changes nothing
    assert not wrong, "\n".join(wrong)
    assert asked > 100
