"""What a season policy consists of (政策): the typed form of ``data/*.toml``.

``Values`` lists every parameter; the TOML layers give each a value and the rule it comes from. ``Policy`` is the
result of laying the layers over each other for one season and one line of organisations.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from zhtj.policy.parts import (
    Day,
    DecisionRow,
    DestinationRule,
    ExternalSystem,
    Head,
    JoinAge,
    Milestone,
    Part,
    Positive,
    ReadOnly,
    ReasonSpec,
    Receiver,
    Source,
)
from zhtj.policy.vocabulary import (
    Audience,
    Destination,
    InitiatorName,
    Reason,
)


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
    liaisons_due: Day
    """By then each college has named whom to ask (学社衔接负责人)."""
    statistics_due: Day
    """By then the province hands in the four counts."""
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
    teaching_months: Positive
    """Months for which who teaches before graduate study stays (支教保研); no extension."""
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
    mark_change_after_conversion: Literal["superior", "free"]
    """Who lets marks that may be changed freely still move people out of the season, or in, after the conversion."""
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
    number_claim_answer_days: Positive
    """Days in which the branch of a number's holder says whose it is, before a claim on it is decided."""
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
    external_without_file: Literal["superior", "recorder"]
    """Who answers for what an external system decided where no file shows it: a second person above, or one alone."""

    # -- letters
    letter_template: str
    letter_valid_days: Positive
    letter_receipt_days: Positive
    letter_number_width: Positive
    letter_requires_completion: bool
    """A letter is issued only once the transfer is complete."""

    # -- rates
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
    def overseas_life_stays(self) -> bool:
        """Whether somebody who goes abroad to live may stay at the old school (PD-62)."""
        return "life" in self.overseas_stay

    @property
    def school_approves_overseas(self) -> bool:
        """Whether the school decides that an overseas student's relationship stays, otherwise the college (R-15)."""
        return self.overseas_approver == "school"

    @property
    def delayed_may_stay(self) -> bool:
        """Whether delayed graduates may also be kept in the branch in which they study (K-24)."""
        return "study_branch" in self.delayed_place

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

    @property
    def county_takes(self) -> str:
        """That counties take over from a township that cannot receive: whether they have to, or may (T-03, K-07)."""
        return "由县级接收" if self.county_fallback == "must" else "可以由县级接收"

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

    @property
    def strict_join_from(self) -> date:
        """Who joined from this day on too young is no member at all; earlier ones are managed offline (U-11, X-09)."""
        return next((limit.since for limit in reversed(self.min_join_age) if limit.since), date.min)

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
