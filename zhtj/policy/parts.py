"""What a season policy is made of (政策的组成部分): each typed, read-only, and naming the rule it comes from."""

from __future__ import annotations

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
    def is_national(self) -> bool:
        """Whether it holds for the whole country."""
        return self.scope == "national"

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
    file_check_below: int | None = None
    """Younger ones are registered only once somebody says that the file was checked (PD-61)."""

    def needs_file_check(self, age: int) -> bool:
        """Whether somebody who joined at this age is registered only after his file was checked."""
        return self.file_check_below is not None and self.error_below <= age < self.file_check_below


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
    beside_place: bool | None = None
    """It lies in another township of the same county than the place named (PD-60)."""
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
