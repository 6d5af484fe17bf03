"""Seasons and their clock (届、日程): which policy governs, which phase it is, when an application is returned.

A local layer holds where its file names the organisation, or where the installation binds it to one (``bind``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from zhtj.kernel import clock
from zhtj.kernel.errors import DomainError
from zhtj.policy.layers import PolicyError, compose, layer, layer_names, lineage
from zhtj.policy.model import Policy
from zhtj.policy.parts import Head, Milestone
from zhtj.policy.vocabulary import CampaignPhase


class NoPolicyError(DomainError):
    """No layer governs that season."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A local layer that an installation lets hold for an organisation and all below it.

    Args:
        code: of the organisation.
        layer: name of a local layer.
        first, last: seasons from and to which it holds; None: from the layer's first one, without end.
    """

    code: str
    layer: str
    first: int | None = None
    last: int | None = None

    def covers(self, season: int) -> bool:
        """Whether it holds that season."""
        return (self.first or season) <= season <= (self.last or season)


_BINDING = re.compile(r"(?P<code>[0-9A-Za-z-]+)=(?P<layer>[0-9a-z-]+)(?:@(?P<first>\d{4})(?P<on>-(?P<last>\d{4})?)?)?")
_bound: list[Binding] = []


def read_bindings(text: str) -> list[Binding]:
    """Read ``ZHTJ_POLICY_LAYERS``: ``3401-002=2024-letters@2026- 34=2024-anhui@2026``, set apart by blanks or commas.

    Raises:
        ValueError: something in it is no binding; no such local layer; or its edition is not yet in force by then.
    """
    found = []
    for part in re.split(r"[\s,;]+", text.strip()) if text.strip() else ():
        match = _BINDING.fullmatch(part)
        if match is None:
            raise ValueError(f"看不懂“{part}”，请写成 组织编码=政策层@届，如 3401-002=2024-letters@2026-")
        first = int(match["first"]) if match["first"] else None
        last = int(match["last"]) if match["last"] else None if match["on"] else first
        found.append(_bindable(Binding(match["code"], match["layer"], first, last)))
    return found


def _bindable(binding: Binding) -> Binding:
    known = [head.name for head in _heads("local")]
    if binding.layer not in known:
        raise ValueError(f"没有名为 {binding.layer} 的地方政策层，现有：{'、'.join(known)}")
    head = layer(binding.layer).layer
    first = binding.first or head.first_season or 0
    if not set(lineage(head.name)[:-1]) <= set(lineage(_national(first).name)):
        raise ValueError(f"{head.title}以较新的版本为基础，不适用于 {first} 届。")
    return Binding(binding.code, binding.layer, first, binding.last)


def bind(bindings: Iterable[Binding]) -> None:
    """Let these local layers hold from now on, in place of those bound before."""
    _bound[:] = bindings
    _policy_for.cache_clear()
    _policy_under.cache_clear()
    governed.cache_clear()


def bindings() -> tuple[Binding, ...]:
    """What this installation has bound."""
    return tuple(_bound)


def season_of(day: date) -> int:
    """The season (届) a day belongs to: its year. The first months belong to the graduates of the coming summer."""
    return day.year


def policy_for(season: int, line: Sequence[str]) -> Policy:
    """The policy of a season for an organisation.

    The latest national layer that has begun by then, and over it every local layer of that season whose organisation
    stands in the line, from the top down; of one organisation first what the files say, then what is bound.

    Args:
        season: year of graduation.
        line: codes of its superiors and itself, from the top down.

    Raises:
        NoPolicyError: the season lies before the first national layer.
    """
    return _policy_for(season, tuple(code for code in line if code in governed(season)))


def policy_under(name: str, season: int, line: Sequence[str]) -> Policy:
    """What would hold for an organisation if this layer did (PD-62).

    Args:
        name: a national layer takes the place of the season's own; a local one is laid over all that holds there.
        season: year of graduation.
        line: codes of its superiors and itself, from the top down.

    Raises:
        PolicyError: there is no such layer, it is none by itself, or it rests on a later edition than holds there.
        NoPolicyError: the season lies before the first national layer.
    """
    return _policy_under(name, season, tuple(code for code in line if code in governed(season)))


@lru_cache(maxsize=256)
def _policy_under(name: str, season: int, line: tuple[str, ...]) -> Policy:
    head = layer(name).layer
    if head.scope == "base":
        raise PolicyError(f"{head.title}是各层共同的底，不能单独试行。")
    if head.scope == "national":
        return compose(_names(lineage(name), season, line), season)
    names = _names(lineage(_national(season).name), season, line)
    if not set(lineage(name)[:-1]) <= set(names):
        raise PolicyError(f"{head.title}以较新的版本为基础，不适用于 {season} 届。")
    return compose([*(each for each in names if each != name), name], season)


@lru_cache(maxsize=256)
def _policy_for(season: int, line: tuple[str, ...]) -> Policy:
    return compose(_names(lineage(_national(season).name), season, line), season)


def _names(national: Sequence[str], season: int, line: tuple[str, ...]) -> list[str]:
    """The national layers, and over them those of the line that rest on no other edition."""
    names = list(national)
    for code in line:
        names += [
            head.name
            for head in _heads("local")
            if code in head.organisations and _covers(head, season) and set(lineage(head.name)[:-1]) <= set(names)
        ]
        names += [
            each.layer
            for each in _bound
            if each.code == code and each.covers(season) and set(lineage(each.layer)[:-1]) <= set(names)
        ]
    return list(dict.fromkeys(names))


def _national(season: int) -> Head:
    begun = [head for head in _heads("national") if (head.first_season or 0) <= season]
    if not begun:
        first = min(head.first_season or 0 for head in _heads("national"))
        raise NoPolicyError(f"没有适用于 {season} 届的政策。", fix=f"请选择 {first} 届或以后的。")
    return max(begun, key=lambda head: head.first_season or 0)


def _covers(head: Head, season: int) -> bool:
    return (head.first_season or season) <= season <= (head.last_season or season)


@lru_cache(maxsize=4)
def _heads(scope: str) -> tuple[Head, ...]:
    return tuple(head for name in layer_names() if (head := layer(name).layer).scope == scope)


@lru_cache(maxsize=64)
def governed(season: int) -> frozenset[str]:
    """Codes of the organisations that have a layer of their own that season."""
    written = {code for head in _heads("local") if _covers(head, season) for code in head.organisations}
    return frozenset(written | {each.code for each in _bound if each.covers(season)})


def campaign_open(policy: Policy, day: date) -> bool:
    """Whether the season's campaign (转接期限) is on (D-01)."""
    return policy.campaign_start <= day <= policy.campaign_end


def phase(policy: Policy, day: date) -> CampaignPhase | None:
    """The campaign's phase on a day (D-06, D-08, D-09); None outside the campaign."""
    if not campaign_open(policy, day):
        return None
    if day <= policy.application_end:
        return CampaignPhase.APPLICATION
    return CampaignPhase.REVIEW if day <= policy.review_end else CampaignPhase.CLOSING


def county_open(policy: Policy, day: date) -> bool:
    """Whether counties take over from townships that cannot receive (D-15)."""
    return policy.county_fallback_from <= day


def milestones(policy: Policy, after: date | None = None) -> tuple[Milestone, ...]:
    """The days of the season by which something is done, in order; with ``after``, those still to come."""
    return tuple(each for each in policy.milestones if after is None or each.day > after)


def return_due(submitted_at: datetime, policy: Policy, *, in_season: bool) -> datetime:
    """The moment at which an unanswered application is returned (PD-18, D-09).

    The clock starts on the later of the day of submission and ``auto_return_from`` - outside a season on the day of
    submission - and ends at 24:00 of the last day; the starting day is not counted. Days are those of Asia/Shanghai.

    Args:
        submitted_at: aware.
        policy: of the origin, for the season of the submission.
        in_season: whether the application belongs to the season's campaign.

    Returns:
        Aware, in UTC: from this moment on the application is returned.
    """
    start = clock.local(submitted_at).date()
    if in_season:
        start = max(start, policy.auto_return_from)
    # PD-18: the starting day is not counted; the last one ends at 24:00.
    return clock.start_of_day(start + timedelta(days=policy.auto_return_days + 1))
