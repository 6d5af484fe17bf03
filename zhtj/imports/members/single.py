"""One member entered by hand: a roster of one row, so that he is checked exactly as an imported one (U-09 … U-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zhtj.imports.files.layouts import BRANCH, ID_NUMBER, ROSTER, SEX
from zhtj.imports.files.tables import ImportTable, TableRow
from zhtj.imports.members import rosters
from zhtj.imports.members.rosters import RosterPlan
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Organisation
from zhtj.people.finding import members
from zhtj.people.models import Member

# Asked in the form, in the roster's order; the ID number says the sex, the branch has been chosen.
COLUMNS = tuple(column for column in ROSTER.columns if column.name not in {BRANCH, SEX})
_ROW = 1


class Refused(DomainError):  # noqa: N818 - what was typed is
    """The row cannot be entered; ``errors`` has a sentence a column, ``asks_file_check`` whether a tick would do."""

    def __init__(self, errors: Mapping[str, str], *, asks_file_check: bool = False) -> None:
        name, message = next(iter(errors.items()))
        super().__init__(message, field=name)
        self.errors = dict(errors)
        self.asks_file_check = asks_file_check


@dataclass(slots=True)
class Outlook:
    """What entering somebody would do: what is wrong, and what somebody should look at first."""

    plan: RosterPlan
    errors: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def asks_file_check(self) -> bool:
        """Whether it can be entered once somebody says that the file was checked."""
        return any(problem.asks_file_check for problem in self.plan.errors)


def outlook(branch: Organisation, typed: Mapping[str, str], *, file_checked: bool = False) -> Outlook:
    """Check one person against the rules of the roster; writes nothing.

    Args:
        branch: where he is to be entered.
        typed: texts by the roster's headings.
        file_checked: somebody says that the file was checked (PD-61).
    """
    cells = {column.name: typed.get(column.name, "") for column in COLUMNS if typed.get(column.name, "").strip()}
    table = ImportTable([TableRow(_ROW, {**cells, BRANCH: branch.full_name})], 0, [*cells, BRANCH])
    table = table.file_checked() if file_checked else table
    plan = rosters.preview(table, branch)
    found = Outlook(plan)
    for problem in plan.errors:
        found.errors.setdefault(problem.column, problem.cause + problem.fix)
    if not found.errors and not plan.created:
        found.errors[ID_NUMBER] = "此人已在本支部。请在名单中找到本人，修改资料。"
    found.warnings = [f"{problem.column}：{problem.cause}{problem.fix}" for problem in plan.warnings]
    return found


def enter(
    branch: Organisation, typed: Mapping[str, str], *, confirmed: bool, file_checked: bool = False
) -> Member | Outlook:
    """Enter one person, as if he stood on a roster alone.

    Args:
        branch: where.
        typed: texts by the roster's headings.
        confirmed: the warnings have been read.
        file_checked: the file was checked (PD-61).

    Returns:
        The member; or the outlook, where there are warnings that nobody has read yet.

    Raises:
        Refused: something is wrong.
        Conflict: somebody else was faster.
    """
    found = outlook(branch, typed, file_checked=file_checked)
    if found.errors:
        raise Refused(found.errors, asks_file_check=found.asks_file_check)
    if found.warnings and not confirmed:
        return found
    # U-09: the branch enters a new student with its own hands, checked as a roster is.
    rosters.apply(found.plan)
    member = members.by_id_number(found.plan.enrolments[0].new.id_number)
    if member is None:  # pragma: no cover - he has just been entered
        raise LookupError("member")
    return member
