"""The purpose-built branches of a school: found, or it is said how to build them (O-08, O-12)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.kernel.permissions import subtree
from zhtj.orgs.models import PURPOSE_LABELS, SCHOOL_INDUSTRIES, Category, Organisation, Purpose, Tier
from zhtj.orgs.policies import policy_of
from zhtj.transfers.kinds import basic_of

HOW = "请由{who}到“下级组织”中建立专用团支部（两步建好），再来办理。"


@dataclass(frozen=True, slots=True)
class Home:
    """A member's school, and his college where there is one between it and his branch."""

    school: Organisation
    college: Organisation | None

    @property
    def nearest(self) -> Organisation:
        """The college, else the school: whoever looks after him."""
        return self.college or self.school


def home_of(branch: Organisation) -> Home | None:
    """The school and college a branch belongs to; None outside schools."""
    school = basic_of(branch)
    if school is None or school.industry not in SCHOOL_INDUSTRIES:
        return None
    query = select(Organisation).where(Organisation.path.in_(branch.line), Organisation.tier == Tier.SECOND)
    return Home(school, session.scalars(query.order_by(Organisation.path.desc())).first())


def below(parent: Organisation, purpose: Purpose) -> Organisation | None:
    """The open branch of this purpose directly below an organisation, the newest where there are several."""
    query = select(Organisation).where(
        Organisation.parent_id == parent.id,
        Organisation.purpose == purpose,
        Organisation.tier == Tier.BRANCH,
        Organisation.category == Category.BRANCH,
        Organisation.closed_at.is_(None),
    )
    return session.scalars(query.order_by(Organisation.path.desc())).first()


def there(home: Home) -> set[Purpose]:
    """Which purposes the school or the college has a branch for."""
    parents = [home.school.id, *([home.college.id] if home.college is not None else [])]
    query = select(Organisation.purpose).where(
        Organisation.parent_id.in_(parents),
        Organisation.purpose.is_not(None),
        Organisation.tier == Tier.BRANCH,
        Organisation.category == Category.BRANCH,
        Organisation.closed_at.is_(None),
    )
    return {purpose for purpose in session.scalars(query.distinct()) if purpose is not None}


def missing(parent: Organisation, purpose: Purpose) -> DomainError:
    """What to tell whoever decides where the branch is not there yet (O-12)."""
    return DomainError(
        f"{parent.short_name}还没有“{PURPOSE_LABELS[purpose]}”。",
        fix=HOW.format(who=parent.short_name),
        rule="O-12",
    )


def for_retention(home: Home, *, college_first: bool) -> Organisation:
    """Where a retained graduate is put (R-05, T-23 … T-26).

    Args:
        home: his.
        college_first: of those who go to the college's floating branch at once.

    Raises:
        DomainError: the branch is not there yet; says who builds it.
    """
    own = below(home.college, Purpose.FLOATING) if home.college is not None else None
    if college_first and own is not None:
        return own
    # into the school's branch first; the college places them into its own afterwards.
    found = below(home.school, Purpose.FLOATING)
    if found is None and policy_of(home.school).retention_tiers == 1:
        # One tier only: a school whose colleges have built theirs needs none of its own.
        found = own
    if found is None:
        raise missing(home.school, Purpose.FLOATING)
    return found


def for_overseas(home: Home) -> Organisation:
    """Where somebody who studies abroad is put, by policy below the school or the college (R-16, K-12).

    Raises:
        DomainError: the branch is not there yet.
    """
    by_college = policy_of(home.school).overseas_held_by == "college" and home.college is not None
    first = home.nearest if by_college else home.school
    found = below(first, Purpose.OVERSEAS) or (below(home.school, Purpose.OVERSEAS) if by_college else None)
    if found is None:
        raise missing(first, Purpose.OVERSEAS)
    return found


def for_delay(home: Home) -> Organisation:
    """The organisation of delayed graduates: the college's, else the school's (T-19).

    Raises:
        DomainError: there is none yet.
    """
    found = below(home.nearest, Purpose.DELAYED) or below(home.school, Purpose.DELAYED)
    if found is None:
        raise missing(home.school, Purpose.DELAYED)
    return found


def study_branch_problem(home: Home, branch: Organisation) -> str:
    """Why a delayed graduate cannot be put into this branch as the one where he studies; "" if he can (T-19, R-08)."""
    if not branch.path.startswith(home.school.path) or branch.tier is not Tier.BRANCH:
        return "请填写本校的团支部。"
    if branch.closed_at is not None:
        return "这个团支部已停用。"
    if branch.category is Category.GRADUATES:
        return "这是毕业生团组织，不能转入。"
    if branch.purpose in {Purpose.FLOATING, Purpose.OVERSEAS}:
        return "延迟毕业的团员不编入流动团员团支部。"
    return ""


def floating_branches(home: Organisation) -> list[Organisation]:
    """The open floating branches below a college or school, for allocating (R-05)."""
    query = select(Organisation).where(
        subtree(Organisation.path, home.path),
        Organisation.purpose == Purpose.FLOATING,
        Organisation.tier == Tier.BRANCH,
        Organisation.closed_at.is_(None),
    )
    return list(session.scalars(query.order_by(Organisation.path)))
