"""The words a policy is written in: reasons, destinations, places, verdicts; the Chinese term is each one's label."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

CategoryName = Literal["further_study", "society"]
"""升学 / 流向社会: which of the two rates a reason counts for (PD-09)."""

InitiatorName = Literal["member", "old_side", "new_side"]
"""团员本人 / 转出方 / 转入方: who may start an application (A-01)."""


class Reason(StrEnum):
    """转接原因 (PD-10). What each asks for stands in the policy: ``policy.reasons``."""

    FURTHER_STUDY = "further_study"
    INTERNAL_UPGRADE = "internal_upgrade"
    EMPLOYED_WITH_ORG = "employed_with_org"
    EMPLOYED_WITHOUT_ORG = "employed_without_org"
    SPECIAL_UNIT = "special_unit"
    UNPLACED = "unplaced"
    OVERSEAS_OFFICIAL = "overseas_official"
    OVERSEAS_PRIVATE = "overseas_private"
    WORK = "work"
    RELOCATION = "relocation"
    INTERNAL_TRANSFER = "internal_transfer"
    OTHER = "other"


class Audience(StrEnum):
    """Whom a reason is offered to: this season's graduates (毕业生) or everybody else (其他团员)."""

    GRADUATE = "graduate"
    OTHER = "other"

    @property
    def is_graduate(self) -> bool:
        """Whether the season is about them."""
        return self is Audience.GRADUATE


class ReasonField(StrEnum):
    """What an application has to state besides its destination (PD-10)."""

    UNIT = "unit"
    ADDRESS = "address"
    SCHOOL = "school"
    PLACE = "place"
    REMARK = "remark"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return _FIELD_LABELS[self]


_FIELD_LABELS = {
    ReasonField.UNIT: "工作单位名称",
    ReasonField.ADDRESS: "详细地址",
    ReasonField.SCHOOL: "录取学校",
    ReasonField.PLACE: "与转入地的关系",
    ReasonField.REMARK: "备注",
}


class Destination(StrEnum):
    """What kind of organisation somebody wants to go to (转入组织的类型), seen from the member's own school.

    Read off the organisation: its purpose first, then whether it belongs to the member's own school, then flag,
    rank and industry. A branch is of the kind of the committee above it unless it has a purpose of its own.
    """

    UNIT = "unit"
    SCHOOL = "school"
    NEW_STUDENTS = "new_students"
    OWN_SCHOOL = "own_school"
    TOWNSHIP = "township"
    TOWNSHIP_FLOATING = "township_floating"
    VILLAGE = "village"
    YOUTH_HOME = "youth_home"
    YOUTH_SOCIETY = "youth_society"
    PARK = "park"
    COUNTY_FLOATING = "county_floating"
    LEADING_ORGAN = "leading_organ"
    SPECIAL_POOL = "special_pool"
    EXTERNAL = "external"
    OWN_FLOATING = "own_floating"
    OWN_OVERSEAS = "own_overseas"
    OWN_DELAYED = "own_delayed"
    OTHER_SCHOOL_BRANCH = "other_school_branch"
    GRADUATES = "graduates"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return _DESTINATION_LABELS[self]

    @property
    def place_bound(self) -> bool:
        """Whether it takes people because of a place, so that the relation to that place has to be stated."""
        return self in _PLACE_BOUND


_DESTINATION_LABELS = {
    Destination.UNIT: "工作单位团组织",
    Destination.SCHOOL: "其他学校的团组织",
    Destination.NEW_STUDENTS: "录取学校的新生团组织",
    Destination.OWN_SCHOOL: "本校的团组织",
    Destination.TOWNSHIP: "乡镇街道团组织",
    Destination.TOWNSHIP_FLOATING: "乡镇街道流动团员团支部",
    Destination.VILLAGE: "村（社区）团组织",
    Destination.YOUTH_HOME: "青年之家团组织",
    Destination.YOUTH_SOCIETY: "团属青年社团团组织",
    Destination.PARK: "园区团工委",
    Destination.COUNTY_FLOATING: "县级流动团员团支部",
    Destination.LEADING_ORGAN: "团的领导机关",
    Destination.SPECIAL_POOL: "特殊单位专属库",
    Destination.EXTERNAL: "北京、广东、福建的团组织",
    Destination.OWN_FLOATING: "本校流动团员团支部",
    Destination.OWN_OVERSEAS: "本校出国（境）学习研究团员团支部",
    Destination.OWN_DELAYED: "本校延迟毕业团组织",
    Destination.OTHER_SCHOOL_BRANCH: "他校的流动、出国或延迟毕业团支部",
    Destination.GRADUATES: "毕业生团组织",
}
_PLACE_BOUND = frozenset(
    {
        Destination.TOWNSHIP,
        Destination.TOWNSHIP_FLOATING,
        Destination.VILLAGE,
        Destination.YOUTH_HOME,
        Destination.PARK,
        Destination.COUNTY_FLOATING,
    }
)


class PlaceTie(StrEnum):
    """How somebody is tied to the place of the destination (与转入地的关系, K-05)."""

    UNIT_LOCATION = "unit_location"
    RESIDENCE = "residence"
    HOUSEHOLD = "household"
    ORIGIN = "origin"
    PARENTS_RESIDENCE = "parents_residence"
    NONE = "none"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return _PLACE_LABELS[self]


_PLACE_LABELS = {
    PlaceTie.UNIT_LOCATION: "工作单位所在地",
    PlaceTie.RESIDENCE: "经常居住地",
    PlaceTie.HOUSEHOLD: "户籍所在地",
    PlaceTie.ORIGIN: "生源地",
    PlaceTie.PARENTS_RESIDENCE: "父母居住地",
    PlaceTie.NONE: "没有这些关系",
}


class Suitability(StrEnum):
    """What the destination table says to one destination (PD-11), from best to worst."""

    PREFERRED = "preferred"
    ALLOWED = "allowed"
    WARNED = "warned"
    FORBIDDEN = "forbidden"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"preferred": "首选", "allowed": "可以", "warned": "需说明", "forbidden": "不可以"}[self.value]

    def word(self, *, first: bool) -> str:
        """The same in a list: 首选 stands on one suggestion, the first (PD-60)."""
        return Suitability.ALLOWED.label if self is Suitability.PREFERRED and not first else self.label

    @property
    def rank(self) -> int:
        """0 for the best."""
        return list(Suitability).index(self)

    @property
    def is_forbidden(self) -> bool:
        """Whether nobody may go there."""
        return self is Suitability.FORBIDDEN


class StayingCase(StrEnum):
    """Staying put is no transfer but a case (PD-10): choosing such a branch opens it instead."""

    RETENTION = "retention"
    OVERSEAS_STUDY = "overseas_study"
    DELAY = "delay"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"retention": "保留团组织关系", "overseas_study": "出国（境）学习研究", "delay": "延迟毕业"}[self.value]


# M-08: what the caption of the lost figure says of each receiver.
class CountsAs(StrEnum):
    """How a row of the decision table counts in the rates (M-08, PD-12)."""

    COMPLETED = "completed"
    NOT_COMPLETED = "not_completed"
    OUT_OF_SCOPE = "out_of_scope"
    NONE = "none"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return _COUNTS_LABELS[self]

    @property
    def is_completed(self) -> bool:
        """Whether whoever goes there counts as done."""
        return self is CountsAs.COMPLETED

    @property
    def is_out_of_scope(self) -> bool:
        """Whether whoever goes there is left out of the rates."""
        return self is CountsAs.OUT_OF_SCOPE


_COUNTS_LABELS = {
    CountsAs.COMPLETED: "转入后计为完成",
    CountsAs.NOT_COMPLETED: "计为未完成",
    CountsAs.OUT_OF_SCOPE: "暂不纳入考核",
    CountsAs.NONE: "不在线上统计",
}


class CampaignPhase(StrEnum):
    """工作阶段 of a campaign (D-06, D-08, D-09)."""

    APPLICATION = "application"
    REVIEW = "review"
    CLOSING = "closing"

    @property
    def label(self) -> str:
        """The term on the screen."""
        return {"application": "转接申请期", "review": "转接审核期", "closing": "转接收尾期"}[self.value]
