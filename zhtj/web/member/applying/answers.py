"""What a member has answered so far, which question comes next, and what the destination table says to it.

The draft holds the answers; pages are its questions, one each. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

from sqlalchemy import select

from zhtj.kernel import clock, crypto
from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Organisation, Region
from zhtj.people.models import Member
from zhtj.policy.destinations import Verdict
from zhtj.policy.model import Policy
from zhtj.policy.parts import ReasonSpec
from zhtj.policy.seasons import county_open
from zhtj.policy.vocabulary import Audience, Destination, PlaceTie, Reason, ReasonField
from zhtj.transfers import queries
from zhtj.transfers.applying import checks, whereabouts
from zhtj.transfers.applying.judging import facts_of
from zhtj.transfers.applying.situations import Leaver, Situation, Submission, leaver, situations, special_unit
from zhtj.transfers.applying.whereabouts import Whereabouts
from zhtj.transfers.models import Application, TransferDraft
from zhtj.transfers.rules import low_age
from zhtj.transfers.workflow import Action, Initiator, Party, State, Track, next_state
from zhtj.web.forms.transfer import best_at, place_bound_first


class WizardStep(StrEnum):
    """One question of the application, one page."""

    REASON = "reason"
    UNIT = "unit"
    PLACE = "place"
    ORGANISATION = "organisation"
    EXTERNAL = "external"
    SPECIAL = "special"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class DraftAnswers:
    """Answers as the draft keeps them; "" is unanswered. No telephone number: it is asked for last (PD-37).

    Args:
        destination: the organisation's code; for 北京, 广东 and 福建 that of the region's node.
        external_name: full name in the system there, once it was typed the same twice (X-02).
        secret_unit: name of a special unit, if it was told; the draft keeps it encrypted (S-09, PD-37).
        situation: key of the policy's situations, where the adviser was told more than the reason says.
        unable: the township there has said that it cannot receive (T-03).
        follows: id of the ended application that this one starts again; 0 for none.
        redirects: id of the running application that this one takes the place of once it is sent (PD-16); 0 for none.
    """

    reason: str = ""
    unit_name: str = ""
    unit_address: str = ""
    place: str = ""
    destination: str = ""
    remark: str = ""
    external_name: str = ""
    secret_unit: str = ""
    situation: str = ""
    unable: bool = False
    follows: int = 0
    redirects: int = 0

    @classmethod
    def of(cls, draft: TransferDraft | None) -> Self:
        """Read a draft; what an older version wrote otherwise counts as unanswered."""
        kept: dict[str, Any] = draft.answers if draft else {}
        known: dict[str, Any] = {
            field.name: kept[field.name]
            for field in fields(cls)
            if isinstance(kept.get(field.name), type(field.default))
        }
        return cls(**{**known, "secret_unit": _opened(known.get("secret_unit", ""))})

    @classmethod
    def again(cls, ended: Application) -> Self:
        """Those of an ended application, to be corrected and sent again (A-23)."""
        special = ended.track is Track.SPECIAL
        return cls(
            reason=ended.reason,
            unit_name=ended.unit_name or "",
            unit_address=ended.unit_address or "",
            place=ended.place or "",
            destination="" if special else ended.to_org.code,
            remark=ended.remark or "",
            external_name=(ended.external_name or "") if ended.track is Track.EXTERNAL else "",
            secret_unit=(ended.secret_unit or "") if special else "",
            situation=ended.situation or "",
            follows=ended.id,
        )

    @classmethod
    def elsewhere(cls, running: Application) -> Self:
        """Those of a running application that is to go to another organisation, which is asked for anew (PD-16)."""
        return replace(cls.again(running), destination="", follows=0, redirects=running.id)

    def kept(self) -> dict[str, Any]:
        """As the draft stores them."""
        return asdict(self) | {"secret_unit": crypto.encrypt(self.secret_unit) if self.secret_unit else ""}


def _opened(kept: str) -> str:
    try:
        return crypto.decrypt(kept) if kept else ""
    except ValueError:
        return ""


def _at_best(situation: Situation) -> Situation:
    """Before his tie to the place is asked for, the best one that can be true speaks."""
    if not situation.kind.place_bound:
        return situation
    ties = [tie for tie in PlaceTie if tie is not PlaceTie.NONE and situation.whereabouts.may_be(tie, situation.new)]
    each = [situation.at(tie) for tie in ties]
    return min(each, key=lambda one: one.verdict.level.rank, default=situation)


class Filling:
    """One member's application while it is being filled in.

    Args:
        member: with organisation and account.
    """

    def __init__(self, member: Member) -> None:
        self.member = member
        self.draft = queries.draft(member.id)
        self.answers = DraftAnswers.of(self.draft)

    @cached_property
    def leaver(self) -> Leaver:
        """What is known of him; the application that this one takes the place of stands in nobody's way (PD-16)."""
        known = leaver(self.member)
        return replace(known, is_busy=known.is_busy and not self.replaces)

    @property
    def policy(self) -> Policy:
        """The origin's policy of today."""
        return self.leaver.policy

    @property
    def audience(self) -> Audience:
        """Which list of reasons is offered (PD-10)."""
        return self.leaver.audience

    @property
    def spec(self) -> ReasonSpec | None:
        """What the policy says of the chosen reason; None if none is chosen, or it is not offered to this member."""
        return self.leaver.spec(self.answers.reason)

    @property
    def is_special(self) -> bool:
        """Whether he goes to a special unit, for which no organisation is chosen (S-02)."""
        return self.spec is not None and not self.spec.chooses_destination

    @property
    def is_study(self) -> bool:
        """Whether he goes on to another school."""
        return self.answers.reason == Reason.FURTHER_STUDY

    @property
    def region(self) -> Organisation | None:
        """The chosen region that keeps a system of its own (X-01)."""
        found = None if self.is_special else self.destination
        return found if found is not None and found.system is not Region.NATIONAL else None

    @cached_property
    def too_young(self) -> bool:
        """Whether he joined so young that those systems refuse him (X-09, PD-33)."""
        return low_age(self.policy, self.member)

    @cached_property
    def destination(self) -> Organisation | None:
        """The chosen organisation."""
        code = self.answers.destination
        return session.scalars(select(Organisation).where(Organisation.code == code)).first() if code else None

    @property
    def kind(self) -> Destination | None:
        """What kind of place it is for this member."""
        return self.situation.kind if self.situation else None

    @cached_property
    def place_first(self) -> bool:
        """Whether the place is asked for before the organisation, which it helps to find."""
        return self.spec is not None and place_bound_first(self.policy, Reason(self.answers.reason))

    @property
    def tie(self) -> PlaceTie | None:
        """The place named; before it is asked for, the one whose address was asked for."""
        if self.answers.place in set(PlaceTie):
            return PlaceTie(self.answers.place)
        if not self.asks(ReasonField.ADDRESS):
            return None
        return PlaceTie.RESIDENCE if self.answers.reason == Reason.RELOCATION else PlaceTie.UNIT_LOCATION

    @cached_property
    def whereabouts(self) -> Whereabouts:
        """His places: what is on record, and over it what he typed."""
        return self.placed(self.answers.unit_address, self.tie)

    def placed(self, address: str, tie: PlaceTie | None) -> Whereabouts:
        """His places, if he had typed this address for that place of his."""
        needs = self.spec.needs if self.spec is not None else ()
        texts = whereabouts.texts(self.member, self.answers.reason, needs, address, tie)
        (found,) = whereabouts.read([texts])
        return found

    @property
    def address(self) -> str:
        """The address that says which township is meant; "" if unknown."""
        return self.whereabouts.texts.get(self.tie, "") if self.tie else ""

    @property
    def is_placed(self) -> bool:
        """Whether that address says enough: its township, or a region with a system of its own (PD-60)."""
        site = self.whereabouts.site(self.tie) if self.tie else None
        return site is not None and (site.whole or site.external)

    def asks(self, *wanted: ReasonField) -> bool:
        """Whether the chosen reason needs one of these."""
        return self.spec is not None and bool({*wanted} & {*self.spec.needs})

    @property
    def steps(self) -> list[WizardStep]:
        """The questions of this application, in order."""
        if self.spec is None:
            return [WizardStep.REASON, WizardStep.UNIT, WizardStep.ORGANISATION, WizardStep.CHECK]
        if self.is_special:
            return [WizardStep.REASON, WizardStep.SPECIAL, WizardStep.CHECK]
        steps = [WizardStep.REASON]
        if self.asks(ReasonField.UNIT, ReasonField.SCHOOL, ReasonField.ADDRESS):
            steps.append(WizardStep.UNIT)
        place_after = not self.place_first and self.kind is not None and self.kind.place_bound
        steps += [WizardStep.PLACE] * self.place_first + [WizardStep.ORGANISATION] + [WizardStep.PLACE] * place_after
        steps += [WizardStep.EXTERNAL] * (self.region is not None)
        return [*steps, WizardStep.CHECK]

    def has(self, step: WizardStep) -> bool:
        """Whether that question is answered."""
        answers = self.answers
        if step is WizardStep.REASON:
            return self.spec is not None
        if step is WizardStep.UNIT:
            named = answers.unit_name or not self.asks(ReasonField.UNIT, ReasonField.SCHOOL)
            asks = self.asks(ReasonField.ADDRESS)
            whole = answers.unit_address and (answers.place in set(PlaceTie) or self.is_placed)
            return bool(named and (whole or not asks))
        if step is WizardStep.PLACE:
            return answers.place == PlaceTie.NONE or (answers.place in set(PlaceTie) and self.is_placed)
        if step is WizardStep.SPECIAL:
            return self.policy.special_remark_fits(answers.remark)
        if step is WizardStep.EXTERNAL:
            return bool(answers.external_name)
        return step is WizardStep.ORGANISATION and self.destination is not None

    @property
    def next_step(self) -> WizardStep:
        """The first question that is still open; checking is always the last."""
        return next(step for step in self.steps if step is WizardStep.CHECK or not self.has(step))

    def may_open(self, step: WizardStep) -> bool:
        """Whether everything before that question is answered."""
        steps = self.steps
        return step in steps and all(self.has(before) for before in steps[: steps.index(step)])

    def before(self, step: WizardStep) -> WizardStep | None:
        """The question before that one."""
        steps = self.steps
        position = steps.index(step) if step in steps else 0
        return steps[position - 1] if position else None

    @cached_property
    def situation(self) -> Situation | None:
        """The start as far as it is filled in; None before an organisation is chosen."""
        return self.judged([self.destination])[0] if self.destination else None

    def judged(self, organisations: Sequence[Organisation]) -> list[Situation]:
        """The starts that would lead to these organisations, each with what has been answered so far."""
        values: dict[str, Any] = {"reason": self.answers.reason, **self.said}
        starts = [Submission(member=self.member, destination=each, **values) for each in organisations]
        found = situations([(each, self.leaver, Initiator.MEMBER) for each in starts])
        return found if self.answers.place in set(PlaceTie) else [_at_best(each) for each in found]

    @property
    def county_is_open(self) -> bool:
        """Whether counties take over by now, so that it matters what the township has said (D-15)."""
        return county_open(self.policy, clock.today())

    def at(self, tie: PlaceTie) -> Verdict:
        """What the table says to a place of his: to the organisation chosen, else to the best that stands there."""
        situation = None if self.place_first else self.situation
        if situation is not None:
            return situation.at(tie).verdict
        known = facts_of(self.policy, self.answers.situation, self.answers.reason)
        residence, unit = (self.whereabouts.site(one) for one in (PlaceTie.RESIDENCE, PlaceTie.UNIT_LOCATION))
        bounds = self.policy.residence_near
        near = residence.is_near(unit, bounds) if bounds and residence and unit else None
        facts = {**known, "near_unit": near, "county_open": self.county_is_open}
        return best_at(self.policy, Reason(self.answers.reason), tie, **facts)

    @property
    def problem(self) -> DomainError | None:
        """What stands in the way of sending it, but for what the last page asks and shows by itself."""
        asked = self.situation
        if asked is None:
            return None
        found = checks.first(asked, checks.BEFORE_THE_TABLE)
        if found is None and not asked.verdict.blocks and asked.verdict.case is None:
            found = checks.place_is_clear(asked)
        return None if found is not None and found.field == "remark" else found

    @property
    def verdict(self) -> Verdict | None:
        """What the destination table says to the chosen organisation (PD-11)."""
        return self.situation.verdict if self.situation is not None and self.spec is not None else None

    @cached_property
    def follows(self) -> Application | None:
        """The application of the same member that this one starts again, or takes the place of."""
        old = self.redirected
        if old is None:
            return self._own(self.answers.follows, is_open=False)
        failed = not old.state.is_open and old.state is not State.COMPLETED
        return old if self.replaces or failed else None

    @cached_property
    def redirected(self) -> Application | None:
        """The application this one was begun to take the place of, however it stands by now (PD-16)."""
        return self._own(self.answers.redirects)

    @property
    def replaces(self) -> bool:
        """Whether that one still runs, and may still be withdrawn in the moment this one is sent."""
        found = self.redirected
        return found is not None and next_state(found.state, Action.WITHDRAW, Party.MEMBER, found.way) is not None

    def _own(self, number: int, *, is_open: bool | None = None) -> Application | None:
        found = session.get(Application, number) if number else None
        if found is None or found.member_id != self.member.id:
            return None
        return found if is_open in {None, found.state.is_open} else None

    @property
    def relevant(self) -> dict[str, str]:
        """The answers the chosen reason asks for; what was said under another reason stays in the draft unsent."""
        answers = self.answers
        asked = {
            "unit_name": self.asks(ReasonField.UNIT, ReasonField.SCHOOL),
            "unit_address": self.asks(ReasonField.ADDRESS) or WizardStep.PLACE in self.steps,
            "place": WizardStep.PLACE in self.steps,
        }
        return {name: getattr(answers, name) for name, is_asked in asked.items() if is_asked and getattr(answers, name)}

    @property
    def said(self) -> dict[str, Any]:
        """The answers by the names of a submission, whether this reason asks for them or not."""
        answers = self.answers
        names = ("unit_name", "unit_address", "place", "remark")
        twice = dict.fromkeys(("external_name", "external_name_again"), answers.external_name)
        more = {"situation": answers.situation or None, "township_unable": answers.unable}
        return {**{name: getattr(answers, name) for name in names}, **twice, **more}

    def submission(self, destination: Organisation, typed: dict[str, Any]) -> Submission:
        """The application as it would be sent, with what the last page adds."""
        more = {"situation": self.answers.situation or None, "township_unable": self.answers.unable}
        values = {"reason": self.answers.reason, **self.relevant, **more, **typed}
        if self.region is not None:
            values |= dict.fromkeys(("external_name", "external_name_again"), self.answers.external_name)
        return Submission(member=self.member, destination=destination, follows=self.follows, **values)

    def special_submission(self, typed: dict[str, Any]) -> Submission:
        """The same to a special unit: no organisation is chosen (S-02)."""
        answers = self.answers
        return special_unit(
            self.member,
            remark=answers.remark,
            secret_unit=answers.secret_unit or None,
            follows=self.follows,
            **typed,
        )
