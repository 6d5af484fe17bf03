"""What retention, overseas study and delay have in common: staying put is no transfer (PD-10)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import and_, case, or_, select

from zhtj.cases.kind import CaseMatter, ExportedCase
from zhtj.cases.lines import climb
from zhtj.cases.models import Case, SignedForm
from zhtj.cases.workflow import Decider
from zhtj.floating import branches
from zhtj.floating.branches import Home
from zhtj.graduation.models import BranchMark, CloseReason, MarkKind, MemberMark, RegisterRow
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Category, Organisation
from zhtj.people.models import Member, Membership
from zhtj.transfers.queries import open_application

# the grounds that F-01 knows.
GROUNDS = (
    ("no_study", "没有升学，准备再考"),
    ("no_job", "没有就业，正在求职"),
    ("retake", "二战考研，居住地不接收"),
    ("undecided", "工作单位未确定具体转接流程"),
    ("file_first", "单位先收档案，或还没有入职"),
    ("teaching", "支教保研（支教一年）"),
    ("commissioned", "定向委培"),
    ("dropout", "退学后暂时联系不上"),
    ("other", "其他"),
)
_GROUND_LABELS = dict(GROUNDS)


def ground_label(key: str | None) -> str:
    """The words of a ground; "" for none."""
    return _GROUND_LABELS.get(key or "", "")


def home(matter: CaseMatter) -> Home:
    """School and college of whoever it is about. Raises DomainError outside schools."""
    found = branches.home_of(matter.person.org)
    if found is None:
        raise DomainError(
            f"{matter.person.name}的组织关系不在学校。", fix="只有毕业学校可以保留。", field="subject", rule="R-01"
        )
    return found


def line(matter: CaseMatter, decider: Decider) -> list[int]:
    """From the college he belongs to up to whoever decides; whoever raises it has looked already (R-05, R-15)."""
    climbed = climb(matter.person.org, decider)
    if matter.raiser.id in climbed:
        climbed = climbed[climbed.index(matter.raiser.id) + 1 :] or climbed[-1:]
    return climbed


def graduation_month(member: Member) -> date | None:
    """The month he graduates: his own mark, else that of the branch he graduated from (PD-08)."""
    own = session.get(MemberMark, member.id)
    if own is not None and own.kind in {MarkKind.INDIVIDUAL, MarkKind.DELAYED} and own.month is not None:
        return own.month
    row = session.scalars(
        select(RegisterRow).where(RegisterRow.member_id == member.id).order_by(RegisterRow.season.desc())
    ).first()
    origin = row.origin_org_id if row is not None and row.origin_org_id is not None else member.org_id
    mark = session.get(BranchMark, origin) or session.get(BranchMark, member.org_id)
    return mark.month if mark is not None else None


def leaves_school(member: Member) -> bool:
    """Whether he is a graduate of this season or an earlier one (R-01, G-23)."""
    if member.is_graduate or member.org.category is Category.GRADUATES:
        return True
    counted = select(RegisterRow.id).where(
        RegisterRow.member_id == member.id,
        RegisterRow.season == clock.today().year,
        (RegisterRow.close_reason.is_(None)) | (RegisterRow.close_reason == CloseReason.OVERSEAS),
    )
    return session.scalar(counted) is not None


def check_nothing_open(member: Member) -> None:
    """Raise DomainError where a transfer is under way (A-06)."""
    if open_application(member.id) is not None:
        raise DomainError(
            f"{member.name}有正在办理的转接申请。", fix="请先撤销，或等它办结。", field="subject", rule="A-06"
        )


def check_free(member: Member) -> None:
    """Raise DomainError where business is under way, or he is no graduate."""
    check_nothing_open(member)
    if not leaves_school(member):
        raise DomainError(
            f"{member.name}不是毕业生，组织关系本来就在学校。",
            fix="毕业时间有误的，请先更正标记。",
            field="subject",
            rule="R-01",
        )


def signature_there(found: Case, paper: str) -> None:
    """Raise DomainError while the form is not signed: no form, no place in the branch (A-26, F-01)."""
    if session.scalar(select(SignedForm.id).where(SignedForm.case_id == found.id)) is None:
        raise DomainError(
            f"本人还没有填写、签名{paper}。", fix="请提醒本人登录后签名；线下签的，请上传照片或扫描件。", rule="A-26"
        )


def came_from(line: ExportedCase) -> Organisation:
    """The branch he was in when the case was raised, wherever he is by now."""
    moment = line.case.raised_at
    moved = Membership.ended_by == f"case:{line.case.id}"
    there = and_(Membership.started_at <= moment, or_(Membership.ended_at.is_(None), Membership.ended_at > moment))
    query = (
        select(Organisation)
        .join(Membership, Membership.org_id == Organisation.id)
        .where(Membership.member_id == line.matter.person.id, or_(moved, there))
        .order_by(case((moved, 0), else_=1), Membership.id)
    )
    return session.scalars(query).first() or line.matter.person.org


def old_branch(line: ExportedCase) -> str:
    """转出团支部, with its full name (O-22)."""
    return came_from(line).full_name


def college_of(line: ExportedCase) -> Organisation:
    """The college he came from, else the school."""
    branch = came_from(line)
    found = branches.home_of(branch)
    return found.nearest if found is not None else branch


def college_name(line: ExportedCase) -> str:
    """学院."""
    return college_of(line).short_name
