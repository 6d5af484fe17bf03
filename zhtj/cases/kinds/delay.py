"""延迟毕业: marked, and put where delayed graduates are kept, or where they study; never a floating branch (T-19)."""

from __future__ import annotations

from zhtj.cases.kind import (
    ANYBODY,
    About,
    CaseColumn,
    CaseKind,
    CaseMatter,
    FormField,
    Shape,
    asked,
    branch_name,
    chosen,
    ended_on,
    member_name,
    position_of,
    raised_on,
    result,
)
from zhtj.cases.kinds import staying
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.floating import branches, operations
from zhtj.graduation import personal
from zhtj.kernel import audit
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Organisation, Purpose
from zhtj.orgs.policies import policy_of

DELAYED, STUDY = "delayed_branch", "study_branch"
PLACE = FormField(
    "place",
    "编入哪里",
    Shape.CHOICE,
    choices=((DELAYED, "延迟毕业团组织"), (STUDY, "实际学习的团支部")),
)
FIELDS = (
    FormField("month", "预计毕业时间", Shape.MONTH, hint="写成 2027-06，要晚于原来的毕业时间。"),
    FormField("why", "延迟毕业原因", Shape.LONG, hint="例如：学分未修满，延长一年。", width=200, at_least=2),
    PLACE,
    FormField(
        "branch",
        "实际学习的团支部",
        Shape.PARENT,
        required=False,
        hint="编入实际学习的团支部的才填：系统内的全称或组织编码。",
        width=120,
    ),
)


def _decider(matter: CaseMatter) -> Decider:
    """Whoever of his line may mark delayed graduates, the college first (G-20, K-02)."""
    by = policy_of(staying.home(matter).school).delayed_mark_by
    return Decider.COLLEGE if "college" in by else Decider.COMMITTEE


def _branch(matter: CaseMatter) -> Organisation:
    """Where he is put. Raises DomainError where that cannot be."""
    home = staying.home(matter)
    if matter.said("place") not in policy_of(home.school).delayed_place:
        raise DomainError(
            "按现行规定，延迟毕业的团员编入延迟毕业团组织。", fix="请选择“延迟毕业团组织”。", field="place", rule="K-24"
        )
    if matter.said("place") == DELAYED:
        return branches.for_delay(home)
    if not matter.said("branch"):
        raise DomainError("请填写实际学习的团支部。", field="branch", rule="T-19")
    branch = session.get_one(Organisation, int(matter.said("branch")))
    problem = branches.study_branch_problem(home, branch)
    if problem:
        raise DomainError(problem, field="branch", rule="T-19")
    return branch


def _check(matter: CaseMatter) -> None:
    person = matter.person
    if person.org.purpose is Purpose.DELAYED:
        raise DomainError(f"{person.name}已经在{person.org.short_name}。", field="subject", rule="T-19")
    staying.check_nothing_open(person)
    problem = personal.delay_problem_of(person, matter.month("month"), matter.said("why"))
    if problem is not None:
        raise DomainError(problem.message, fix=problem.fix, field="month", rule=problem.rule)
    if matter.said("place") != DELAYED:
        _branch(matter)


def _ready(matter: CaseMatter, case: Case) -> None:
    del case
    _branch(matter)


def _effect(matter: CaseMatter, case: Case) -> str:
    person, branch, month = matter.person, _branch(matter), matter.month("month")
    personal.delay(person, month, matter.said("why"), audit.actor().seat_id)
    operations.place_delayed(person, branch, f"case:{case.id}")
    return f"已标记延迟毕业（预计 {month:%Y-%m}），编入{branch.short_name}；本届不再计入转接率。"


KIND = CaseKind(
    key="delay",
    label="延迟毕业编入团组织",
    note="推迟毕业、还在学校读书的，标记延迟毕业，编入延迟毕业团组织（有规定的，编入实际学习的团支部），不进流动团员团支部。",
    rule="T-19",
    sheet="延迟毕业团员",
    raised_by=ANYBODY,
    about=About.MEMBER,
    fields=FIELDS,
    decider=_decider,
    line=lambda matter: staying.line(matter, _decider(matter)),
    check=_check,
    ready=_ready,
    effect=_effect,
    personal=True,
    short=lambda matter: f"预计 {matter.said('month')}",
    columns=(
        CaseColumn("序号", position_of),
        CaseColumn("姓名", member_name),
        CaseColumn("学院", staying.college_name),
        CaseColumn("原团支部", staying.old_branch),
        CaseColumn("现在的团支部", branch_name),
        CaseColumn("预计毕业时间", asked("month")),
        CaseColumn("延迟毕业原因", asked("why")),
        CaseColumn("编入", chosen(PLACE)),
        CaseColumn("提交时间", raised_on),
        CaseColumn("办结时间", ended_on),
        CaseColumn("结果", result),
    ),
)
