"""What only a superior changes in an organisation: its full name, its category, its industry (O-01, O-16, K-04)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from zhtj.kernel import audit
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import insert_new, session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.orgs import operations
from zhtj.orgs.changing import administration
from zhtj.orgs.changing.children import check_names, may_have_park, tidy_name
from zhtj.orgs.models import Category, Organisation, OrganisationTerm, Purpose, Tier, industries
from zhtj.orgs.naming import Fit, Term, initials, normalise, own_name
from zhtj.orgs.searching.terms import index_terms

# In the order of the form.
FIELDS = ("full_name", "category", "industry", *administration.OWN_DATA)
RENAMED = "organisation.rename"
_COMMITTEES = (Category.COMMITTEE, Category.WORKING_COMMITTEE, Category.GENERAL_BRANCH)


def seen(organisation: Organisation) -> str:
    """A mark of everything a superior may change, as it is shown."""
    return administration.seen(organisation, FIELDS)


def categories(organisation: Organisation) -> list[Category]:
    """What an organisation may become without changing its level; itself among them (O-01, G-09)."""
    return list(_COMMITTEES) if organisation.tier in {Tier.BASIC, Tier.SECOND} else [organisation.category]


def change(organisation: Organisation, typed: Mapping[str, str], shown: str) -> bool:
    """Change an organisation below; by its earlier names it is still found (K-04).

    Args:
        organisation: which one.
        typed: new values of ``FIELDS``; "" takes away what need not be there. ``park``, where it is given: whether it
            is a park's 园区团工委.
        shown: what ``seen`` said when the form was made.

    Returns:
        Whether anything was different.

    Raises:
        DomainError: a value that cannot be, with its ``field``.
        Conflict: somebody else changed it meanwhile, or has just taken the name.
    """
    organisation = operations.hold(organisation.id)
    if shown != seen(organisation):
        raise Conflict("资料刚刚被其他管理员改过。", fix="下面是现在的内容，请核对后再改。")
    category = _category(organisation, typed.get("category", ""))
    names = {name: tidy_name(typed.get(name, "")) for name in ("full_name", "short_name")}
    # A name that stays as it is may be of an older fashion.
    if names != {name: getattr(organisation, name) for name in names}:
        check_names(category, names["full_name"], names["short_name"])
        administration.check_purpose_name(organisation.purpose, names["full_name"], "full_name")
    own = {name: administration.tidy(typed.get(name, "")) for name in administration.OWN_DATA} | {
        "short_name": names["short_name"]
    }
    administration.check_own_data(organisation, own)
    wanted: dict[str, Any] = {name: value or None for name, value in own.items()}
    wanted |= {"category": category, "industry": _industry(category, typed.get("industry", ""))}
    if "park" in typed:
        wanted["purpose"] = _park(organisation, category, wanted=bool(typed["park"]))
    changes = {name: value for name, value in wanted.items() if value != getattr(organisation, name)}
    if changes:
        operations.amend(organisation, **changes)
    if names["full_name"] != organisation.full_name:
        rename(organisation, names["full_name"])
        return True
    return bool(changes)


def _category(organisation: Organisation, text: str) -> Category:
    if text == organisation.category:
        return organisation.category
    if text not in categories(organisation):
        raise DomainError("不能改为这个组织类别：层级会随之改变。", fix="请另建组织。", field="category", rule="O-01")
    return Category(text)


def may_be_park(organisation: Organisation) -> bool:
    """Whether its county or city may say that it is a park's 园区团工委, or that it is not (PD-61, O-08)."""
    above = organisation.parent
    is_working = organisation.category is Category.WORKING_COMMITTEE
    return is_working and organisation.purpose in {None, Purpose.PARK} and above is not None and may_have_park(above)


def _park(organisation: Organisation, category: Category, *, wanted: bool) -> Purpose | None:
    if wanted is (organisation.purpose is Purpose.PARK):
        return organisation.purpose
    if not may_be_park(organisation) or category is not Category.WORKING_COMMITTEE:
        raise DomainError("园区团工委由县级或市级团委建立，类别是团工委。", field="park", rule="O-08")
    if wanted:
        return Purpose.PARK
    branches = select(Organisation.id).where(
        Organisation.parent_id == organisation.id,
        Organisation.purpose == Purpose.FLOATING,
        Organisation.closed_at.is_(None),
    )
    if session.scalar(branches.limit(1)) is not None:
        raise DomainError("下面还有流动团员团支部。", fix="请先停用它，再改为不是园区。", field="park", rule="O-08")
    return None


def _industry(category: Category, text: str) -> str | None:
    if text and text not in industries(category):
        raise DomainError(f"“{text}”不是{category.label}可选的单位所属行业类别。", field="industry", rule="O-16")
    return text or None


def rename(organisation: Organisation, full_name: str) -> None:
    """Give it another full name; the old one goes on finding it (K-04).

    Raises:
        DomainError: the name is another organisation's (PD-05).
        Conflict: it has become another's at this moment.
    """
    before = organisation.full_name
    taken = session.scalar(
        select(Organisation.id).where(Organisation.full_name == full_name, Organisation.id != organisation.id)
    )
    if taken is not None:
        raise DomainError(f"组织全称“{full_name}”已被使用。", field="full_name", rule="PD-05")
    try:
        with session.begin_nested():
            organisation.full_name = full_name
            session.flush()
    except IntegrityError as error:
        raise Conflict(f"组织全称“{full_name}”刚刚被使用。", field="full_name", rule="PD-05") from error
    index_terms(session(), organisation)
    keep_name(organisation, before)
    audit.record(RENAMED, "organisation", organisation.id, before=before, after=full_name)


def keep_name(organisation: Organisation, name: str) -> None:
    """The old name as a whole, as it stands and without 共青团 and 委员会, and its initials."""
    whole = {normalise(name), normalise(own_name(name))}
    terms = {Term(Fit.WHOLE, text) for text in whole | {initials(text) for text in whole}}
    session.execute(
        insert_new(OrganisationTerm),
        [
            {"fit": term.fit, "term": term.text, "path": organisation.path, "org_id": organisation.id}
            for term in sorted(terms)
        ],
    )


def earlier_names(organisation: Organisation) -> list[str]:
    """曾用名: its former full names, newest first, each once."""
    events = session.scalars(
        select(AuditEvent.detail)
        .where(
            AuditEvent.subject_type == "organisation",
            AuditEvent.subject_id == organisation.id,
            AuditEvent.action == RENAMED,
        )
        .order_by(AuditEvent.id.desc())
    )
    names = dict.fromkeys(str(detail["before"]) for detail in events)
    return [name for name in names if name != organisation.full_name]
