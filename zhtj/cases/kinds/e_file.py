"""电子档案: a member's 入团志愿书 as PDF, looked at by the level above; approved, it certifies him (U-13, E-01 … E-04).

The form that counts is the 入团志愿书; a 申请书 in its place is taken for a slip of the pen (K-27).
"""

from __future__ import annotations

from sqlalchemy import select

from zhtj.cases.file_rules import FileRule
from zhtj.cases.kind import (
    ANYBODY,
    OF_MEMBER,
    OUTCOME,
    About,
    CaseColumn,
    CaseKind,
    CaseMatter,
    ExportedCase,
    FormField,
    Shape,
    asked,
    choice_label,
)
from zhtj.cases.membership.e_files import KEY
from zhtj.cases.models import Case, CaseFile
from zhtj.cases.workflow import Decider
from zhtj.identity import certification, pdf
from zhtj.identity.certification import COMMITTEES
from zhtj.identity.models import Origin
from zhtj.kernel import audit
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.policies import policy_of

DEVELOPED, TRANSFERRED = "developed", "transferred"
# E-02: a new member's own form, or the one out of the personal file.
_SOURCE = FormField(
    "source",
    "从哪里来",
    Shape.CHOICE,
    choices=(
        (DEVELOPED, "新发展的团员：入团时填写的志愿书"),
        (TRANSFERRED, "转入的团员：从本人人事（学籍）档案中取出的志愿书"),
    ),
)


def is_replacement(matter: CaseMatter) -> bool:
    """Whether a file that was approved is to be replaced (E-03)."""
    known = certification.of_member(matter.person.id)
    return known is not None and known.file_id is not None


def _check(matter: CaseMatter) -> None:
    person, raiser = matter.person, matter.raiser
    first = policy_of(person.org).certification_from
    if person.joined_on < first:
        raise DomainError(
            f"{first.year} 年以前入团的团员不需要上传。", fix="请核对入团年月。", field="subject", rule="U-13"
        )
    own = certification.office_of(person).organisation
    if own is not None and raiser.id not in {own.id, own.office_id, person.org_id}:
        raise DomainError(
            f"{person.name}是{own.short_name}的本级团干部。", fix="请由该组织上传。", field="subject", rule="E-04"
        )
    if own is None and raiser.is_leading:
        raise DomainError(
            "领导机关只审核下级团员的档案。", fix="请由本人、团支部或团委上传。", field="subject", rule="E-01"
        )
    if is_replacement(matter):
        _may_replace(matter)


def _may_replace(matter: CaseMatter) -> None:
    """An approved file is replaced by the committee, of cadres by their own (E-03, E-04)."""
    own = certification.office_of(matter.person).organisation
    if own is None and matter.raiser.category not in COMMITTEES:
        raise DomainError(
            "已经审核通过的档案由上级团委（团工委）替换。", fix="请联系团委管理员。", field="subject", rule="E-03"
        )
    if own is not None and matter.raiser.id not in {own.id, own.office_id}:
        raise DomainError(
            f"已经审核通过的档案由{own.short_name}替换。", fix="请联系该组织的管理员。", field="subject", rule="E-04"
        )
    if not matter.said("why"):
        raise DomainError("请写明为什么替换。", field="why", rule="E-03")


def _decider(matter: CaseMatter) -> Decider:
    """The committee; a replaced file and a committee's own cadres go to the leading organ above (E-03, E-04)."""
    own = certification.office_of(matter.person).organisation
    if own is not None and own.is_leading:
        return Decider.COMMITTEE
    return Decider.LEADING if own is not None or is_replacement(matter) else Decider.COMMITTEE


def _settled(matter: CaseMatter) -> bool:
    """A leading organ looks after its own cadres itself - but nobody after his own file (E-04, PD-02)."""
    own = certification.office_of(matter.person)
    himself = audit.actor().account_id == matter.person.account_id
    return own.is_leading and own.organisation == matter.raiser and not himself


def _effect(matter: CaseMatter, case: Case) -> str:
    file_id = session.scalars(select(CaseFile.id).where(CaseFile.case_id == case.id)).one()
    person, was = matter.person, is_replacement(matter)
    # Nobody has decided it: its own organ filed it.
    origin = Origin.REVIEWED if case.ended_by_id else Origin.OWN_ORGAN
    # E-01: certified as soon as the superior has approved the form.
    certification.certify(person, origin, file_id, f"case:{case.id}")
    if case.raised_member_id is None and not was:
        body = "入团志愿书已经审核通过，团员身份认证完成，可以办理组织关系转接。"
        notices.send(NewMessage(MessageKind.OUTCOME, "团员身份认证完成", body, member_id=person.id))
    return "已替换档案。" if was else f"{person.name}的团员身份认证已完成。"


def _warn(matter: CaseMatter) -> str:
    look = "请打开附件核对：是入团志愿书（不是申请书），姓名、入团时间与登记一致，盖章齐全。"
    return f"{look}同意后替换原来的档案；不同意的，原档案不变。" if is_replacement(matter) else look


def _kind_of_upload(line: ExportedCase) -> str:
    return "替换" if line.matter.said("why") else "上传"


def _source(line: ExportedCase) -> str:
    return choice_label(_SOURCE, line.matter.said("source")).partition("：")[0]


KIND = CaseKind(
    key=KEY,
    label="上传入团志愿书（团员身份认证）",
    note="按规定需要上传的，入团志愿书经上级审核通过才能转接组织关系。已通过的档案由团委替换，由上级领导机关审核。",
    rule="U-13",
    sheet="团员电子档案",
    raised_by=ANYBODY,
    about=About.MEMBER,
    fields=(
        _SOURCE,
        FormField(
            "why", "为什么替换", required=False, hint="只有替换已通过的档案才填，例如：原扫描件缺页。", width=200
        ),
    ),
    decider=_decider,
    check=_check,
    effect=_effect,
    settled=_settled,
    warn=_warn,
    file_needed=True,
    files=FileRule(
        at_most=1,
        largest=pdf.LARGEST,
        media_types=("application/pdf",),
        words="入团志愿书的 PDF 扫描件",
        check=pdf.check,
    ),
    columns=(
        *OF_MEMBER,
        CaseColumn("类别", _kind_of_upload),
        CaseColumn("来源", _source),
        CaseColumn("替换原因", asked("why")),
        *OUTCOME,
    ),
)
