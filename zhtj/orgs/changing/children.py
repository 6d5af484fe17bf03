"""Build an organisation below another: names, level, flag, and the purpose-built branches (O-03, O-04, O-07, O-12)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.orgs import operations
from zhtj.orgs.changing.administration import check_purpose_name
from zhtj.orgs.models import (
    INDUSTRIES_BRANCH,
    LEADING_TIERS,
    SCHOOL_INDUSTRIES,
    Category,
    Organisation,
    Purpose,
    Region,
    Tier,
)
from zhtj.orgs.naming import floating_short_name, own_name
from zhtj.orgs.operations import NewOrganisation
from zhtj.orgs.queries import over_townships
from zhtj.orgs.rules import PURPOSE_ENDINGS, purpose_named, tier_below

# How the name of an organisation ends, by category; the full name of a committee or branch says what it is (PD-05).
ENDINGS: dict[Category, tuple[str, ...]] = {
    Category.LEADING_ORGAN: ("委员会", "团委"),
    Category.COMMITTEE: ("委员会", "团委"),
    Category.WORKING_COMMITTEE: ("工作委员会", "团工委"),
    Category.GENERAL_BRANCH: ("总支部委员会", "团总支"),
    Category.BRANCH: ("支部", "支部委员会"),
}
SHORTEST, LONGEST_FULL, LONGEST_SHORT = 4, 120, 80
_NAME = re.compile(r"[\w（）()·・•\-—－“”‘’《》、.&+#/]+")
_TOWNSHIP = re.compile(r".+(?:乡|镇|街道|苏木)")


def tidy_name(text: str) -> str:
    """A name as it is kept: composed signs, full-width brackets, no blanks between Chinese signs."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    plain = re.sub(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])", "", plain)
    return plain.replace("(", "（").replace(")", "）")


def check_names(category: Category, full_name: str, short_name: str) -> None:
    """Raise DomainError for a name that cannot be one, at its field (O-07, PD-05)."""
    for field, name, longest in (
        ("full_name", full_name, LONGEST_FULL),
        ("short_name", short_name, LONGEST_SHORT),
    ):
        label = "组织全称" if field == "full_name" else "组织简称"
        if len(name) < (SHORTEST if field == "full_name" else 2):
            raise DomainError(f"请填写{label}。", field=field, rule="PD-05")
        if len(name) > longest:
            raise DomainError(f"{label}最多 {longest} 个字，现在是 {len(name)} 个。", field=field, rule="PD-05")
        if not _NAME.fullmatch(name.replace(" ", "")):
            raise DomainError(f"{label}里有不能用的符号。", fix="请只用文字、数字和括号。", field=field, rule="PD-05")
    endings = ENDINGS.get(category, ())
    if endings and not full_name.endswith(endings):
        raise DomainError(f"{category.label}的全称应以“{'”或“'.join(endings)}”结尾。", field="full_name", rule="PD-05")


def categories_below(parent: Organisation) -> list[Category]:
    """What can be built there; a 毕业生团组织 never (O-01, G-09)."""
    found = []
    for category in ENDINGS:
        try:
            tier_below(parent.tier, category)
        except DomainError:
            continue
        found.append(category)
    return found


def build(parent: Organisation, new: NewOrganisation) -> Organisation:
    """Build ``new`` below ``parent``; a township or a park gets its floating branch with it.

    Args:
        parent: the direct superior.
        new: as typed, see ``prepared``.

    Raises:
        DomainError: as ``prepared``.
        Conflict: somebody builds the same at this moment.
    """
    created = _create(parent, prepared(parent, new))
    # O-03, O-08: a township has its floating branch from the first day, and so has a park.
    if created.township_flag or created.purpose is Purpose.PARK:
        _create(created, proposal(created, Purpose.FLOATING))
    return created


def prepared(parent: Organisation, new: NewOrganisation) -> NewOrganisation:
    """``new`` as it would be built below ``parent``; nothing is written.

    Args:
        parent: the direct superior.
        new: as typed; names are tidied, flag and purpose found from them where they are not given.

    Raises:
        DomainError: names, category or purpose cannot be there; each at its field.
    """
    if parent.system is not Region.NATIONAL or parent.closed_at is not None:
        raise DomainError(
            "这里不能建立下级组织。", fix="该组织已停用，或使用自己的系统。", field="parent", rule="PD-06"
        )
    new = replace(new, full_name=tidy_name(new.full_name), short_name=tidy_name(new.short_name))
    check_names(new.category, new.full_name, new.short_name)
    tier = tier_below(parent.tier, new.category)
    if new.category is Category.BRANCH and new.purpose is None:
        new = replace(new, purpose=purpose_named(new.full_name))
    if new.purpose is not None:
        _check_purpose(parent, new)
    # O-04: a township's committee is known by its name, directly below a leading organ; nobody is asked.
    if tier is Tier.BASIC and new.township_flag is None and is_township(new.full_name):
        new = replace(new, township_flag=True)
    return new


def _create(parent: Organisation, new: NewOrganisation) -> Organisation:
    try:
        with session.begin_nested():
            return operations.create(parent, new)
    except IntegrityError as error:
        raise Conflict(f"“{new.full_name}”刚刚已由别人建立。", fix="请刷新页面查看。", rule="PD-05") from error


def is_township(full_name: str) -> bool:
    """Whether a basic organisation below a leading organ is a township's by its name (O-04)."""
    return _TOWNSHIP.fullmatch(own_name(full_name)) is not None


def _check_purpose(parent: Organisation, new: NewOrganisation) -> None:
    purpose = new.purpose
    if purpose is Purpose.PARK and not (new.category is Category.WORKING_COMMITTEE and may_have_park(parent)):
        raise DomainError("园区团工委由县级或市级团委建立，类别是团工委。", field="purpose", rule="O-08")
    if purpose is None or purpose not in PURPOSE_ENDINGS:
        return
    check_purpose_name(purpose, new.full_name, "full_name")
    check_purpose_name(purpose, new.short_name, "short_name")
    if purpose not in purposes_below(parent):
        raise DomainError(_NOT_THERE[purpose], field="purpose", rule=_RULES[purpose])


def may_have_park(parent: Organisation) -> bool:
    """Whether a park's 园区团工委 can stand below: a county or a city has them (PD-61, O-08)."""
    return parent.tier in {Tier.COUNTY, Tier.CITY} and parent.closed_at is None


_RULES = {
    Purpose.NEW_STUDENTS: "O-12",
    Purpose.OVERSEAS: "O-12",
    Purpose.DELAYED: "O-12",
    Purpose.FLOATING: "O-08",
    Purpose.TEMPORARY: "O-13",
}
_NOT_THERE = {
    Purpose.NEW_STUDENTS: "新生团组织由学校或学院建立。",
    Purpose.OVERSEAS: "出国（境）学习研究团员团支部由学校或学院建立。",
    Purpose.DELAYED: "延迟毕业团组织由学校或学院建立。",
    Purpose.FLOATING: "流动团员团支部由乡镇街道、县级团委、园区团工委、学校或学院建立。",
    Purpose.TEMPORARY: "临时团支部由单位的基层团委、团工委或团总支建立。",
}


def purposes_below(parent: Organisation) -> list[Purpose]:
    """The purpose-built branches that an organisation may have (O-08, O-12, O-13)."""
    if parent.closed_at is not None or parent.is_branch or parent.system is not Region.NATIONAL:
        return []
    if parent.industry in SCHOOL_INDUSTRIES and not parent.is_leading:
        # O-12: what a school and its colleges may build.
        return [Purpose.NEW_STUDENTS, Purpose.OVERSEAS, Purpose.DELAYED, Purpose.FLOATING]
    found = []
    if parent.township_flag or parent.purpose is Purpose.PARK or over_townships(parent):
        found.append(Purpose.FLOATING)
    if parent.tier not in LEADING_TIERS:
        # O-13: a unit takes in whose post is not decided yet.
        found.append(Purpose.TEMPORARY)
    return found


def proposal(parent: Organisation, purpose: Purpose) -> NewOrganisation:
    """A purpose-built branch with the names it would usually have; only to be confirmed (O-12)."""
    ending, year = PURPOSE_ENDINGS[purpose], clock.today().year
    if purpose is Purpose.NEW_STUDENTS:
        ending = f"{year}级{ending}"
    host = own_name(parent.full_name)
    short = own_name(parent.short_name)
    return NewOrganisation(
        full_name=f"{host}{ending}",
        short_name=floating_short_name(short) if purpose is Purpose.FLOATING else f"{short}{ending}",
        category=Category.BRANCH,
        industry=parent.industry if parent.industry in INDUSTRIES_BRANCH else None,
        purpose=purpose,
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """A purpose-built branch that can be had with one confirmation, or that is there already.

    Args:
        purpose: which.
        proposed: the names it would get.
        existing: the newest open one below the same superior.
    """

    purpose: Purpose
    proposed: NewOrganisation
    existing: Organisation | None = None

    @property
    def is_there(self) -> bool:
        """Whether the proposed one stands already; new students get one a year."""
        return self.existing is not None and (
            self.purpose is not Purpose.NEW_STUDENTS or self.existing.full_name == self.proposed.full_name
        )


def offers(parent: Organisation) -> list[Offer]:
    """What can be built there in two clicks (O-12)."""
    wanted = purposes_below(parent)
    if not wanted:
        return []
    query = select(Organisation).where(
        Organisation.parent_id == parent.id,
        Organisation.purpose.in_(wanted),
        Organisation.category == Category.BRANCH,
        Organisation.closed_at.is_(None),
    )
    there = {one.purpose: one for one in session.scalars(query.order_by(Organisation.path))}
    return [Offer(purpose, proposal(parent, purpose), there.get(purpose)) for purpose in wanted]
