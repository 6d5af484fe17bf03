"""Pure rules of the tree: which level stands below which (PD-01), what may be a destination (O-10)."""

from __future__ import annotations

from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import LEADING_TIERS, Category, Organisation, Purpose, Region, Tier
from zhtj.orgs.naming import FLOATING_BRANCH

# PD-05: one tree, rank by rank.
_NEXT_LEADING = {Tier.CENTRE: Tier.PROVINCE, Tier.PROVINCE: Tier.CITY, Tier.CITY: Tier.COUNTY}
_BRANCHES = (Category.BRANCH, Category.GRADUATES)
# Branches that carry in their names what they are for (O-07, O-12, O-13).
PURPOSE_ENDINGS: dict[Purpose, str] = {
    Purpose.NEW_STUDENTS: "新生团支部",
    Purpose.OVERSEAS: "出国（境）学习研究团员团支部",
    Purpose.DELAYED: "延迟毕业团员团支部",
    Purpose.FLOATING: FLOATING_BRANCH,
    Purpose.TEMPORARY: "临时团支部",
}


def tier_below(parent: Tier, category: Category) -> Tier:
    """Level of a new organisation of ``category`` below one of level ``parent`` (PD-01).

    A committee whose parent is a leading organ is basic, one whose parent is basic is second-level.

    Raises:
        DomainError: nothing of this category may stand there.
    """
    if parent is Tier.BRANCH:
        raise DomainError("团支部是最末一级，下面不能再建组织。", field="parent", rule="O-02")
    if category in _BRANCHES:
        return Tier.BRANCH
    if category is Category.LEADING_ORGAN:
        if parent not in _NEXT_LEADING:
            raise DomainError("团的领导机关只能建在上级领导机关之下。", field="category", rule="O-01")
        return _NEXT_LEADING[parent]
    return Tier.BASIC if parent in LEADING_TIERS else Tier.SECOND


def purpose_named(full_name: str) -> Purpose | None:
    """What a branch is for, as its name says."""
    return next((purpose for purpose, ending in PURPOSE_ENDINGS.items() if full_name.endswith(ending)), None)


def destination_problem(organisation: Organisation) -> str:
    """Why ``organisation`` cannot be chosen as transfer destination, in one sentence; "" if it can."""
    if organisation.closed_at is not None:
        return "该组织已停用，请选择其他组织。"
    if organisation.category is Category.GRADUATES:
        # O-09, O-10: nobody comes in any more; going out and looking after its data stay as they are.
        return "该组织是毕业生团组织，不能转入；请选择对方新的团组织。"
    if organisation.system is not Region.NATIONAL:
        return "该地区使用自己的系统，请按跨系统转接的说明办理。"
    if organisation.purpose is Purpose.SPECIAL_POOL:
        return "特殊单位不选择组织，请把转接原因改为“转往特殊单位”。"
    if organisation.is_leading:
        return "这是团的领导机关，请选择它下面的基层团组织。"
    return ""
