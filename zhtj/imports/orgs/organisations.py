"""The organisation file (团组织): preview and apply (O-01 … O-03, O-16, PD-05, PD-31, G-03)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from zhtj.graduation import operations as graduation
from zhtj.imports.files.cells import key
from zhtj.imports.files.layouts import (
    ADDRESS,
    CATEGORY,
    CODE,
    FULL_NAME,
    GRADUATION,
    INDUSTRY,
    ORGANISATIONS,
    PARENT,
    PHONE,
    POSTCODE,
    SECRETARY,
    SECRETARY_MOBILE,
    SHORT_NAME,
)
from zhtj.imports.files.nearest import Nearest
from zhtj.imports.files.problems import ImportProblem
from zhtj.imports.files.tables import ImportTable
from zhtj.imports.orgs import queries, rules
from zhtj.imports.orgs.placing import Placing, Spot
from zhtj.imports.orgs.rules import CheckedOrganisations, OrganisationEntry
from zhtj.imports.plans import Change, Plan, Update
from zhtj.kernel import audit, names
from zhtj.kernel.crypto import keyed_hash
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.orgs import operations as orgs
from zhtj.orgs.changing.administration import check_purpose_name
from zhtj.orgs.models import SCHOOL_INDUSTRIES, SEGMENT, Category, Organisation, Purpose, Region
from zhtj.orgs.operations import NewOrganisation
from zhtj.people import operations as people
from zhtj.people.models import Account, Post, Seat

_AMENDABLE = {
    SHORT_NAME: "short_name",
    CATEGORY: "category",
    INDUSTRY: "industry",
    PHONE: "phone",
    ADDRESS: "address",
    POSTCODE: "postcode",
}


@dataclass(slots=True)
class _Amendment:
    """What a row does to an organisation that is there."""

    entry: OrganisationEntry
    organisation_id: int
    values: dict[str, str | Category] = field(default_factory=dict)
    appoints: bool = False
    ends: list[int] = field(default_factory=list)
    marks: bool = False


@dataclass(slots=True)
class OrganisationPlan(Plan):
    """A preview that knows how to become true."""

    scope_id: int | None = None
    creations: list[tuple[OrganisationEntry, Spot, bool]] = field(default_factory=list)
    amendments: list[_Amendment] = field(default_factory=list)


def preview(table: ImportTable, scope: Organisation | None = None) -> OrganisationPlan:
    """What importing ``table`` would do; writes nothing.

    Args:
        table: the organisations.
        scope: they stand in or below it; None for an operator, who may build anywhere.
    """
    return _Preview(table, scope).plan()


class _Preview:
    """One preview: the file, and what the database knows of what it names."""

    def __init__(self, table: ImportTable, scope: Organisation | None) -> None:
        self.scope = scope
        self.checked: CheckedOrganisations = rules.check(table)
        self.result = OrganisationPlan(
            read=len(table.rows),
            **{**table.about(), "warnings": self.checked.warnings},
            errors=self.checked.errors,
            scope_id=scope.id if scope else None,
        )
        entries = self.checked.entries
        found = queries.organisations(_named(entries))
        self.by_name = {key(organisation.full_name): organisation for organisation in found}
        self.by_code = {organisation.code: organisation for organisation in found}
        mobiles = {keyed_hash("mobile", entry.mobile) for entry in entries if entry.mobile}
        self.owners = queries.people((), mobiles).by_mobile
        known = [self.by_name[entry.key].id for entry in entries if entry.key in self.by_name]
        self.seats = queries.secretaries(known)
        self.marks = queries.marks(known)
        self.names: Nearest | None = None

    def plan(self) -> OrganisationPlan:
        """Sort the rows into new and known ones and judge them."""
        new = []
        for entry in self.checked.entries:
            organisation = self.by_name.get(entry.key)
            problem = self._owner_problem(entry)
            if problem is None:
                problem = self._new_problem(entry) if organisation is None else self._known_problem(entry, organisation)
            if problem is not None:
                self.result.errors.append(problem)
                self.checked.refused[entry.key] = entry.row
            elif organisation is None:
                new.append(entry)
            else:
                self._amend(entry, organisation)
        self._create(new)
        self.result.sort(ORGANISATIONS)
        return self.result

    def _warn(self, entry: OrganisationEntry, column: str, cause: str, fix: str) -> None:
        self.result.warnings.append(ImportProblem(entry.row, column, cause, fix))

    def _inside(self, organisation: Organisation) -> bool:
        return self.scope is None or organisation.path.startswith(self.scope.path)

    def _owner_problem(self, entry: OrganisationEntry) -> ImportProblem | None:
        owner = self.owners.get(keyed_hash("mobile", entry.mobile)) if entry.mobile else None
        if owner is None or names.key(owner.name) == names.key(entry.secretary):
            return None
        return ImportProblem(
            entry.row, SECRETARY_MOBILE, "手机号码已是系统里另一人的。", "一人一号，请填写本人的号码。"
        )

    def _new_problem(self, entry: OrganisationEntry) -> ImportProblem | None:
        holder = self.by_code.get(entry.code) if entry.code else None
        if holder is not None:
            name = f"“{holder.full_name}”" if self._inside(holder) else "其他组织"
            return ImportProblem(entry.row, CODE, f"组织编码已属于{name}。", "新组织请留空，由系统编号。")
        if entry.category is Category.GRADUATES:
            fix = "请填团支部，并填写毕业时间。"
            return ImportProblem(entry.row, CATEGORY, "毕业生团组织由系统在毕业时自动转换，不能新建。", fix)
        return _name_problem(entry, rules.purpose_of(entry)) or self._mark_problem(entry, entry.industry)

    def _known_problem(self, entry: OrganisationEntry, organisation: Organisation) -> ImportProblem | None:
        if not self._inside(organisation):
            return ImportProblem(entry.row, FULL_NAME, "组织全称已被使用，不在您的管理范围内。", "请核对全称。")
        if organisation.closed_at is not None:
            return ImportProblem(entry.row, FULL_NAME, "该组织已停用。", "请由上级恢复，或改用别的全称。")
        if entry.code and entry.code != organisation.code:
            return ImportProblem(entry.row, CODE, f"系统里的编码是 {organisation.code}，不能更改。", "请核对或留空。")
        if not _is_parent(organisation.parent, entry.parent):
            return ImportProblem(
                entry.row, PARENT, "与系统里的上级组织不同，导入不能移动组织。", "请改回原上级，另行申请调整。"
            )
        if entry.is_branch != organisation.is_branch:
            return ImportProblem(
                entry.row, CATEGORY, f"系统里是{organisation.category.label}，不能改成这一类。", "请另建组织。"
            )
        # A name that stays as it is may be of an older fashion.
        purpose = organisation.purpose if entry.short_name != organisation.short_name else None
        return _name_problem(entry, purpose) or self._mark_problem(entry, entry.industry or organisation.industry or "")

    def _mark_problem(self, entry: OrganisationEntry, industry: str) -> ImportProblem | None:
        if entry.graduation is None or (industry in SCHOOL_INDUSTRIES and industry != graduation.UNMARKABLE):
            return None
        return ImportProblem(
            entry.row, GRADUATION, "不是学校的团支部，没有毕业时间。", "请填写单位所属行业类别，或留空。"
        )

    def _may_mark(self, entry: OrganisationEntry, parent_id: int | None) -> bool:
        """A leading organ marks only a branch directly below it (G-11, G-12)."""
        if entry.graduation is None:
            return False
        if self.scope is None or not self.scope.is_leading or parent_id == self.scope.id:
            return True
        self._warn(entry, GRADUATION, "毕业时间由学校团组织标记，没有导入。", "请由学校标记。")
        return False

    def _create(self, new: list[OrganisationEntry]) -> None:
        spots: dict[str, Spot] = {}
        for organisation in filter(self._inside, self.by_code.values()):
            spots[organisation.code] = spots[key(organisation.full_name)] = _spot(organisation)
        placed = Placing(new, spots, self.checked.refused, self._nearest).place()
        self.result.errors += placed.problems
        superiors = {spot.key for _, spot in placed.order}
        for entry, spot in placed.order:
            self.result.creations.append((entry, spot, self._may_mark(entry, spot.org_id)))
            self.result.created += 1
            if not entry.is_branch and entry.key not in superiors:
                self._warn(entry, FULL_NAME, "下面没有团支部，不能编入团员。", "请随后建立团支部。")

    def _nearest(self, words: str) -> list[str]:
        if self.names is None:
            names = queries.committee_names(self.scope.path if self.scope else "")
            self.names = Nearest([*names, *(entry.full_name for entry in self.checked.entries if not entry.is_branch)])
        return self.names(words)

    def _amend(self, entry: OrganisationEntry, organisation: Organisation) -> None:
        """Collect what the row changes; blanks change nothing."""
        amendment = _Amendment(entry, organisation.id)
        changes = []
        for column, name in _AMENDABLE.items():
            value, before = getattr(entry, name), getattr(organisation, name)
            # A branch converted since the file was written stays what it is (G-09).
            if value and value != before and not (name == "category" and organisation.is_branch):
                amendment.values[name] = value
                changes.append(
                    Change(column, *(one.label if isinstance(one, Category) else one or "" for one in (before, value)))
                )
        changes += self._appoint(entry, organisation, amendment)
        changes += self._mark(entry, organisation, amendment)
        if changes:
            self.result.updates.append(Update(entry.row, entry.full_name, tuple(changes)))
            self.result.amendments.append(amendment)

    def _appoint(self, entry: OrganisationEntry, organisation: Organisation, amendment: _Amendment) -> list[Change]:
        """Another secretary takes the place of the one in the system; nobody replaces himself (PD-02)."""
        seats = self.seats.get(organisation.id, [])
        if not entry.mobile or any(seat.account.mobile_hash == keyed_hash("mobile", entry.mobile) for seat in seats):
            return []
        if self.scope is not None and organisation.id == self.scope.id:
            self._warn(entry, SECRETARY, "本组织的书记由上级更换，没有导入。", "请联系上级团组织。")
            return []
        amendment.appoints = True
        amendment.ends = [seat.id for seat in seats]
        return [Change(SECRETARY, "、".join(seat.account.name for seat in seats), entry.secretary)]

    def _mark(self, entry: OrganisationEntry, organisation: Organisation, amendment: _Amendment) -> list[Change]:
        month = entry.graduation
        if month is None:
            return []
        if organisation.id in self.marks:
            if (marked := self.marks[organisation.id]) != month:
                shown = f"{marked:%Y-%m}" if marked else "无法确定"
                self._warn(entry, GRADUATION, f"已标记为{shown}，导入不能更改。", "请另行申请更改毕业时间。")
            return []
        amendment.marks = self._may_mark(entry, organisation.parent_id)
        return [Change(GRADUATION, "", f"{month:%Y-%m}")] if amendment.marks else []


def _name_problem(entry: OrganisationEntry, purpose: Purpose | None) -> ImportProblem | None:
    """A purpose-built branch says in both names what it is for (O-07, O-12)."""
    try:
        check_purpose_name(purpose, entry.short_name, SHORT_NAME)
    except DomainError as error:
        return ImportProblem(entry.row, SHORT_NAME, error.message, "请改写简称。")
    return None


def _named(entries: Iterable[OrganisationEntry]) -> set[str]:
    """Every full name and code in the file."""
    names: set[str] = set()
    for entry in entries:
        names |= queries.spellings(entry.full_name) | queries.spellings(entry.parent) | {entry.code}
    return names - {""}


def _spot(organisation: Organisation) -> Spot:
    obstacle = ""
    if organisation.closed_at is not None:
        obstacle = "上级组织已停用。"
    elif organisation.system is not Region.NATIONAL:
        obstacle = "该地区使用自己的系统，不能在这里建立组织。"
    depth = len(organisation.path) // SEGMENT
    return Spot(organisation.id, "", organisation.code, organisation.tier, depth, obstacle)


def _is_parent(parent: Organisation | None, words: str) -> bool:
    if parent is None:
        return not words
    return words == parent.code or key(words) == key(parent.full_name)


def apply(plan: OrganisationPlan, *, partial: bool = False) -> int:
    """Write what the plan says, all or nothing unless ``partial``; to be called in the transaction of the preview.

    Returns:
        How many rows were imported.

    Raises:
        Conflict: meanwhile someone else has created one of the organisations or accounts.
    """
    if not plan.may_apply(partial=partial):
        return 0
    try:
        _write(plan)
    except IntegrityError as error:
        raise Conflict("其他人刚刚登记了名单中的组织或人员。", fix="请重新上传核对。") from error
    return plan.accepted


def _write(plan: OrganisationPlan) -> None:
    created: dict[str, Organisation] = {}
    for entry, spot, marks in plan.creations:
        parent = created[spot.key] if spot.org_id is None else session.get_one(Organisation, spot.org_id)
        organisation = created[entry.key] = orgs.create(parent, _new(entry))
        _finish(entry, organisation, appoints=bool(entry.mobile), marks=marks)
    for amendment in plan.amendments:
        organisation = session.get_one(Organisation, amendment.organisation_id)
        if amendment.values:
            orgs.amend(organisation, **amendment.values)
        _finish(amendment.entry, organisation, appoints=amendment.appoints, marks=amendment.marks)
        for seat_id in amendment.ends:
            people.end_seat(session.get_one(Seat, seat_id), "replaced")
    graduation.open_register()
    where = plan.scope_id or next((spot.org_id for _, spot, _ in plan.creations if spot.org_id), None) or 0
    audit.record(
        "import.organisations",
        "organisation",
        where,
        read=plan.read,
        created=plan.created,
        updated=len(plan.updates),
        skipped=plan.bad_rows,
    )


def _new(entry: OrganisationEntry) -> NewOrganisation:
    return NewOrganisation(
        full_name=entry.full_name,
        short_name=entry.short_name,
        category=entry.category,
        industry=entry.industry or None,
        purpose=rules.purpose_of(entry),
        code=entry.code or None,
        phone=entry.phone or None,
        address=entry.address or None,
        postcode=entry.postcode or None,
    )


def _finish(entry: OrganisationEntry, organisation: Organisation, *, appoints: bool, marks: bool) -> None:
    if appoints:
        people.start_seat(_account(entry), organisation, Post.SECRETARY)
    if marks:
        seat_id = audit.actor().seat_id
        graduation.mark_branch(organisation, month=entry.graduation, seat_id=seat_id, with_register=False)


def _account(entry: OrganisationEntry) -> Account:
    """The person with this number, who may have other posts; else a new inactive account (PD-31)."""
    found = session.scalars(select(Account).where(Account.mobile_hash == keyed_hash("mobile", entry.mobile))).first()
    return found or people.create_account(entry.secretary, mobile=entry.mobile)
