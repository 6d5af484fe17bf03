"""Rosters of members (团员花名册): preview and apply (PD-31, U-03, U-10, U-14)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy.exc import IntegrityError

from zhtj.graduation import operations as graduation
from zhtj.identity import certification
from zhtj.imports.files.layouts import BRANCH, DEV_NUMBER, ID_NUMBER, JOINED, MOBILE, NAME, ROSTER
from zhtj.imports.files.problems import ImportProblem
from zhtj.imports.files.tables import ImportTable, Layout
from zhtj.imports.members import rules
from zhtj.imports.members.rules import FIELDS, Earlier, RosterEntry
from zhtj.imports.models import Done
from zhtj.imports.orgs import queries
from zhtj.imports.orgs.known_organisations import Branches
from zhtj.imports.orgs.queries import KnownAccount, People
from zhtj.imports.plans import Change, Plan, Tell, Update
from zhtj.kernel import audit, clock, names
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict
from zhtj.orgs.models import Organisation
from zhtj.orgs.policies import national_policy, policy_of
from zhtj.people import bulk
from zhtj.people import operations as people
from zhtj.people.bulk import Enrolment
from zhtj.people.finding import archived
from zhtj.people.identity import WRONG_HERE, masked_mobile
from zhtj.people.models import Account, Member
from zhtj.people.operations import NewMember

_COLUMNS = {attribute: column for column, attribute in FIELDS.items()}
_PRIVATE = frozenset({"emergency_name", "emergency_phone"})
_MOBILE = "mobile"
PART = 2000
"""Rows looked at together."""
_BY_TRANSFER = "请通过“办理转入”转接，不能用导入代替。"


@dataclass(frozen=True, slots=True)
class _Amendment:
    """What a row changes about a member who is in the branch already."""

    member_id: int
    values: dict[str, str | date]
    mobile: str | None


@dataclass(frozen=True, slots=True)
class Entered:
    """What was done to a member; for a change, the values before and after."""

    member_id: int
    how: Done
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class RosterPlan(Plan):
    """A preview that knows how to become true."""

    organisation_id: int = 0
    enrolments: list[Enrolment] = field(default_factory=list)
    # Accounts that have no ID number yet (a secretary's) and whose owners are on the roster.
    attached: list[tuple[int, RosterEntry]] = field(default_factory=list)
    amendments: list[_Amendment] = field(default_factory=list)

    def add(self, part: RosterPlan) -> None:
        """Take over the plan of further rows."""
        self.extend(part)
        self.enrolments += part.enrolments
        self.attached += part.attached
        self.amendments += part.amendments


def layout_for(organisation: Organisation) -> Layout:
    """The columns of a roster for the organisation: a branch need not name itself."""
    if not organisation.is_branch:
        return ROSTER
    columns = (replace(one, required=False) if one.name == BRANCH else one for one in ROSTER.columns)
    return replace(ROSTER, columns=tuple(columns))


def preview(table: ImportTable, organisation: Organisation, tell: Tell | None = None) -> RosterPlan:
    """What importing ``table`` into ``organisation`` and below would do; writes nothing.

    Args:
        table: the roster.
        organisation: every member goes to a branch that it is or that stands below it.
        tell: called with the number of rows looked at so far; between two calls nothing loaded is kept.
    """
    checking = Checking(organisation)
    plan = RosterPlan(**table.about(), organisation_id=organisation.id)
    for done, part in table.parts(PART):
        plan.add(checking.part(part))
        if tell is not None:
            tell(done)
    plan.sort(ROSTER)
    return plan


class Checking:
    """Looks at a roster part by part, each against the database as it is then and against the rows above.

    Args:
        organisation: every member goes to a branch that it is or that stands below it.
    """

    def __init__(self, organisation: Organisation) -> None:
        self._organisation_id = organisation.id
        self._branches = Branches(organisation.full_name, queries.places_within(organisation.path))
        self._earlier = Earlier()

    def part(self, table: ImportTable) -> RosterPlan:
        """What importing these rows would do."""
        organisation = session.get_one(Organisation, self._organisation_id)
        checked = rules.check(table, self._branches, national_policy(), clock.today(), self._earlier)
        plan = RosterPlan(
            read=len(table.rows),
            errors=checked.errors,
            warnings=checked.warnings,
            skipped=table.skipped,
            organisation_id=organisation.id,
        )
        lines = [_Line.of(entry) for entry in checked.entries]
        known = queries.people({line.id_hash for line in lines}, {line.mobile_hash for line in lines})
        matched = [(line, *_match(line, known)) for line in lines]
        records = _records(matched)
        for line, person, owner in matched:
            entry = line.entry
            problems = _identity_problems(entry, person, owner)
            if person is None or person.member_id is None:
                problems = problems or rules.new_member_problems(entry, national_policy())
                if entry.joined_on is not None and not problems:
                    _enrol(entry, entry.joined_on, person, plan)
            elif not problems:
                problems = _elsewhere(entry, person, organisation)
                if not problems:
                    _amend(line, person, records[person.member_id], plan)
            plan.errors += problems
        plan.warnings += _occupied(lines)
        return plan


def apply(plan: RosterPlan, *, partial: bool = False) -> int:
    """Write what the plan says, all or nothing unless ``partial``; to be called in the transaction of the preview.

    Returns:
        How many rows were imported.

    Raises:
        Conflict: meanwhile someone else has entered one of the people.
    """
    if not plan.may_apply(partial=partial):
        return 0
    write(plan)
    finish(plan, {enrolment.branch_id for enrolment in plan.enrolments}, plan.organisation_id)
    return plan.accepted


def write(plan: RosterPlan) -> list[Entered]:
    """Write the members of a plan, and say what was done to whom; ``finish`` has to follow, once for all parts.

    Raises:
        Conflict: meanwhile someone else has entered one of the people.
    """
    try:
        for account_id, entry in plan.attached:
            _attach(account_id, entry)
        entered = bulk.add_members(plan.enrolments)
        _vouch(plan, entered)
        members = queries.members([amendment.member_id for amendment in plan.amendments])
        changed = [_change_member(amendment, members[amendment.member_id]) for amendment in plan.amendments]
        session.flush()
    except IntegrityError as error:
        raise Conflict("其他人刚刚登记了名单中的人员。", fix="请重新上传核对。") from error
    return [_entered(*pair) for pair in zip(entered, plan.enrolments, strict=True)] + changed


def _entered(member_id: int, enrolment: Enrolment) -> Entered:
    return Entered(member_id, Done.CREATED if enrolment.account_id is None else Done.ATTACHED)


def finish(plan: Plan, branches: Collection[int], organisation_id: int) -> None:
    """Give the new members of these branches their rows of the season, and note the import."""
    graduation.open_register(branches=branches)
    audit.record(
        "import.members",
        "organisation",
        organisation_id,
        read=plan.read,
        created=plan.created,
        updated=len(plan.updates),
        skipped=plan.bad_rows,
    )


def _vouch(plan: RosterPlan, entered: list[int]) -> None:
    """A roster that comes from above its branches takes over records which a superior has looked after (U-13)."""
    organisation = session.get_one(Organisation, plan.organisation_id)
    if not organisation.is_branch:
        joined = (enrolment.new.joined_on for enrolment in plan.enrolments)
        certification.vouch(policy_of(organisation), zip(entered, joined, strict=True))


@dataclass(frozen=True, slots=True)
class _Line:
    """A row with what its numbers are looked up by."""

    entry: RosterEntry
    id_hash: str
    mobile_hash: str

    @classmethod
    def of(cls, entry: RosterEntry) -> _Line:
        """The row, its numbers hashed once."""
        return cls(entry, keyed_hash("id_number", entry.identity.number), keyed_hash("mobile", entry.mobile))


def _records(matched: list[tuple[_Line, KnownAccount | None, KnownAccount | None]]) -> dict[int, Any]:
    """The records of those who are in the branch already."""
    return queries.records(
        {
            person.member_id
            for line, person, _ in matched
            if person is not None and person.member_id is not None and person.org_id == line.entry.branch.id
        }
    )


def _match(line: _Line, known: People) -> tuple[KnownAccount | None, KnownAccount | None]:
    """Who the row is about, and whose the mobile number is."""
    person = known.by_id.get(line.id_hash)
    owner = known.by_mobile.get(line.mobile_hash)
    unnumbered = person is None and owner is not None and owner.id_hash is None
    if owner is not None and unnumbered and names.key(owner.name) == names.key(line.entry.name):
        person = owner
    return person, owner


def _identity_problems(
    entry: RosterEntry, person: KnownAccount | None, owner: KnownAccount | None
) -> list[ImportProblem]:
    if person is not None and names.key(person.name) != names.key(entry.name):
        fix = f"请核对姓名和身份证号码；{WRONG_HERE}"
        return [ImportProblem(entry.row, NAME, "与系统里这个身份证号码的姓名不一致。", fix)]
    if owner is not None and owner is not person:
        return [ImportProblem(entry.row, MOBILE, "手机号码已是系统里另一人的。", "一人一号，请填写本人的号码。")]
    return []


def _elsewhere(entry: RosterEntry, person: KnownAccount, organisation: Organisation) -> list[ImportProblem]:
    """A member can be updated where he is; he gets elsewhere by a transfer only (PD-31)."""
    if person.is_archived:
        found = archived.find(entry.name, entry.identity.number)
        says, way_out = (found.says, found.way_out) if found else ("该团员的记录已归档。", "请由上级团组织恢复。")
        return [ImportProblem(entry.row, ID_NUMBER, says, way_out)]
    if person.org_id == entry.branch.id:
        return []
    place = session.get(Organisation, person.org_id)
    inside = place is not None and place.path.startswith(organisation.path)
    where = f"“{place.full_name}”" if place is not None and inside else "其他团组织"
    return [ImportProblem(entry.row, ID_NUMBER, f"该团员的组织关系在{where}。", _BY_TRANSFER)]


def _occupied(lines: list[_Line]) -> list[ImportProblem]:
    """Numbers that another person's record carries already: he can be entered, but not transferred (U-21)."""
    carriers = queries.carriers({line.entry.dev_number for line in lines if line.entry.dev_number})
    return [
        ImportProblem(
            line.entry.row,
            DEV_NUMBER,
            "系统里另一人的记录已有这个编号。",
            "请核对；确是本人的，登记后申请解决编号被占用。",
        )
        for line in lines
        if carriers.get(line.entry.dev_number or "", set()) - {line.id_hash}
    ]


def _enrol(entry: RosterEntry, joined_on: date, person: KnownAccount | None, plan: RosterPlan) -> None:
    new = NewMember(
        name=entry.name,
        id_number=entry.identity.number,
        mobile=entry.mobile,
        sex=entry.identity.sex,
        joined_on=joined_on,
        dev_number=entry.dev_number,
        **entry.details,  # type: ignore[arg-type]
    )
    branch = entry.branch
    account_id = person.account_id if person else None
    plan.enrolments.append(Enrolment(branch.id, branch.code, new, branch.is_graduates, account_id, entry.file_checked))
    plan.created += 1
    if person is not None:
        plan.attached.append((person.account_id, entry))
        plan.warnings.append(
            ImportProblem(entry.row, NAME, "此人已有管理员账号，团员身份将加在同一账号上。", "请确认是同一人。")
        )


def _attach(account_id: int, entry: RosterEntry) -> None:
    account = session.get_one(Account, account_id)
    if account.id_hash is None:
        account.set_id_number(entry.identity.number)
        audit.record("account.identify", "account", account.id)
    if account.mobile_hash is None:
        people.change_mobile(account, entry.mobile)
    session.flush()


def _amend(line: _Line, person: KnownAccount, member: Any, plan: RosterPlan) -> None:
    """Collect what the row changes: blanks change nothing, and what must not be edited stays (U-14)."""
    entry = line.entry
    values = {name: value for name, value in entry.details.items() if getattr(member, name) != value}
    changes = [_change(member, name, value) for name, value in values.items()]
    if entry.joined_on is not None and entry.joined_on != member.joined_on:
        cause = f"系统里是 {member.joined_on:%Y-%m}，导入不能更改。"
        plan.warnings.append(ImportProblem(entry.row, JOINED, cause, WRONG_HERE))
    if entry.dev_number and entry.dev_number != member.dev_number:
        if member.dev_number is None:
            values["dev_number"] = entry.dev_number
            changes.append(Change(DEV_NUMBER, "", entry.dev_number))
        else:
            cause = f"系统里是 {member.dev_number}，导入不能更改。"
            plan.warnings.append(ImportProblem(entry.row, DEV_NUMBER, cause, "请核对哪一个正确。"))
    mobile = _new_mobile(line, person, plan)
    if mobile is not None:
        before = session.get_one(Account, person.account_id).mobile or ""
        changes.append(Change(MOBILE, masked_mobile(before), masked_mobile(mobile)))
    if changes:
        plan.updates.append(Update(entry.row, entry.name, tuple(changes)))
        plan.amendments.append(_Amendment(member.id, values, mobile))


def _change(member: Any, attribute: str, value: str | date) -> Change:
    before = getattr(member, attribute)
    if attribute in _PRIVATE:
        return Change(_COLUMNS[attribute], "***" if before else "", "***")
    shown = [f"{one:%Y-%m}" if isinstance(one, date) else one or "" for one in (before, value)]
    return Change(_COLUMNS[attribute], *shown)


def _new_mobile(line: _Line, person: KnownAccount, plan: RosterPlan) -> str | None:
    """The number to change to; whoever has opened his account looks after it himself, and signs in with it."""
    if person.mobile_hash == line.mobile_hash:
        return None
    if person.is_active:
        cause = "与系统里的不同；本人已启用账号，号码由本人修改。"
        plan.warnings.append(ImportProblem(line.entry.row, MOBILE, cause, "请提醒本人更新。"))
        return None
    return line.entry.mobile


def _change_member(amendment: _Amendment, member: Member) -> Entered:
    before: dict[str, Any] = {name: getattr(member, name) for name in amendment.values}
    for name, value in amendment.values.items():
        setattr(member, name, value)
    after: dict[str, Any] = dict(amendment.values)
    if amendment.mobile is not None:
        before[_MOBILE], after[_MOBILE] = member.account.mobile, amendment.mobile
        people.change_mobile(member.account, amendment.mobile)
    audit.record("member.update", "member", member.id, fields=sorted(amendment.values), how="import")
    return Entered(member.id, Done.UPDATED, before, after)
