"""通报: a season's progress in an organisation as a paper - five rates, the ranking, who is below target.

Everything in it is text, ready to be shown and printed; the figures are those of the pages (PD-25, PD-26).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from zhtj.kernel import clock, dates
from zhtj.kernel.errors import DomainError
from zhtj.orgs.models import Organisation
from zhtj.rates import queries
from zhtj.rates.reports import documents, targets
from zhtj.rates.reports import ranking as rates
from zhtj.rates.reports.ranking import MINIMUM, RankedOrganisation, RankingLevel
from zhtj.rates.reports.targets import Target
from zhtj.rates.rules import NOTHING, Figures, Rate, RateKind

Ranked = list[tuple[RankedOrganisation, Target | None]]
MOST = 200
"""Organisations that a paper lists; a longer table is for the pages."""


@dataclass(frozen=True, slots=True)
class RateLine:
    """One of the five rates: name, completed, to be counted, per cent, target and how far from it."""

    label: str
    numerator: str
    denominator: str
    rate: str
    target: str
    distance: str


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One organisation of the ranking: rank ("" for one too small), name; rate, change, target, who is missing."""

    rank: str
    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RankingChoice:
    """What is ranked: by which rate, whom, from how many people on (M-14).

    Args:
        target: to try one; None: each organisation's own.
    """

    kind: RateKind = RateKind.SOCIETY
    level: RankingLevel = RankingLevel.CHILDREN
    minimum: int = MINIMUM
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """通报.

    Args:
        title: of the paper.
        as_of: for which moment the figures hold.
        issuer: who issues it.
        issued_on: day below the text.
        opening: the whole in a few sentences.
        five: the rates.
        ranking: what the table of organisations ranks, and how.
        columns: its heads behind rank and name.
        lines: organisations in order, the small ones last.
        left_out: how many more there are than ``MOST``.
        below: who is below the target.
    """

    title: str
    as_of: str
    issuer: str
    issued_on: str
    opening: tuple[str, ...]
    five: tuple[RateLine, ...]
    ranking: str
    columns: tuple[str, ...]
    lines: tuple[NoticeLine, ...]
    left_out: int
    below: str

    def texts(self) -> Iterator[str]:
        """Every name in it: what a typeface may lack a character of."""
        yield from (self.title, self.issuer, *self.opening)
        yield from (line.name for line in self.lines)
        yield self.below


def write(organisation: Organisation, season: int, day: date | None, choice: RankingChoice) -> Notice:
    """Write the notice of an organisation.

    Args:
        organisation: below which is ranked.
        season: year.
        day: as ``queries.check_day`` gives it; None: now.
        choice: what is ranked.

    Raises:
        DomainError: there is nobody to report on.
    """
    figures = queries.figures(organisation.path, season, day)
    if not figures:
        raise DomainError(f"{organisation.short_name}没有 {season} 届的数据，不能生成通报。", fix="请换一届或换一天。")
    wanted = targets.read(season)
    found = [] if organisation.is_branch else ranked(organisation, season, day, choice)
    own = wanted.of(organisation)
    return Notice(
        f"{organisation.full_name}关于 {season} 届毕业学生团员组织关系转接进展情况的通报",
        as_of_words(season, day),
        organisation.full_name,
        dates.full(clock.today()),
        _opening(organisation, season, day, figures, own),
        tuple(_rate_line(kind, kind.of(figures), own.get(kind)) for kind in RateKind),
        f"{choice.level.label}按{choice.kind.label}排名，分母不足 {choice.minimum} 人的不排名次",
        (choice.kind.label, "比一周前", "目标", "还差人数"),
        tuple(_line(place, target) for place, target in found[:MOST]),
        len(found) - len(found[:MOST]),
        _below(choice.kind, found),
    )


def ranked(organisation: Organisation, season: int, day: date | None, choice: RankingChoice) -> Ranked:
    """The ranking below an organisation, those too small to be ranked last, each with the target that holds for it."""
    found, wanted = rates.entries(organisation, season, choice.kind, choice.level, day), targets.read(season)
    return [
        (place, choice.target or wanted.of(place.entry.organisation).get(choice.kind))
        for part in rates.ranked(found, choice.minimum)
        for place in part
    ]


def as_of_words(season: int, day: date | None) -> str:
    """For which moment figures hold (PD-25)."""
    moment = clock.local(documents.as_of(season, day))
    if day is not None or season < clock.today().year:
        return f"{dates.full(moment.date() - timedelta(days=1))} 24:00"
    return f"{dates.full(moment.date())} {moment:%H:%M}"


def _opening(
    organisation: Organisation, season: int, day: date | None, figures: Figures, wanted: dict[RateKind, Target]
) -> tuple[str, ...]:
    def said(kind: RateKind) -> str:
        rate = kind.of(figures)
        words = f"{kind.label} {rate}（{rate.numerator:,}/{rate.denominator:,}）" if rate.denominator else ""
        missing = rate.missing(wanted[kind].percent) if words and kind in wanted else None
        if missing is None:
            return words
        return f"{words}，{f'距目标 {wanted[kind]} 还差 {missing:,} 人' if missing else f'已达到目标 {wanted[kind]}'}"

    rates = "；".join(filter(None, (said(RateKind.SOCIETY), said(RateKind.FURTHER_STUDY))))
    coming = figures.incoming_study + figures.incoming_society
    sentences = [
        f"截至 {as_of_words(season, day)}，{organisation.short_name}本地区 {season} 届毕业学生团员 "
        f"{figures.graduates:,} 人，"
        f"其中升学 {figures.further_study:,} 人、流向社会 {figures.society:,} 人"
        + (f"（含未登记去向 {figures.unregistered:,} 人）" if figures.unregistered else "")
        + (f"；从外地区申请转入 {coming:,} 人" if coming else "")
        + "。",
        f"{rates}。" if rates else "",
        f"已发起转出 {figures.initiated:,} 人，已完成转出 {figures.done:,} 人，"
        f"还有 {figures.graduates - figures.initiated:,} 人没有发起。"
        if figures.graduates
        else "",
    ]
    return tuple(filter(None, sentences))


def _rate_line(kind: RateKind, rate: Rate, target: Target | None) -> RateLine:
    distance = target.distance(rate) if target else None
    return RateLine(
        kind.label,
        f"{rate.numerator:,}",
        f"{rate.denominator:,}",
        str(rate),
        str(target) if target else NOTHING,
        NOTHING if distance is None else f"{distance:+} 个百分点",
    )


def _line(place: RankedOrganisation, target: Target | None) -> NoticeLine:
    rate, change = place.entry.rate, place.change
    return NoticeLine(
        str(place.rank or ""),
        place.entry.organisation.short_name,
        (
            f"{rate}（{rate.numerator:,}/{rate.denominator:,}）" if rate.denominator else NOTHING,
            NOTHING if change is None else f"{change:+}" if change else "持平",
            str(target) if target else NOTHING,
            f"{rate.missing(target.percent):,}" if target and rate.denominator else NOTHING,
        ),
    )


def _below(kind: RateKind, found: Ranked) -> str:
    """Who is below the target, each with how many people close it (PD-26); "" if nobody is, or nobody has one."""
    names, percents = [], set()
    for place, target in found:
        rate = place.entry.rate
        if target and rate.denominator and (missing := rate.missing(target.percent)):
            names.append(f"{place.entry.organisation.short_name}（差 {missing:,} 人）")
            percents.add(str(target))
    if not names:
        return ""
    goal = f"目标 {percents.pop()}" if len(percents) == 1 else "各自目标"
    more = f"等 {len(names):,} 个" if len(names) > MOST else f"，共 {len(names):,} 个"
    return f"{kind.label}未达到{goal}的：{'、'.join(names[:MOST])}{more}。"
