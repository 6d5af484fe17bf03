"""What a kind of case is: one declarative object says who raises it, what it asks, who decides, what that brings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from zhtj.cases.file_rules import USUAL, FileRule
from zhtj.cases.models import Case
from zhtj.cases.workflow import CaseAction, Decider
from zhtj.kernel import clock
from zhtj.kernel.permissions import SeatKind
from zhtj.orgs.models import Organisation
from zhtj.people.models import Member

REASON_AT_LEAST = 5
# Ends the name under which a case keeps what stood in the record when it was raised.
BEFORE = ":before"
COMMITTEES = frozenset({SeatKind.COLLEGE, SeatKind.SCHOOL, SeatKind.PROVINCIAL})
ADMINS = COMMITTEES | {SeatKind.BRANCH}
ANYBODY = ADMINS | {SeatKind.MEMBER}


class About(StrEnum):
    """What a case is about (事项对象)."""

    MEMBER = "member"
    ORGANISATION = "organisation"
    NOTHING = "nothing"

    @property
    def is_member(self) -> bool:
        """Whether it asks for one of the members."""
        return self is About.MEMBER

    @property
    def is_organisation(self) -> bool:
        """Whether it asks for an organisation below."""
        return self is About.ORGANISATION


class Shape(StrEnum):
    """How a field is typed in."""

    TEXT = "text"
    LONG = "long"
    CHOICE = "choice"
    MONTH = "month"
    ID_NUMBER = "id_number"
    DEV_NUMBER = "dev_number"
    MOBILE = "mobile"
    PERSON = "person"
    """A person's name."""
    PARENT = "parent"
    """Code or full name of any organisation, kept as its id."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One question of the form.

    Args:
        name: key of the answer.
        label: as asked.
        shape: how it is typed in.
        required: whether it must be answered.
        choices: value and words of a choice.
        hint: under the label.
        width: characters at most.
        at_least: characters at least, blanks not counted.
        moot_with: name and value of another answer with which this one is not asked.
    """

    name: str
    label: str
    shape: Shape = Shape.TEXT
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    width: int = 200
    at_least: int = 0
    moot_with: tuple[str, str] = ("", "")

    @property
    def is_secret(self) -> bool:
        """Whether screens mask the answer (PD-37)."""
        return self.shape is Shape.ID_NUMBER


@dataclass(frozen=True, slots=True)
class CaseMatter:
    """What a case says, with what it is about.

    Args:
        raiser: the organisation that asks; of a member, his branch.
        answers: by the names of the fields, as text.
        member, organisation: the subject.
    """

    raiser: Organisation
    answers: dict[str, str]
    member: Member | None = None
    organisation: Organisation | None = None

    @property
    def person(self) -> Member:
        """The subject of a case about a member."""
        if self.member is None:
            raise LookupError("not about a member")
        return self.member

    @property
    def body(self) -> Organisation:
        """The subject of a case about an organisation."""
        if self.organisation is None:
            raise LookupError("not about an organisation")
        return self.organisation

    def said(self, name: str) -> str:
        """An answer, "" where none was given."""
        return self.answers.get(name, "")

    def month(self, name: str) -> date:
        """The first day of a month that was answered."""
        return first_of_month(self.said(name))

    def stood(self, name: str) -> str | None:
        """What stood in the record when the case was raised; None where the kind does not keep it."""
        return self.answers.get(f"{name}{BEFORE}")


@dataclass(frozen=True, slots=True)
class ExportedCase:
    """A case as it stands in an export: what it says, the province above, its position there once it has one."""

    case: Case
    matter: CaseMatter
    province: str = ""
    position: int = 0

    def at(self, position: int) -> ExportedCase:
        """The same with its position."""
        return replace(self, position=position)


@dataclass(frozen=True, slots=True)
class CaseColumn:
    """A column of the export: heading and what stands below it."""

    heading: str
    cell: Callable[[ExportedCase], str]


@dataclass(frozen=True, slots=True)
class Paper:
    """A printed form with its answers, as it is read and signed (PD-35).

    Args:
        form: the document, such as F-08.
        title: over it.
        text: paragraphs, in the document's order; what is to be read.
        rows: label and answer.
        agreed: names of fields that must be filled in before it can be signed.
    """

    form: str
    title: str
    text: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    agreed: tuple[str, ...] = ()


ID_NUMBERS = frozenset({"身份证号", "团员身份证号码"})
"""Labels under which printed forms ask for the ID number."""


def _nothing(matter: CaseMatter) -> None:
    del matter


def _ready(matter: CaseMatter, case: Case) -> None:
    del matter, case


@dataclass(frozen=True, slots=True)
class CaseKind:
    """One kind of case (事项种类).

    Args:
        key: stable name, in addresses and rows.
        label: on the screen.
        note: what it is for, and what happens.
        rule: where it comes from.
        raised_by: kinds of seat that may raise it.
        about: what it is about.
        fields: what is asked.
        decider: which level decides.
        effect: does what was asked, in the decision's transaction; says in words what was done.
        columns: of the export, as the document's form has them, in its order.
        form: the document it replaces, such as F-04.
        passing: what passing it up is called, where each level of the line says yes for itself.
        sheet: title of the export.
        check: raises DomainError where it may not be asked, or no longer be granted.
        line: ids of the organisations it climbs through, where that is not simply the line upwards.
        file_needed: whether an attachment must be there.
        files: what may be attached.
        settled: whether nobody has to look: it takes effect as it is raised.
        archived: whether it may be about somebody whose record is archived.
        anywhere: about somebody outside one's part of the tree, whom a page has found by name and full number (A-04).
        branches: about a branch, where it is about an organisation.
        short: the answers in a few words, for the title.
        warn: what whoever decides has to know.
        heard: what others who were asked about it have said, in words.
        offered: whether an organisation's policy knows such cases at all; the others are not listed.
        before: what stands in the record now, by the names of the fields; kept, and shown as old → new.
        raised: what happens as soon as it is raised, such as telling whoever it is about.
        paper: the printed form that the member signs; the member raises such a case on a page of its own (PD-35).
        ready: raises DomainError while something is missing that must be there before it is approved.
        personal: whoever it is about sees it and may take it back, even if others raised it (A-22).
    """

    key: str
    label: str
    note: str
    rule: str
    raised_by: frozenset[SeatKind]
    about: About
    fields: tuple[FormField, ...]
    decider: Callable[[CaseMatter], Decider]
    effect: Callable[[CaseMatter, Case], str]
    columns: tuple[CaseColumn, ...]
    form: str = ""
    passing: str = "上报"
    sheet: str = ""
    check: Callable[[CaseMatter], None] = _nothing
    line: Callable[[CaseMatter], list[int]] | None = None
    file_needed: bool = False
    files: FileRule = USUAL
    settled: Callable[[CaseMatter], bool] = field(default=lambda _: False)
    archived: bool = False
    anywhere: bool = False
    branches: bool = False
    short: Callable[[CaseMatter], str] = field(default=lambda _: "")
    warn: Callable[[CaseMatter], str] = field(default=lambda _: "")
    heard: Callable[[Case], str] = field(default=lambda _: "")
    offered: Callable[[Organisation], bool] = field(default=lambda _: True)
    before: Callable[[CaseMatter], dict[str, str]] = field(default=lambda _: {})
    raised: Callable[[CaseMatter, Case], None] = field(default=lambda *_: None)
    paper: Callable[[CaseMatter], Paper] | None = None
    ready: Callable[[CaseMatter, Case], None] = _ready
    personal: bool = False

    @property
    def title(self) -> str:
        """Title of the export."""
        return self.sheet or self.label

    def says(self, action: CaseAction) -> str:
        """The word for an action on such a case."""
        return self.passing if action is CaseAction.FORWARD else action.label

    def field(self, name: str) -> FormField:
        """The field of this name. Raises LookupError."""
        return next(one for one in self.fields if one.name == name)


def first_of_month(text: str) -> date:
    """The first day of a month as an answer keeps it (2026-06)."""
    return date.fromisoformat(f"{text}-01")


def choice_label(one: FormField, value: str) -> str:
    """The words of a choice; any other text as it is."""
    return dict(one.choices).get(value, value)


def position_of(line: ExportedCase) -> str:
    """序号."""
    return str(line.position)


def branch_name(line: ExportedCase) -> str:
    """The member's branch with its full name, exactly as in the system (O-22)."""
    return line.matter.person.org.full_name


def member_name(line: ExportedCase) -> str:
    """姓名."""
    return line.matter.person.name


def id_number(line: ExportedCase) -> str:
    """身份证号, in full: the form asks for it, and the export is noted (PD-37)."""
    return line.matter.person.account.id_number or ""


def body_name(line: ExportedCase) -> str:
    """组织全称 of the organisation a case is about."""
    return line.matter.body.full_name


def raised_on(line: ExportedCase) -> str:
    """提交时间."""
    return f"{clock.local(line.case.raised_at):%Y-%m-%d}"


def ended_on(line: ExportedCase) -> str:
    """办结时间; "" while it is open."""
    ended = line.case.ended_at
    return f"{clock.local(ended):%Y-%m-%d}" if ended is not None else ""


def result(line: ExportedCase) -> str:
    """How it stands."""
    return line.case.state.label


def asked(name: str) -> Callable[[ExportedCase], str]:
    """A column that repeats an answer."""
    return lambda line: line.matter.said(name)


def chosen(one: FormField) -> Callable[[ExportedCase], str]:
    """A column that repeats a choice in its words."""
    return lambda line: choice_label(one, line.matter.said(one.name))


def explained(one: FormField, detail: str) -> Callable[[ExportedCase], str]:
    """A column of a choice in its words, with what was written about it."""
    parts = (chosen(one), asked(detail))
    return lambda line: "：".join(text for text in (part(line) for part in parts) if text)


# What most exports of cases begin and end with; a document's own form has columns of its own.
OF_MEMBER = (CaseColumn("序号", position_of), CaseColumn("姓名", member_name), CaseColumn("所在团支部", branch_name))
OUTCOME = (CaseColumn("提交时间", raised_on), CaseColumn("结果", result))


def always(decider: Decider) -> Callable[[CaseMatter], Decider]:
    """A kind whose deciding level never depends on the case."""
    return lambda _: decider
