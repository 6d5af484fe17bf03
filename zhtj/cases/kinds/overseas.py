"""出国（境）学习研究: whoever studies abroad stays at his old school, by application (T-16, R-14 … R-17, F-07).

By the edition of 2022 whoever goes to live there may stay as well (PD-62).
"""

from __future__ import annotations

from zhtj.cases.kind import (
    ANYBODY,
    About,
    CaseColumn,
    CaseKind,
    CaseMatter,
    ExportedCase,
    FormField,
    Paper,
    Shape,
    asked,
    choice_label,
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
from zhtj.floating.operations import Terms
from zhtj.floating.rules import end_of_month
from zhtj.graduation.queries import is_delayed
from zhtj.kernel import clock, dates
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Purpose
from zhtj.orgs.policies import policy_of
from zhtj.people import identity

FORM = "F-07"
LEVELS = (("本科", "本科"), ("硕士", "硕士"), ("博士", "博士"), ("专科", "专科"))
DEGREES = (("硕士", "硕士"), ("博士", "博士"), ("本科", "本科"), ("交流研究", "交流、研究"))
LIFE = "life"
LIVING = ("purpose", LIFE)
DEGREE = FormField("degree", "攻读", Shape.CHOICE, choices=DEGREES, moot_with=LIVING)
PURPOSES = (("study", "学习、研究"), (LIFE, "生活（不求学）"))
# place, period, whom to reach at home and how.
FIELDS = (
    FormField("ethnicity", "民族", width=20),
    FormField("major", "本校专业", width=60),
    FormField("level", "毕业生层次", Shape.CHOICE, choices=LEVELS),
    FormField("graduated", "毕业时间", Shape.MONTH, hint="写成 2026-06。"),
    FormField("country", "前往国家（地区）", width=40),
    FormField("purpose", "出国（境）做什么", Shape.CHOICE, required=False, choices=PURPOSES, hint="不选的按求学办理。"),
    FormField("university", "学校或研究机构", hint="去生活的不填，下面两项也不填。", width=80, moot_with=LIVING),
    FormField("subject_abroad", "攻读专业", width=60, moot_with=LIVING),
    DEGREE,
    FormField("begins", "计划从哪个月开始", Shape.MONTH, hint="写成 2026-09。"),
    FormField("ends", "计划到哪个月结束", Shape.MONTH, hint="写成 2028-06。"),
    FormField("contact", "国内联系人", Shape.PERSON, hint="直系亲属，境外学习期间能联系上。", width=30),
    FormField("relation", "与本人关系", hint="例如：父亲、母亲。", width=20),
    FormField("contact_mobile", "国内联系人手机", Shape.MOBILE, width=20),
    FormField("abroad", "境外联系方式", required=False, hint="邮箱或微信号；出国后再补也可以。", width=80),
)


def decider(matter: CaseMatter) -> Decider:
    """The school's committee, or by policy the college (R-15, K-12)."""
    school = staying.home(matter).school
    return Decider.COMMITTEE if policy_of(school).school_approves_overseas else Decider.COLLEGE


def _check(matter: CaseMatter) -> None:
    person = matter.person
    staying.home(matter)
    if person.org.purpose is Purpose.OVERSEAS:
        raise DomainError(f"{person.name}已经在{person.org.short_name}。", field="subject", rule="R-16")
    if is_delayed(person):
        raise DomainError(
            "延迟毕业的团员仍在学校，毕业后再办。", fix="标记有误的，请先撤销。", field="subject", rule="G-19"
        )
    staying.check_free(person)
    if matter.answers:
        _check_purpose(matter)
    if matter.answers and matter.month("ends") <= matter.month("begins"):
        raise DomainError("结束的月份应晚于开始的月份。", field="ends", rule="R-14")
    if matter.answers and end_of_month(matter.month("ends")) < clock.today():
        raise DomainError(
            f"计划的学习期到 {matter.said('ends')}，已经过了。",
            fix="延长了的，请填写新的结束月份；已经回来的，请申请转接。",
            field="ends",
            rule="R-14",
        )


def _check_purpose(matter: CaseMatter) -> None:
    """Who goes to live there may stay where the edition in force says so (PD-62)."""
    if matter.said("purpose") == LIFE and not policy_of(matter.person.org).overseas_life_stays:
        raise DomainError(
            "按本届规定，去国（境）外学习、研究的才能留在学校。",
            fix="请转到户籍所在地或本人、父母居住地的乡镇街道。",
            field="purpose",
            rule="PD-62",
        )


def _ready(matter: CaseMatter, case: Case) -> None:
    staying.signature_there(case, "《关于保留团组织关系的申请》")
    branches.for_overseas(staying.home(matter))


def _effect(matter: CaseMatter, case: Case) -> str:
    home = staying.home(matter)
    branch = branches.for_overseas(home)
    until = end_of_month(matter.month("ends"))
    operations.keep(matter.person, branch, Terms(until, None, home.nearest), f"case:{case.id}")
    interval = policy_of(home.school).contact_interval_months
    words = f"已编入{branch.short_name}，登记到 {until:%Y-%m-%d}；不再计入转接率。"
    return f"{words}在外期间至少每 {interval} 个月报告一次。"


def _written(text: str) -> str:
    """2026-06 as one writes it."""
    year, _, month = text.partition("-")
    return f"{year}年{int(month)}月" if month.isdecimal() else ""


def _paper(matter: CaseMatter) -> Paper:
    """F-07, with everything the document names, from the record and the answers."""
    person, said = matter.person, matter.said
    home = branches.home_of(person.org)
    number = person.account.id_number or ""
    college = home.nearest.full_name if home is not None else person.org.full_name
    # F-07: everything the document names, in its order.
    life = said("purpose") == LIFE
    study = (
        ("学校", said("university")),
        ("攻读专业", said("subject_abroad")),
        ("攻读学位", choice_label(DEGREE, said("degree"))),
    )
    rows = (
        ("姓名", person.name),
        ("性别", person.sex.label),
        ("民族", said("ethnicity")),
        ("出生年月", dates.month(identity.read(number).born) if number else ""),
        ("政治面貌", "共青团员"),
        ("入团年月", dates.month(person.joined_on)),
        ("身份证号", number),
        ("学院", college),
        ("专业", said("major")),
        ("届别", f"{said('graduated')[:4]}届"),
        ("层次", f"{said('level')}毕业生"),
        ("毕业时间", _written(said("graduated"))),
        ("前往国家（地区）", said("country")),
        *(() if life else study),
        ("计划在外时间" if life else "计划学习时间", f"{_written(said('begins'))}至{_written(said('ends'))}"),
        ("团组织关系保留在", college),
        ("国内联系人", f"{said('contact')}（{said('relation')}）"),
        ("联系电话", said("contact_mobile")),
    )
    what = "生活" if life else "学习"
    text = f"本人毕业后前往境外{what}，特申请将团组织关系保留在原学校，在外期间按时报告、履行团员义务。"
    return Paper(FORM, "关于保留团组织关系的申请", (text, "特此申请。"), rows)


def _place(line: ExportedCase) -> str:
    return f"{line.matter.said('country')} {line.matter.said('university')}"


def _period(line: ExportedCase) -> str:
    return f"{line.matter.said('begins')} 至 {line.matter.said('ends')}"


def _subject(line: ExportedCase) -> str:
    if line.matter.said("purpose") == LIFE:
        return dict(PURPOSES)[LIFE]
    return f"{line.matter.said('subject_abroad')}（{choice_label(DEGREE, line.matter.said('degree'))}）"


def _contact(line: ExportedCase) -> str:
    return f"{line.matter.said('contact')}（{line.matter.said('relation')}）"


KIND = CaseKind(
    key="overseas_study",
    label="出国（境）学习研究",
    note="出国（境）读书、做研究的，出发前由本人提出申请，同意后保留在学校的出国（境）学习研究团员团支部，统一登记造册。",
    rule="R-14",
    form="F-07",
    sheet="出国（境）学习研究团员登记册",
    raised_by=ANYBODY,
    about=About.MEMBER,
    fields=FIELDS,
    decider=decider,
    line=lambda matter: staying.line(matter, decider(matter)),
    check=_check,
    ready=_ready,
    effect=_effect,
    warn=lambda _: "同意后不再计入本届转接率；撤销的，恢复计入。",
    paper=_paper,
    personal=True,
    short=lambda matter: f"{matter.said('country')} {matter.said('university')}",
    columns=(
        CaseColumn("序号", position_of),
        CaseColumn("姓名", member_name),
        CaseColumn("学院", staying.college_name),
        CaseColumn("原团支部", staying.old_branch),
        CaseColumn("前往国家（地区）、学校", _place),
        CaseColumn("攻读专业（学位）", _subject),
        CaseColumn("计划学习时间", _period),
        CaseColumn("国内联系人（关系）", _contact),
        CaseColumn("国内联系电话", asked("contact_mobile")),
        CaseColumn("境外联系方式", asked("abroad")),
        CaseColumn("提交时间", raised_on),
        CaseColumn("批准时间", ended_on),
        CaseColumn("结果", result),
    ),
)
