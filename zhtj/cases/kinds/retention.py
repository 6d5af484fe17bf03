"""保留团组织关系: graduates without a job or a school stay at their own one, for a time (R-01 … R-12, F-01, F-08)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from zhtj.cases.kind import (
    ANYBODY,
    OF_MEMBER,
    OUTCOME,
    REASON_AT_LEAST,
    About,
    CaseColumn,
    CaseKind,
    CaseMatter,
    ExportedCase,
    FormField,
    Paper,
    Shape,
    always,
    asked,
    choice_label,
    chosen,
    explained,
    member_name,
)
from zhtj.cases.kinds import staying
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.floating import branches, operations
from zhtj.floating.models import Stay, StayKind
from zhtj.floating.operations import Terms
from zhtj.floating.queries import open_stay
from zhtj.floating.rules import RetentionTerm, retained_until, retention_term
from zhtj.graduation import liaisons
from zhtj.graduation.models import DestinationEntry, LiaisonRole, RegisterRow
from zhtj.graduation.queries import is_delayed
from zhtj.kernel import clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs.contacts import contact
from zhtj.orgs.models import Organisation, Purpose
from zhtj.orgs.policies import policy_of
from zhtj.people.queries import posts
from zhtj.policy.model import Policy
from zhtj.policy.spoken import months as spoken
from zhtj.policy.spoken import said
from zhtj.policy.vocabulary import Reason

FORM = "F-08"

# What the notice tells whoever is retained: the six points of the document in our words, with the policy's terms
# (R-10 … R-12, D-21, D-22).
NOTICES = (
    # this and the next.
    "流动团员要执行团章，履行团章规定的团员义务。",
    "要配合团组织完成线上转接、线下报到，主动加入网上流动团员社群，接受教育管理，参加组织生活。",
    "工作单位或居住地相对固定的，要把组织关系及时转出。",
    (
        "至少每 {contact_interval_months:n} 个月与所在团组织联系 1 次，号码变了及时告知。"
        "失联{suspend_after_months}以上的停止团籍，再过 {remove_after_suspension_years} 年仍失联的按自行脱团除名。"
    ),
    (
        "没有正当理由，不按规定交纳团费、不过组织生活，"
        "或连续 {inactive_months:n} 个月不做团组织分配的工作的，按自行脱团除名。"
    ),
    "请珍惜团员身份。被停止团籍、除名，会对今后的学习、工作和生活造成长久的影响。",
)
# The document's drop-down list of 转出人毕业去向.
PLANS = (("study", "继续准备升学"), ("job", "继续准备就业"), ("other", "其他（请填写备注）"))
INSTRUCTIONS = (
    "填写说明（请勿删除本行内容）",
    "1. 除“备注”外都要填写；缺少内容或格式不符的，不能转入流动团员团支部。",
    "2. “转出团支部”与系统中的名称一致，填写全称。",
    "3. “转出人毕业去向”用下拉框选择。",
    "4. “转接原因”写明属于哪一种流动团员，如没有升学、没有就业、二战考研、工作单位未确定具体转接流程等。",
    "5. 以学院为单位汇总，每个学院一张表；需要补充的情况写在“备注”中。",
)
SHEET = "毕业生流动团员信息汇总表"
# settled in writing before anybody is retained.
AGREED = ("mobile", "dues", "life")
# Grounds on which he goes to the college's floating branch at once (T-23, T-25, T-26).
COLLEGE_FIRST = frozenset({"teaching", "file_first", "dropout"})
TEACHING, DROPOUT = "teaching", "dropout"

GROUND = FormField("ground", "属于哪一种情况", Shape.CHOICE, choices=staying.GROUNDS)
PLAN = FormField("plan", "毕业去向", Shape.CHOICE, choices=PLANS)
FIELDS = (
    GROUND,
    FormField(
        "detail",
        "转接原因",
        Shape.LONG,
        hint="写明具体情况；二战考研的，写明居住地团组织为什么不接收。",
        width=300,
        at_least=2,
    ),
    PLAN,
    FormField("mobile", "常用联系电话", Shape.MOBILE, required=False, width=20, hint="保留期间能找到本人的手机。"),
    FormField("dues", "团费怎样交纳", required=False, hint="例如：按月用微信交给学院团委。", width=200, at_least=2),
    FormField("life", "怎样参加组织生活", required=False, hint="例如：参加线上主题团日，每季度汇报一次。", width=200),
    FormField("remark", "备注", Shape.LONG, required=False, hint="毕业去向选“其他”的，在这里写明。", width=300),
    FormField(
        "leader", "学社衔接工作负责人", Shape.PERSON, required=False, hint="不填的，用学院登记的负责人。", width=60
    ),
    FormField("leader_phone", "负责人联系方式", required=False, width=40),
)
OWN_FIELDS = FIELDS[:7]
"""What a member is asked; the rest is the college's."""


def check_right(matter: CaseMatter) -> None:
    """Raise DomainError for somebody who may not be retained (R-01, R-08, K-11)."""
    person, home = matter.person, staying.home(matter)
    if is_delayed(person):
        raise DomainError(
            "延迟毕业的团员仍在学校，不转入流动团员团支部。",
            fix="请办理“延迟毕业编入团组织”。",
            field="subject",
            rule="R-08",
        )
    if person.org.purpose in {Purpose.FLOATING, Purpose.OVERSEAS}:
        raise DomainError(
            f"{person.name}已经在{person.org.short_name}。",
            fix="保留期不够的，请申请延长保留。",
            field="subject",
            rule="R-02",
        )
    # the kinds of school that the policy grants it to.
    if not policy_of(home.school).may_be_retained(home.school.industry):
        raise DomainError(
            f"按现行规定，{home.school.industry}的毕业生不能保留在学校。",
            fix="请转到居住地或户籍地的乡镇街道。",
            field="subject",
            rule="R-01",
        )
    _term(matter)


def _check(matter: CaseMatter) -> None:
    check_right(matter)
    staying.check_free(matter.person)
    if matter.said("plan") == "other" and not matter.said("remark"):
        raise DomainError("毕业去向选“其他”的，请在备注中写明。", field="remark", rule="F-01")


def ready(matter: CaseMatter, case: Case) -> None:
    """Raise DomainError while notice or branch are missing; whoever cannot be reached signs nothing (A-26, T-26)."""
    if matter.said("ground") != DROPOUT:
        # no notice signed, no place in the branch.
        staying.signature_there(case, "《流动团员管理服务告知书》")
    _branch(matter)


def _branch(matter: CaseMatter) -> Organisation:
    return branches.for_retention(staying.home(matter), college_first=matter.said("ground") in COLLEGE_FIRST)


def months(policy: Policy, ground: str) -> tuple[int, int]:
    """How long somebody may stay for this reason, and how long with an extension (D-18, T-23)."""
    if ground == TEACHING:
        return policy.teaching_months, policy.teaching_months
    return policy.retention_months, policy.retention_max_months


def _term(matter: CaseMatter) -> RetentionTerm:
    """The term that is left to grant; before a ground is named, the longest. Raises DomainError for none (PD-61)."""
    policy, today = policy_of(staying.home(matter).school), clock.today()
    graduation = staying.graduation_month(matter.person) or today
    first, most = months(policy, matter.said("ground"))
    if not matter.said("ground"):
        most = max(most, policy.teaching_months)
    found = retention_term(graduation, first, most, today)
    if found is None:
        last = retained_until(graduation, max(first, most))
        raise DomainError(
            f"保留期最长到 {last:%Y-%m-%d}，已经过了，不能再保留。",
            fix="有单位的请转到单位，升学的转到录取学校，其他的转到居住地或户籍地的乡镇街道。",
            field="subject",
            rule="D-18",
        )
    return found


def _effect(matter: CaseMatter, case: Case) -> str:
    person, home, branch = matter.person, staying.home(matter), _branch(matter)
    # as long as D-18 and the policy have it.
    policy, term = policy_of(home.school), _term(matter)
    terms = Terms(term.until, matter.said("ground"), home.nearest, term.extended)
    operations.keep(person, branch, terms, f"case:{case.id}")
    words = f"已编入{branch.short_name}，保留到 {term.until:%Y-%m-%d}；保留期间计为未完成转接，"
    words += f"落实去向后{spoken(policy.floating_onward_months)}内转出。"
    if term.extended:
        words += f"头 {policy.retention_months} 个月已过，按延长保留办理，不能再延长。"
    if home.college is not None and branch.parent_id == home.school.id and policy.retention_tiers > 1:
        words += f"再由{home.college.short_name}分配到学院流动团员团支部。"
    return words


def _warn(matter: CaseMatter) -> str:
    """What he is registered as, where that contradicts the application (R-01)."""
    query = select(DestinationEntry).join(RegisterRow, RegisterRow.id == DestinationEntry.row_id)
    here = RegisterRow.member_id == matter.person.id, RegisterRow.season == clock.today().year
    entry = session.scalars(query.where(*here)).first()
    placed = {Reason.FURTHER_STUDY, Reason.EMPLOYED_WITH_ORG, Reason.EMPLOYED_WITHOUT_ORG}
    if entry is not None and entry.reason in placed and matter.said("ground") not in {*COLLEGE_FIRST, "undecided"}:
        return "本人登记的毕业去向是已升学或已就业，请先核实。"
    return f"{_extension(matter)}同意后计为未完成转接，到落实去向、转出为止。"


def _extension(matter: CaseMatter) -> str:
    """That the first term is over, so that this is an extension already (PD-61)."""
    try:
        term = _term(matter)
    except DomainError as error:
        return str(error)
    return f"头几个月的保留期已过，按延长保留办理，保留到 {term.until:%Y-%m-%d}。" if term.extended else ""


def _paper(matter: CaseMatter) -> Paper:
    """F-08: six notices, whom to ring, what was agreed, the receipt."""
    home = branches.home_of(matter.person.org)
    name, phone = leader_of(home.nearest if home is not None else matter.person.org)
    account, values = matter.person.account, dict(policy_of(matter.person.org))
    return Paper(
        FORM,
        "流动团员管理服务告知书",
        tuple(f"{number}. {said(words, values)}" for number, words in enumerate(NOTICES, start=1)),
        (
            ("团组织联系人", name),
            ("联系电话", phone),
            ("情况", choice_label(GROUND, matter.said("ground"))),
            ("团费交纳", matter.said("dues")),
            ("参加组织生活", matter.said("life")),
            ("团员身份证号码", account.id_number or ""),
            ("本人手机号码", matter.said("mobile") or account.mobile or ""),
        ),
        AGREED,
    )


def leader_of(college: Organisation) -> tuple[str, str]:
    """学社衔接工作负责人 of a college and his number: whom it has named this season, else who holds the post (F-13)."""
    named = liaisons.of_college(college, clock.today().year).named.get(LiaisonRole.LEADER)
    if named is not None:
        return named.name, named.phone
    holder = next(iter(posts(college)), None)
    office = contact(college)
    if holder is None:
        return office.name, office.phone
    return holder.account.name, college.phone or holder.account.mobile or office.phone


def _leader(line: ExportedCase) -> str:
    return line.matter.said("leader") or leader_of(staying.college_of(line))[0]


def _leader_phone(line: ExportedCase) -> str:
    return line.matter.said("leader_phone") or leader_of(staying.college_of(line))[1]


def _mobile(line: ExportedCase) -> str:
    return line.matter.said("mobile") or line.matter.person.account.mobile or ""


KIND = CaseKind(
    key="retention",
    label="保留团组织关系",
    note="毕业后没有升学、没有就业的，可以申请暂时保留在学校；由本人签收告知书，学校团委集中审核，同意后编入流动团员团支部。",
    rule="R-05",
    form="F-01",
    sheet=SHEET,
    raised_by=ANYBODY,
    about=About.MEMBER,
    fields=FIELDS,
    decider=always(Decider.COMMITTEE),
    line=lambda matter: staying.line(matter, Decider.COMMITTEE),
    check=_check,
    ready=ready,
    effect=_effect,
    warn=_warn,
    paper=_paper,
    personal=True,
    short=lambda matter: choice_label(GROUND, matter.said("ground")),
    # F-01: exactly the document's columns.
    columns=(
        CaseColumn("学院", staying.college_name),
        CaseColumn("转出团支部", staying.old_branch),
        CaseColumn("学社衔接工作负责人姓名（师生均可）", _leader),
        CaseColumn("学社衔接工作负责人联系方式", _leader_phone),
        CaseColumn("转出人姓名", member_name),
        CaseColumn("转出人常用联系方式", _mobile),
        CaseColumn("转接原因", explained(GROUND, "detail")),
        CaseColumn("转出人毕业去向", chosen(PLAN)),
        CaseColumn("备注", asked("remark")),
    ),
)


# ---- 延长保留


def may_extend(organisation: Organisation) -> bool:
    """Whether the policy knows extensions at all (D-18, K-10)."""
    policy = policy_of(organisation)
    return policy.retention_max_months > policy.retention_months


def _check_extension(matter: CaseMatter) -> None:
    stay = open_stay(matter.person.id)
    if stay is None or stay.kind is not StayKind.SCHOOL or stay.retained_until is None:
        raise DomainError(f"{matter.person.name}没有保留在学校。", field="subject", rule="D-18")
    policy = policy_of(stay.org)
    if policy.retention_max_months <= policy.retention_months:
        raise DomainError(
            f"按现行规定，保留期最长 {policy.retention_months} 个月，不能延长。",
            fix="请尽快办理转接。",
            field="subject",
            rule="D-18",
        )
    if stay.extended_on is not None or stay.ground == TEACHING:
        raise DomainError("保留期已经到了最长期限，不能再延长。", fix="请办理转接。", field="subject", rule="D-18")
    until = _extended_until(matter, stay)
    if until < clock.today():
        raise DomainError(
            f"延长后的保留期到 {until:%Y-%m-%d}，已经过了。", fix="请办理转接。", field="subject", rule="D-18"
        )


def _extended_until(matter: CaseMatter, stay: Stay) -> date:
    graduation = staying.graduation_month(matter.person) or stay.since
    return retained_until(graduation, policy_of(stay.org).retention_max_months)


def _extend(matter: CaseMatter, case: Case) -> str:
    stay = open_stay(matter.person.id)
    if stay is None:
        raise DomainError(f"{matter.person.name}没有保留在学校。", rule="D-18")
    until = _extended_until(matter, stay)
    operations.extend(stay, until, f"case:{case.id}")
    return f"保留期延长到 {until:%Y-%m-%d}，期满前应当转出。"


EXTENSION = CaseKind(
    key="retention_extension",
    label="延长保留",
    note="保留期快到、仍然没有落实去向的，可以申请延长一次；由学校团委决定。",
    rule="D-18",
    sheet="延长保留团组织关系",
    raised_by=ANYBODY,
    about=About.MEMBER,
    fields=(
        FormField(
            "why",
            "为什么要延长",
            Shape.LONG,
            hint="现在的情况，打算什么时候转出。",
            width=300,
            at_least=REASON_AT_LEAST,
        ),
    ),
    decider=always(Decider.COMMITTEE),
    line=lambda matter: staying.line(matter, Decider.COMMITTEE),
    offered=may_extend,
    check=_check_extension,
    effect=_extend,
    personal=True,
    columns=(
        *OF_MEMBER,
        CaseColumn("延长原因", asked("why")),
        *OUTCOME,
    ),
)
