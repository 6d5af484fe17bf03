"""To and from 北京, 广东, 福建 by hand (PD-32): what the other system decided is recorded here, with evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select

from zhtj.graduation import operations as graduation
from zhtj.graduation.models import GraduateCategory, RegisterRow
from zhtj.kernel import attachments, audit, clock, names
from zhtj.kernel.attachments import Upload
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from zhtj.kernel.permissions import ActiveSeat, Permission
from zhtj.orgs.models import Organisation, Region
from zhtj.orgs.policies import policy_of
from zhtj.people import operations as people
from zhtj.people.finding import archived, members
from zhtj.people.models import Member
from zhtj.people.operations import NewMember
from zhtj.people.signing import accounts
from zhtj.policy.model import Policy
from zhtj.policy.seasons import campaign_open
from zhtj.policy.vocabulary import Audience, Reason
from zhtj.transfers.applying import checks, situations
from zhtj.transfers.applying.checks import Check, Problem
from zhtj.transfers.applying.situations import Situation, Submission
from zhtj.transfers.applying.starting import start
from zhtj.transfers.deciding import decisions
from zhtj.transfers.models import Application, Evidence
from zhtj.transfers.parties import serves
from zhtj.transfers.rules import low_age
from zhtj.transfers.steps import Step, take
from zhtj.transfers.workflow import Action, Initiator, Party, State, next_state

NOTE_AT_LEAST = 5
LARGEST = 2 * 1024 * 1024


def confirm(application: Application, seat: ActiveSeat, note: str, upload: Upload | None = None) -> None:
    """Record that the other system has taken the member in (X-07); he leaves our roster for that region (X-10).

    Args:
        application: waiting for the external system.
        seat: the old side's.
        note: what shows it: who confirmed it, when, where one sees it.
        upload: a screenshot or PDF of it.

    Raises:
        DomainError: no note, or a file that is no evidence.
        Forbidden, Conflict: as for every decision.
    """
    _record_answer(application, seat, Action.CONFIRM, note, upload)


def fail(application: Application, seat: ActiveSeat, note: str, upload: Upload | None = None) -> None:
    """Record that the other system has not taken him in (X-06): the application has failed. Else as ``confirm``."""
    _record_answer(application, seat, Action.FAIL, note, upload)


def _record_answer(
    application: Application, seat: ActiveSeat, action: Action, note: str, upload: Upload | None
) -> None:
    # PD-32: nothing of another system's answer is recorded without what shows it.
    _noted(note)
    if upload is None and needs_second_person(application):
        raise DomainError(
            "没有凭据，不能由一个人登记。",
            fix="请上传截图或文件；没有的，由直接上级的另一个人确认。",
            field="file",
            rule="PD-61",
        )
    evidence = _evidence(application, seat, upload) if upload is not None else None
    number = application.id
    errors = decisions.decide([application], seat, action, remark=note.strip())
    if errors:
        raise errors[number]
    if evidence is not None:
        session.add(evidence)
        session.flush()


def needs_second_person(application: Application) -> bool:
    """Whether without a file somebody of the direct superior has to confirm what the other system decided (PD-61)."""
    return policy_of(application.from_org).external_without_file == "superior"


def carry_out(application: Application, action: Action, note: str) -> None:
    """Write the other system's answer that was recorded without a file and confirmed by a second person (PD-61).

    Args:
        application: waiting for the external system.
        action: confirm or fail.
        note: what shows it, and who says so.

    Raises:
        Conflict: it is past its due time, or has ended meanwhile.
    """
    number = application.id
    after = next_state(application.state, action, Party.OLD_SIDE, application.way)
    final = application.to_org_id if after is State.COMPLETED else None
    if after is None or not take([Step(application, action, application.state, after, final, remark=note)]):
        raise decisions.late_one(number)


def _noted(note: str) -> None:
    if len("".join(note.split())) < NOTE_AT_LEAST:
        raise DomainError(
            f"请写明依据，至少 {NOTE_AT_LEAST} 个字。",
            fix="例如：10月9日电话向对方团委王老师核实，对方系统已显示该团员。",
            field="remark",
            rule="PD-32",
        )


def _evidence(application: Application, seat: ActiveSeat, upload: Upload) -> Evidence:
    return Evidence(
        application_id=application.id,
        account_id=seat.account_id,
        filename=upload.name or "凭据",
        media_type=_media_type(upload.content),
        content=attachments.pack(upload.content),
        added_at=clock.now(),
    )


def _media_type(content: bytes) -> str:
    if len(content) > LARGEST:
        raise DomainError("凭据不能超过 2 MB。", fix="请压缩后再上传。", field="file", rule="PD-32")
    media_type = attachments.media_type_of(content)
    if media_type is None:
        raise DomainError(
            "凭据应为 PNG、JPG 图片或 PDF。",
            fix="请上传完整的截图，或另存为 PDF。",
            field="file",
            rule="PD-32",
        )
    if attachments.is_active(content):
        raise DomainError("PDF 里有脚本或内嵌文件。", fix="请打印成普通 PDF 或截图后上传。", field="file", rule="PD-32")
    return media_type


def evidence_of(application_id: int) -> list[Evidence]:
    """Evidence kept with an application, oldest first."""
    return list(
        session.scalars(select(Evidence).where(Evidence.application_id == application_id).order_by(Evidence.id))
    )


def evidence_content(application: Application, number: int) -> tuple[Evidence, bytes]:
    """One piece of evidence of an application that the reader may see, and its bytes. Raises NotFound."""
    found = session.get(Evidence, number)
    if found is None or found.application_id != application.id:
        raise NotFound
    audit.record("evidence.view", "application", application.id, evidence=number)
    return found, attachments.unpack(found.content)


@dataclass(frozen=True, slots=True)
class Incoming:
    """Somebody who comes from an external system, as its letter or transfer form gives him.

    Args:
        region: node of 北京, 广东 or 福建.
        origin_name: full name of his organisation there.
        person: his data.
        destination: ours.
        reason, place: key of a transfer reason; his tie to the destination's place, where that counts.
        graduate: whether he graduates this season; None: as the reason says, if it is only for one or the other.
        note: what shows that the other system has released him.
        upload: a file that shows it; without one the direct superior decides (PD-61).
    """

    region: Organisation
    origin_name: str
    person: NewMember
    destination: Organisation
    reason: str
    note: str
    place: str | None = None
    graduate: bool | None = None
    upload: Upload | None = None
    contact_mobile: str | None = None


def _old_enough_to_come(situation: Situation) -> Problem | None:
    """Between the systems nobody is transferred who joined too young, in either direction (X-09)."""
    if not low_age(situation.policy, situation.member):
        return None
    since = situation.policy.strict_join_from.year
    return DomainError(
        f"入团时不满 {situation.policy.interface_min_age} 周岁的，系统之间不能在线转接。",
        fix=f"{since} 年以前入团的，请凭原单位的介绍信线下接收；{since} 年及以后入团的，团员身份不予认定。",
        field="joined_on",
        rule="X-09",
    )


def _not_here_already(situation: Situation) -> Problem | None:
    return checks.nothing_open(situation.leaver)


# What is asked of who comes from an external system; that system has let them go.
INCOMING: tuple[Check, ...] = (
    checks.can_be_chosen,
    _old_enough_to_come,
    _not_here_already,
    checks.no_case_instead,
    checks.table_allows,
    checks.may_enter,
)


def record_incoming(wanted: Incoming, seat: ActiveSeat) -> Application:
    """Record an application that has come from an external system; it waits for us like any other (PD-32).

    Raises:
        Forbidden: the seat does not look after the destination.
        DomainError: the person belongs to us already, joined too young (X-09), or a field is missing or does not fit.
        Conflict: he has an open application (A-06).
    """
    _check_form(wanted, seat)
    member = _person(wanted)
    policy = policy_of(wanted.destination)
    row = _register_row(policy, member, wanted)
    submission = Submission(
        member=member,
        destination=wanted.destination,
        reason=Reason(wanted.reason).value,
        place=wanted.place,
        contact_mobile=wanted.contact_mobile or member.account.mobile,
        remark=wanted.note.strip(),
        external_name=wanted.origin_name,
        unproven=wanted.upload is None and policy.external_without_file == "superior",
    )
    who = replace(situations.leaver(member), policy=policy, row=row)
    (situation,) = situations.situations([(submission, who, Initiator.OLD_SIDE)], seat)
    problem = checks.first(situation, INCOMING)
    if problem is not None:
        raise problem
    application = start(situation)
    if wanted.upload is not None:
        session.add(_evidence(application, seat, wanted.upload))
        session.flush()
    return application


def _check_form(wanted: Incoming, seat: ActiveSeat) -> None:
    """Who may record it, and what the other system's letter has to say."""
    if not (seat.may(Permission.TRANSFER_IN, wanted.destination.path) and serves(seat, wanted.destination)):
        raise Forbidden("只能为本组织及下级登记转入。")
    if wanted.region.system is Region.NATIONAL:
        raise DomainError("请选择转出地区。", field="region", rule="X-01")
    if len(checks.squeeze(wanted.origin_name)) < checks.SHORTEST_NAME:
        raise DomainError("请填写对方系统中的组织全称。", field="origin_name", rule="X-02")
    _noted(wanted.note)


def _register_row(policy: Policy, member: Member, wanted: Incoming) -> RegisterRow | None:
    """The row by which he counts as coming in, if he graduates in the season that is on (PD-24)."""
    graduates = is_graduate(policy, wanted.reason, said=wanted.graduate)
    if not (graduates and campaign_open(policy, clock.today())):
        return graduation.open_row(member.id, clock.now())
    category = policy.reasons[Reason(wanted.reason)].category
    return graduation.open_entrant(member.id, GraduateCategory(category) if category else None)


def is_graduate(policy: Policy, reason: str, *, said: bool | None) -> bool:
    """Whether somebody who comes for this reason graduates this season.

    Args:
        policy: the destination's.
        reason: key of a transfer reason.
        said: what the form says; None: nothing.

    Raises:
        DomainError: nothing is said, and the reason is for graduates and others alike; or what is said does not fit it.
    """
    spec = policy.reasons[Reason(reason)]
    audiences = set(spec.audiences)
    if said is None and len(audiences) > 1:
        raise DomainError(
            f"“{spec.label}”的，请选择是不是应届毕业生。",
            fix="应届毕业生计入本届衔接率。",
            field="graduate",
            rule="PD-24",
        )
    if said is None:
        return Audience.GRADUATE in audiences
    if (Audience.GRADUATE if said else Audience.OTHER) not in audiences:
        whose = "不是应届毕业生" if said else "只是应届毕业生"
        raise DomainError(
            f"“{spec.label}”{whose}的转接原因。",
            fix="请核对是不是应届毕业生，或另选原因。",
            field="reason",
            rule="PD-10",
        )
    return said


def _person(wanted: Incoming) -> Member:
    """His record: known from before if he once went there, else entered at the region's node."""
    known = members.by_id_number(wanted.person.id_number)
    if known is None:
        account = accounts.find_by_username(wanted.person.id_number)  # a secretary, perhaps, who is no member here
        return people.add_member(wanted.region, wanted.person, account=account, how="external")
    if names.key(known.name) != names.key(wanted.person.name):
        raise DomainError("姓名与身份证号码不符。", fix="请核对后重新填写。", field="name", rule="U-14")
    if known.archived_at is not None:
        found = archived.record(known)
        raise Conflict(found.says, fix=found.way_out, field="id_number", rule="PD-61")
    if known.org.system is Region.NATIONAL:
        raise Conflict(
            f"{known.name}的组织关系在{known.org.full_name}，不在外部系统。",
            fix="请用“办理转入”，由对方同意转出。",
            rule="X-03",
        )
    if known.org_id != wanted.region.id:
        raise DomainError(f"{known.name}转往的是{known.org.system.label}。", fix="请核对转出地区。", field="region")
    return known
