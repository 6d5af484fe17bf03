"""Pure rules: grounds of refusal (A-15 … A-17), what counts (PD-58), the age external systems ask for (X-09)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from zhtj.kernel.errors import DomainError
from zhtj.people import identity
from zhtj.people.models import Member
from zhtj.policy.model import Policy
from zhtj.policy.vocabulary import Destination, Reason
from zhtj.transfers.workflow import State


class Ground(StrEnum):
    """不同意的理由, coded (PD-17)."""

    NOT_OURS = "not_ours"
    WORKS_ELSEWHERE = "works_elsewhere"
    FILE_UNVERIFIED = "file_unverified"
    JOINED_MISMATCH = "joined_mismatch"
    WRONG_DATA = "wrong_data"
    NOT_LEAVING = "not_leaving"
    WRONG_DESTINATION = "wrong_destination"
    NOT_PASSED = "not_passed"
    NO_SPECIAL_UNIT = "no_special_unit"
    BARRED = "barred"
    OTHER = "other"
    NOT_REGULAR = "not_regular"
    NOT_RESIDENT = "not_resident"

    @property
    def label(self) -> str:
        """The sentence on the screen."""
        return GROUNDS[self].label

    @property
    def forbidden_by(self) -> str:
        """ID of the rule that forbids this ground, or ""."""
        return GROUNDS[self].forbidden_by


@dataclass(frozen=True, slots=True)
class _About:
    label: str
    states: frozenset[State]
    forbidden_by: str = ""


_RELEASE = frozenset({State.AWAITING_RELEASE})
_ACCEPTANCE = frozenset({State.AWAITING_ACCEPTANCE})
_PROVINCE = frozenset({State.AWAITING_PROVINCE})
_ALLOCATION = frozenset({State.AWAITING_ALLOCATION})

GROUNDS: dict[Ground, _About] = {
    Ground.NOT_OURS: _About("本人去向与本组织无关，申请转错了组织", _ACCEPTANCE),
    Ground.WORKS_ELSEWHERE: _About("本人已在其他单位就业，应转往该单位", _ACCEPTANCE),
    Ground.FILE_UNVERIFIED: _About("团员档案缺失或未核实", _ACCEPTANCE),
    Ground.JOINED_MISMATCH: _About("入团时间与志愿书不一致，且没有书面说明", _ACCEPTANCE),
    Ground.NOT_LEAVING: _About("本人表示不转往该组织", _RELEASE),
    Ground.WRONG_DESTINATION: _About("转入组织有误", _RELEASE),
    Ground.NOT_PASSED: _About("政审、体检等手续尚未完成", _PROVINCE),
    Ground.NO_SPECIAL_UNIT: _About("去向不属于参军入伍或涉密单位", _PROVINCE),
    Ground.WRONG_DATA: _About("申请信息有误，需要改正后重新发起", _RELEASE | _ACCEPTANCE | _PROVINCE),
    Ground.BARRED: _About("按规定不能再转入（已转为毕业生团组织、延迟毕业等）", _ACCEPTANCE | _ALLOCATION),
    Ground.OTHER: _About("其他原因", _RELEASE | _ACCEPTANCE | _PROVINCE),
    Ground.NOT_REGULAR: _About("不是本单位正式职工", _ACCEPTANCE, "A-16"),
    Ground.NOT_RESIDENT: _About("不是本地户籍居民", _ACCEPTANCE, "A-16"),
}


def grounds(state: State) -> list[Ground]:
    """The grounds offered in this state; the forbidden ones come last, to be shown greyed."""
    return [ground for ground, about in GROUNDS.items() if state in about.states]


def check_refusal(state: State, ground: Ground, remark: str, at_least: int) -> None:
    """Raise DomainError unless ground and a remark of ``at_least`` signs carry a refusal here (A-15, A-16, PD-17)."""
    if ground.forbidden_by:
        raise DomainError(
            f"不能以“{ground.label}”为由拒绝接收。",
            fix="实习、试用、劳务派遣人员和非本地户籍人员，只要去向属实，都应当接收。",
            field="ground",
            rule="A-16",
        )
    if state not in GROUNDS[ground].states:
        raise DomainError("这个理由不适用于当前环节。", fix="请重新选择理由。", field="ground", rule="A-17")
    if len("".join(remark.split())) < at_least:
        raise DomainError(
            f"请写明不同意的具体情况，至少 {at_least} 个字。",
            fix="申请人会看到这段话，并据此改正。",
            field="remark",
            rule="A-15",
        )


# Words by which a remark gives one of the forbidden grounds away, whatever ground was chosen.
_FORBIDDEN_WORDS = {
    Ground.NOT_REGULAR: ("正式职工", "正式员工", "正式工", "在编", "编制", "合同工", "临时工", "派遣", "试用", "实习"),
    Ground.NOT_RESIDENT: ("户籍", "户口", "本地人", "外地人", "本地居民"),
}


# What a ground says by itself may be written under it: where somebody works, which data are wrong.
_SAID_ANYWAY = {Ground.WORKS_ELSEWHERE: Ground.NOT_REGULAR, Ground.WRONG_DATA: Ground.NOT_RESIDENT}


def hidden_ground(ground: str, remark: str) -> Ground | None:
    """The forbidden ground that a refusal hides behind a permitted one, or None (A-16, T-06, PD-17)."""
    found = forbidden_ground_in(remark)
    return None if found is None or _SAID_ANYWAY.get(Ground(ground)) is found else found


def forbidden_ground_in(remark: str) -> Ground | None:
    """The forbidden ground that a remark gives away, or None (A-16, PD-17)."""
    plain = "".join(remark.split())
    return next((ground for ground, words in _FORBIDDEN_WORDS.items() if any(word in plain for word in words)), None)


# ⑥ of PD-12: kept at the old school.
_KEPT = frozenset({Destination.OWN_SCHOOL, Destination.OWN_FLOATING, Destination.OWN_OVERSEAS, Destination.OWN_DELAYED})
_STUDY = frozenset({Reason.FURTHER_STUDY, Reason.INTERNAL_UPGRADE})
_EMPLOYER = frozenset({Reason.EMPLOYED_WITH_ORG, Reason.OVERSEAS_OFFICIAL})


def counts(kind: Destination, reason: str) -> bool:
    """Whether a graduate's transfer counts at the receiver, and as completed once it is (PD-12, PD-58).

    Inside one's own school it does only into further study, or where the school is the employer (T-01).
    """
    return kind not in _KEPT or reason in _STUDY | _EMPLOYER


def employs(kind: Destination, reason: str, employers: Collection[Destination]) -> bool:
    """Whether a completed transfer led to an employer's organisation (M-05, PD-58).

    Args:
        kind: what the destination was for the member.
        reason: key of the reason.
        employers: kinds that are receiver ① of the policy, an employer's organisation.
    """
    if reason == Reason.EMPLOYED_WITH_ORG:
        return True  # whatever kind of organisation employs them, an external one too
    if reason == Reason.OVERSEAS_OFFICIAL:
        return kind in employers
    return reason == Reason.OTHER and kind is Destination.UNIT


def low_age(policy: Policy, member: Member) -> bool:
    """Joined so young that the external interface refuses: age on the first day of that month (X-09, PD-31, PD-33)."""
    number = member.account.id_number
    if not number:
        return False
    return identity.read(number).age_on(member.joined_on.replace(day=1)) < policy.interface_min_age
