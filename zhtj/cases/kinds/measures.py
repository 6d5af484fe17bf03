"""团籍处理: leaving at 28, suspension, removal, return; proposed by rule, decided by people (D-21, D-22, U-24)."""

from __future__ import annotations

from sqlalchemy import select

from zhtj.cases.kind import (
    ADMINS,
    OF_MEMBER,
    OUTCOME,
    About,
    CaseColumn,
    CaseKind,
    CaseMatter,
    ExportedCase,
    FormField,
    Shape,
    always,
    asked,
    choice_label,
    chosen,
)
from zhtj.cases.lines import climb
from zhtj.cases.membership import proposals, records
from zhtj.cases.membership.proposals import Measure
from zhtj.cases.models import Case
from zhtj.cases.workflow import Decider
from zhtj.kernel import audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.notices import operations as notices
from zhtj.notices.models import MessageKind
from zhtj.notices.operations import NewMessage
from zhtj.orgs.models import Tier
from zhtj.orgs.policies import policy_of
from zhtj.transfers.queries import open_application

STATEMENT = "statement"
_MEASURE = FormField("measure", "怎样处理", Shape.CHOICE, choices=tuple((one.value, one.label) for one in Measure))
# Grounds under which the record is archived (``zhtj.people.archive_grounds.GROUNDS``).
_ARCHIVED = {Measure.OVER_AGE: "over_age", Measure.REMOVE: "removed", Measure.LEFT: "left"}


_FIX = {Measure.REMOVE: "停止团籍后取得过联系的，请申请恢复团籍。"}


def _measure(matter: CaseMatter) -> Measure:
    return Measure(matter.said("measure"))


def _words(matter: CaseMatter) -> str:
    return proposals.ground_of(_measure(matter), policy_of(matter.person.org))


def _check(matter: CaseMatter) -> None:
    person, measure = matter.person, _measure(matter)
    if person.archived_at is not None:
        raise DomainError(f"{person.name}的记录已经归档。", field="subject", rule="PD-06")
    if not proposals.holds(person, measure):
        raise DomainError(
            f"{person.name}不符合“{measure.label}”的条件：{_words(matter)}。",
            fix=_FIX.get(measure, "请核对年龄、联系记录和团费记录。"),
            field="measure",
            rule=measure.rule,
        )
    if measure in _ARCHIVED and open_application(person.id) is not None:
        raise DomainError(
            f"{person.name}有正在办理的转接申请。", fix="请先办结或撤销申请。", field="subject", rule="U-25"
        )


def _line(matter: CaseMatter) -> list[int]:
    """The committee decides; what it proposes itself it decides itself."""
    raiser = matter.raiser
    if raiser.tier in {Tier.BRANCH, Tier.SECOND}:
        return climb(raiser, Decider.COMMITTEE)
    return [raiser.id]


def _effect(matter: CaseMatter, case: Case) -> str:
    person, measure, by = matter.person, _measure(matter), f"case:{case.id}"
    _tell(matter, f"已决定：{measure.label}", "有异议的，可以提交情况说明，由团委核实。")
    if measure in _ARCHIVED:
        records.archive(person, _ARCHIVED[measure], by)
        return "记录已归档，不再列入名单和统计；误办的可以申请恢复。"
    person.suspended_at = clock.now() if measure is Measure.SUSPEND else None
    session.flush()
    audit.record(f"member.{measure.value}", "member", person.id, by=by, why=matter.said("why"))
    return "已停止团籍；重新取得联系后可以申请恢复。" if measure is Measure.SUSPEND else "已恢复团籍。"


def _raised(matter: CaseMatter, case: Case) -> None:
    """Whoever it is about hears of it while he can still say something."""
    del case
    measure = _measure(matter)
    if measure is not Measure.RESUME:
        _tell(matter, f"拟{measure.label}", "情况不符、有正当理由或有异议的，请尽快到“事项”中提交情况说明。")


def _tell(matter: CaseMatter, title: str, what_now: str) -> None:
    measure = _measure(matter)
    ground = "" if measure is Measure.RESUME else f"依据：{_words(matter)}。"
    body = f"{matter.person.org.short_name}：{title}。{ground}说明：{matter.said('why')}。{what_now}"
    notices.send_many([NewMessage(MessageKind.OUTCOME, title, body, member_id=matter.person.id)])


def _warn(matter: CaseMatter) -> str:
    """What whoever decides has to read first: the person's own statements."""
    said = session.scalars(
        select(Case)
        .where(Case.kind == STATEMENT, Case.subject_type == About.MEMBER.value, Case.subject_id == matter.person.id)
        .order_by(Case.id.desc())
        .limit(3)
    ).all()
    own = "、".join(one.number for one in said)
    read = f"有关本人的情况说明：{own}，请先阅读。" if own else ""
    return f"{read}请核实本人是否有正当理由，再作决定。"


def _ground(line: ExportedCase) -> str:
    return _words(line.matter)


KIND = CaseKind(
    key="standing",
    label="离团、停止团籍、除名",
    note="系统按年龄、联系记录和团费列出名单，由人核实、决定：超龄离团、停止团籍、除名，或恢复团籍。本人会收到通知，可以提交情况说明。",
    rule="D-21",
    sheet="团籍处理登记表",
    raised_by=ADMINS,
    about=About.MEMBER,
    fields=(
        _MEASURE,
        FormField(
            "why", "核实的情况", Shape.LONG, hint="写清何时、怎样联系过，本人有没有正当理由。", width=500, at_least=5
        ),
    ),
    decider=always(Decider.COMMITTEE),
    line=_line,
    check=_check,
    effect=_effect,
    raised=_raised,
    warn=_warn,
    short=lambda matter: choice_label(_MEASURE, matter.said("measure")),
    columns=(
        *OF_MEMBER,
        CaseColumn("怎样处理", chosen(_MEASURE)),
        CaseColumn("依据", _ground),
        CaseColumn("核实的情况", asked("why")),
        *OUTCOME,
    ),
)
