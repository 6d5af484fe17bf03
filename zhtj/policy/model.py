"""What a season policy consists of (政策): the typed form of ``data/*.toml``.

``Values`` lists every parameter; the TOML layers give each a value and the rule it comes from. ``Policy`` is the
result of laying the layers over each other for one season and one line of organisations.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from zhtj.policy import rulebook
from zhtj.policy.vocabulary import (
    Audience,
    CategoryName,
    CountsAs,
    Destination,
    InitiatorName,
    PlaceTie,
    Reason,
    ReasonField,
    StayingCase,
    Suitability,
)


def _of_the_season(value: object, info: ValidationInfo) -> object:
    """``10-01`` in a file is that day of the season the policy is laid out for."""
    if isinstance(value, str) and info.context:
        return date.fromisoformat(f"{info.context['season']}-{value}")
    return value


def _known(rule: str) -> str:
    if rule not in rulebook.rules():
        raise ValueError(f"the rulebook has no {rule}")
    return rule


Day = Annotated[date, BeforeValidator(_of_the_season)]
RuleId = Annotated[str, AfterValidator(_known)]
Positive = Annotated[int, Field(gt=0)]
ReadOnly = AfterValidator(MappingProxyType)


class Part(BaseModel):
    """Base of everything here: cannot be changed, takes no field it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Part):
    """Where a value comes from.

    Args:
        rule: ID in the rulebook.
        layer: name of the layer that gave it.
        assumed: the document is silent here (or of another place), the value was taken over (PD-11).
        note: why, where that needs a word.
        cited: the document itself, where the rulebook has no passage of it.
    """

    rule: RuleId
    layer: str
    assumed: bool = False
    note: str = ""
    cited: str = ""

    @property
    def document(self) -> str:
        """The passage in plain Chinese."""
        return self.cited or rulebook.source_of(self.rule)


class Head(Part):
    """What a layer says of itself: its name (the file's), document, what it extends, when and for whom it holds."""

    name: str
    title: str
    document: str
    scope: Literal["base", "national", "local"]
    extends: str | None = None
    first_season: int | None = None
    """First season it governs; a national layer holds until a later one takes its place."""
    last_season: int | None = None
    organisations: tuple[str, ...] = ()
    """Codes whose own and lower organisations a local layer governs; none: it is only loaded by name."""
    reads_back: bool = False
    """What it inherits is later than itself and therefore assumed."""
    edition: str = ""
    """Of the document, such as 第一版; empty: the layer is no edition but adds to one."""
    issued: str = ""
    """When the document was issued: 2022-05 or 2022-05-16; as exact as it is known."""
    cited: bool = False
    """What it says is cited as ``document``: the rulebook has no passages of it."""
    confirms: tuple[RuleId, ...] = ()
    """Rules that it states anew: what lower layers say by them is cited as its own."""

    @property
    def day(self) -> str:
        """When it was issued, in Chinese: 2022年5月."""
        parts = zip(self.issued.split("-"), "年月日", strict=False)
        return "".join(f"{int(number)}{unit}" for number, unit in parts) if self.issued else ""


class JoinAge(Part):
    """Ages at which joining is doubted, for those who joined from ``since`` on (PD-31); completed years."""

    since: date | None = None
    error_below: int
    warn_below: int | None = None


class ExternalSystem(Part):
    """外部系统: one of the three that cannot be browsed from inside (PD-05, X-02)."""

    name: str
    code: str
    self_report: bool
    """The member has to report himself there as well (X-06)."""


class Milestone(Part):
    """时间节点: a day of the season by which something is done, and what."""

    day: Day
    text: str
    rule: RuleId
    layer: str


class ReasonSpec(Part):
    """What one reason means and asks for (PD-10)."""

    label: str = ""
    """Empty: the policy's ``special_unit_label``, which differs by place (K-18)."""
    audiences: tuple[Audience, ...]
    category: CategoryName | None = None
    """The rate a graduate counts for; None: the register's own entry stays."""
    needs: tuple[ReasonField, ...] = ()
    initiators: tuple[InitiatorName, ...] = ("member", "old_side", "new_side")
    chooses_destination: bool = True
    """False: the destination is fixed, nothing is chosen (S-02)."""
    may_be_external: bool = True
    """Whether the destination may lie in an external system (X-01)."""
    internal: bool = False
    """Old and new branch lie in the same school (T-22)."""
    hint: str = ""
    rule: RuleId = "PD-10"

    def fields_for(self, destination: Destination) -> tuple[ReasonField, ...]:
        """What an application to ``destination`` has to state: the place too where the place is what counts."""
        wanted = {*self.needs, *({ReasonField.PLACE} if destination.place_bound else ())}
        return tuple(field for field in ReasonField if field in wanted)


class Facts(Part):
    """What else is known of a case; None = nobody has said. ``when`` of a table line uses the same names."""

    admitting_ready: bool | None = None
    """The admitting school has built its new students' organisation (T-11)."""
    inside_own_school: bool | None = None
    """The destination belongs to the member's own school (T-22)."""
    township_unable: bool | None = None
    """The township really cannot receive (T-03)."""
    county_open: bool | None = None
    """The day has come from which counties take over (D-15)."""
    employed_elsewhere: bool | None = None
    """Works already, and elsewhere than at the destination (T-05)."""
    also_household: bool | None = None
    """The place is his household place too (K-08)."""
    near_unit: bool | None = None
    """His usual residence lies near his unit, as the policy measures it (PD-62)."""
    delayed: bool | None = None
    """Marked as delayed graduate (R-08)."""
    low_age: bool | None = None
    """Joined too young for the external interface (X-09)."""
    retention_right: bool | None = None
    """Graduated from a kind of school that may retain (R-01)."""
    teaching_year: bool | None = None
    """Teaches a year before graduate study (支教保研, T-23)."""
    retake_exam: bool | None = None
    """Sits the entrance examination again (二战考研, T-24)."""
    file_first: bool | None = None
    """The unit wants the file first, or he has not started (T-25)."""
    probation: bool | None = None
    """Still on probation at the unit (T-06)."""
    labour_dispatch: bool | None = None
    """Works for another than his employer (劳务派遣, T-08)."""
    dropout: bool | None = None
    """Left school without graduating (T-26)."""
    party_member: bool | None = None
    """Has joined the Party (T-21)."""

    def meet(self, when: Facts) -> bool:
        """Whether everything ``when`` asks for is known to be so."""
        return all(getattr(self, name) is wanted for name, wanted in when if wanted is not None)


class DestinationRule(Part):
    """One line of the destination table (PD-11). Empty ``reasons``, ``to`` or ``place``: any."""

    reasons: tuple[Reason, ...] = ()
    to: tuple[Destination, ...] = ()
    place: tuple[PlaceTie, ...] = ()
    when: Facts = Facts()
    level: Suitability
    case: StayingCase | None = None
    """It opens this case instead of a transfer (PD-10)."""
    rule: RuleId
    why: str
    """One plain sentence for everybody."""
    instead: tuple[Reason, ...] = ()
    """Reasons that fit better than the one chosen."""
    assumed: bool = False
    note: str = ""
    layer: str
    cited: str = ""
    """See ``Source``."""

    @model_validator(mode="after")
    def _whole_sentence(self) -> DestinationRule:
        if not self.why.endswith("。"):
            raise ValueError(f"not a sentence: {self.why}")
        return self

    def fits(self, reason: Reason, destination: Destination, place: PlaceTie, facts: Facts) -> bool:
        """Whether this line speaks of that case."""
        return (
            (not self.reasons or reason in self.reasons)
            and (not self.to or destination in self.to)
            and (not self.place or place in self.place)
            and facts.meet(self.when)
        )


class DecisionRow(Part):
    """A row of the decision table: who goes where, who decides, how it counts; ``row`` is its number there."""

    row: int | None = None
    title: str
    group: str = ""
    """Heading under which the adviser offers it; empty: not offered, it applies by ``when`` or stands in reports."""
    reason: Reason | None = None
    case: StayingCase | None = None
    or_case: StayingCase | None = None
    """What may be opened as well, instead of a transfer."""
    facts: Facts = Facts()
    """What is known as soon as somebody is in this situation."""
    when: Facts | None = None
    """A circumstance of other situations: applies where this is known."""
    decided_by: str
    initiators: tuple[InitiatorName, ...] = ()
    rate: Literal["SX", "XS"] | None = None
    counts: CountsAs
    say: str
    rule: RuleId
    layer: str
    cited: str = ""
    """See ``Source``."""


class Receiver(Part):
    """One of the numbered receivers ①-⑦ of the direction chart (PD-12, H-11)."""

    number: Positive
    label: str
    destinations: tuple[Destination, ...]
    reasons: tuple[Reason, ...] = ()
    """Whom alone it receives; they go to no other receiver with such a destination. Empty: everybody else."""
    counts: CountsAs
    rule: RuleId
    layer: str


class Values(Part):
    """Every parameter that differs by year or place; ``Policy.source(name)`` says where its value comes from."""

    # -- calendar of a season
    campaign_start: Day
    """转接期限 begins."""
    campaign_end: Day
    """转接期限 ends; the season's register freezes."""
    convert_date: Day
    """Branches of this year's graduates become 毕业生团组织."""
    application_end: Day
    """Last day of the application phase (申请期)."""
    review_end: Day
    """Last day of the review phase (审核期); afterwards closing (收尾期)."""
    initiate_target: Day
    """By then the old school has started all transfers to society."""
    society_end: Day
    """By then receivers have taken in all who go to society."""
    further_study_end: Day
    """By then transfers to admitting schools are done."""
    further_study_setup_months: Positive
    """Months after enrolment in which the admitting school builds its organisation and starts the transfers in."""
    auto_return_days: Positive
    """Calendar days after which an unanswered application is returned."""
    auto_return_from: Day
    """No clock runs in a season before this day."""
    reminder_days: tuple[int, ...]
    """Days of a running clock on which whoever must act is reminded."""
    reminder_interval_days: Positive
    """Days between reminders while no clock runs."""

    # -- release, withdrawal, change, refusal
    release_by: Literal["none", "branch", "committee"]
    """Who of the old side consents to a member's own application."""
    release_inside_school: Literal["none", "branch", "committee"]
    """The same, where old and new branch lie in one school."""
    withdraw_by: tuple[InitiatorName, ...]
    """Who besides the initiator may withdraw an application."""
    amend_before_acceptance: bool
    """Contact, unit and remark may be changed in place until the receiver decides."""
    refusal_remark_min: Positive
    """Characters a refusal's remark has at least."""
    objection_limit: int
    """How often the applicant may object to a refusal."""
    file_check_required: bool
    """The receiver accepts only after the member's file has been checked."""

    # -- townships and counties
    floating_name: str
    """Name of the township's branch for floating members."""
    floating_aliases: tuple[str, ...]
    """Its earlier names, still found by search."""
    floating_hosts: tuple[Literal["township", "county", "park", "school", "college"], ...]
    """Who may have a branch for floating members."""
    floating_onward_months: Positive
    """Months after a job or study place is found in which a floating member is transferred on."""
    county_fallback: Literal["must", "may"]
    """Whether the county has to take over from a township that cannot receive."""
    county_fallback_from: Day
    """From this day on."""
    county_clear_months: Positive
    """Months in which the county transfers them on."""

    # -- staying at the old school
    retention_months: Positive
    """Months of retention from the end of the graduation month."""
    retention_max_months: Positive
    """With extension by application."""
    retention_school_types: tuple[str, ...]
    """行业类别 of schools whose graduates may be retained; empty: all."""
    retention_tiers: Literal[1, 2]
    """1: the school's floating branch; 2: first the school's, then the college's."""
    residence_near: Literal["county", "city"] | None = None
    """Within which bounds a usual residence is near the unit; None: it does not count for the employed."""
    overseas_stay: tuple[Literal["study", "life"], ...]
    """What somebody goes abroad for who may stay at the old school: study and research, or life there."""
    overseas_approver: Literal["school", "college"]
    """Who approves that an overseas student's relationship stays."""
    overseas_held_by: Literal["school", "college"]
    """Under whom the overseas branch stands."""
    delayed_place: tuple[Literal["delayed_branch", "study_branch"], ...]
    """Where delayed graduates are kept."""

    # -- special units
    special_unit_label: str
    """Name of the reason."""
    special_unit_remark: tuple[str, ...]
    """Words of which the remark must contain one."""
    special_unit_approver: Literal["province"]
    """Rank of the leading organ that alone decides."""
    special_unit_irreversible: bool
    """Nothing leads back once it is approved."""
    special_unit_register: bool
    """The school also files the summary sheet."""

    # -- graduation marks
    mark_by: tuple[Literal["school_domain", "superior_of_one_branch_school", "any_but_branch"], ...]
    """Who may mark a branch's graduation time."""
    mark_industries: tuple[str, ...]
    """行业类别 of branches that can be marked."""
    mark_edit: Literal["forbidden", "free", "approval"]
    """Whether a mark may be changed."""
    mark_edit_level: Literal["city"] | None = None
    """Rank that approves a change."""
    mark_no_time_reasons: tuple[Literal["staff", "mixed", "other"], ...]
    """Reasons for having no graduation time."""
    mark_individual: bool
    """Members of a mixed branch may be marked one by one."""
    delayed_mark_by: tuple[Literal["branch", "college", "school"], ...]
    """Workbenches that may mark delayed graduates and teachers."""

    # -- people
    min_join_age: tuple[JoinAge, ...]
    """Age limits at joining, earliest first."""
    interface_min_age: Positive
    """Joined younger: the external interface refuses."""
    leave_age: Positive
    """Membership ends at this age without a League post."""
    dev_number_required_from: date
    """Joined on this day or later: the development number is obligatory."""
    dev_number_length: Positive
    """Digits of the number."""
    dev_number_missing: str
    """What is written where an earlier member has none."""
    certification_from: date
    """Joined on this day or later: no transfer before the application form is approved."""
    contact_interval_months: Positive
    """A floating member reports at least this often."""
    suspend_after_months: Positive
    """Without contact: membership may be suspended."""
    remove_after_suspension_years: Positive
    """Suspended without contact: may be removed."""
    inactive_months: Positive
    """Without dues, organisational life or work for this long: may be removed."""
    away_months: Positive
    """Away this long at a settled place: the relationship should follow."""

    # -- accounts and codes
    reset_code_days: Positive
    registration_code_days: Positive
    activation_code_days: Positive
    code_attempts: Positive
    """Wrong attempts at codes from one address an hour."""
    reset_code_by: Literal["direct_superior", "any_superior"]
    """Which superior, besides the own organisation, may issue a reset code."""
    login_slow_after: Positive
    """Failed logins after which each further answer is delayed."""
    login_lock_after: Positive
    """Failed logins after which an account is locked."""
    login_lock_minutes: Positive
    login_address_limit: Positive
    """Failed logins from one address in the same span; a whole campus may share one."""
    lookup_limit: Positive
    """Look-ups by name and ID number an hour and account."""

    # -- external systems
    external_systems: tuple[ExternalSystem, ...]

    # -- letters
    letter_template: str
    letter_valid_days: Positive
    letter_receipt_days: Positive
    letter_number_width: Positive
    letter_requires_completion: bool
    """A letter is issued only once the transfer is complete."""

    # -- rates
    metric_formulas: str
    """Edition of the five formulas."""
    metric_exclusions: tuple[Literal["overseas_study", "delayed", "teacher"], ...]
    """Dispositions that are in no denominator."""
    target_sx: float | None = None
    """升学衔接率 to reach, per cent."""
    target_xs: float | None = None
    """学社衔接率 to reach, per cent."""
    target_unit: float | None = None
    """单位团组织转接率 to reach, per cent."""
    target_initiated: float | None = None
    """转出发起率 to reach, per cent."""
    target_done: float | None = None
    """转出完成率 to reach, per cent."""


class Policy(Values):
    """The policy of one season for one line of organisations; see ``seasons.policy_for``."""

    season: int
    """The year it is laid out for."""
    layers: tuple[Head, ...]
    """What it was laid together from, the lowest first."""
    sources: Annotated[Mapping[str, Source], ReadOnly]
    milestones: tuple[Milestone, ...]
    reasons: Annotated[Mapping[Reason, ReasonSpec], ReadOnly]
    table: tuple[DestinationRule, ...]
    """The destination table; the first line that fits decides."""
    situations: Annotated[Mapping[str, DecisionRow], ReadOnly]
    receivers: tuple[Receiver, ...]
    """In the order of their numbers."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"Policy({self.name!r}, season={self.season})"

    @property
    def name(self) -> str:
        """Name of the layer on top."""
        return self.layers[-1].name

    @property
    def edition(self) -> Head:
        """The edition of the guide on which it rests: the topmost layer that is one."""
        return next(head for head in reversed(self.layers) if head.edition or head.scope == "base")

    @property
    def basis(self) -> str:
        """The documents it rests on: the edition with its day, then what is added locally."""
        local = [head.document for head in self.layers if head.scope == "local"]
        return "；".join([self.edition.document, *local])

    def receiver(self, reason: Reason, destination: Destination) -> Receiver | None:
        """Which of the numbered receivers takes in whoever goes there with this reason; None: none of them."""
        fits = [each for each in self.receivers if destination in each.destinations]
        own = next((each for each in fits if reason in each.reasons), None)
        return own or next((each for each in fits if not each.reasons), None)

    def source(self, name: str) -> Source:
        """Rule and layer a value comes from.

        Raises:
            KeyError: no layer of this policy gives a value of that name.
        """
        try:
            return self.sources[name]
        except KeyError:
            raise KeyError(f"{self.name}: no value {name}") from None

    def join_age(self, joined: date) -> JoinAge:
        """The age limits for somebody who joined on that day (PD-31)."""
        return [limit for limit in self.min_join_age if limit.since is None or limit.since <= joined][-1]

    def reasons_for(self, audience: Audience) -> dict[Reason, ReasonSpec]:
        """The reasons offered to graduates or to everybody else, in the order of PD-10."""
        # chosen at the start, out of the list of one's kind.
        return {code: spec for code, spec in self.reasons.items() if audience in spec.audiences}

    def special_remark_fits(self, remark: str) -> bool:
        """Whether a special unit's remark says what it has to say (S-04)."""
        return any(word in remark for word in self.special_unit_remark)

    def may_be_retained(self, industry: str | None) -> bool:
        """Whether graduates of a school of this 行业类别 have the right of retention (R-01)."""
        return not self.retention_school_types or industry in self.retention_school_types
