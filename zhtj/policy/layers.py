"""Laying policies together from ``data/*.toml``, each value with the rule and the layer it comes from.

A layer extends another; what it does not say it inherits (K-32: absence is no repeal). A national layer may keep its
destination table in a second file, ``<name>.destinations.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from zhtj.policy.model import Policy, Values
from zhtj.policy.parts import DecisionRow, DestinationRule, Head, Milestone, Part, ReasonSpec, Receiver, RuleId, Source
from zhtj.policy.spoken import said
from zhtj.policy.vocabulary import Reason

DATA = Path(__file__).parent / "data"
TABLE_SUFFIX = ".destinations.toml"
SIGNED = ("guards", "destinations", "receivers")  # lists whose items say which layer they are of


class PolicyError(Exception):
    """A layer is missing or wrong, or no layer governs what was asked for."""


class LayerValue(Part):
    """A value as it stands in a layer: ``{ value = 10, rule = "D-09" }``."""

    value: Any
    rule: RuleId
    assumed: bool = False
    note: str = ""


class MilestoneEntry(Part):
    """A milestone as it stands in a layer: of a calendar ``value``, or with a ``date`` and ``rule`` of its own."""

    text: str
    value: str = ""
    date: str = ""
    rule: RuleId | None = None


class Layer(Part):
    """One layer as its files say it."""

    layer: Head
    values: dict[str, LayerValue] = Field(default_factory=dict)
    milestones: tuple[MilestoneEntry, ...] = ()
    reasons: dict[Reason, ReasonSpec] = Field(default_factory=dict)
    guards: tuple[DestinationRule, ...] = ()
    """Lines read before all others, of whatever layer."""
    destinations: tuple[DestinationRule, ...] = ()
    situations: dict[str, DecisionRow] = Field(default_factory=dict)
    receivers: tuple[Receiver, ...] = ()


def layer_names() -> list[str]:
    """Names of all layers, by year."""
    return sorted(path.name.removesuffix(".toml") for path in DATA.glob("*.toml") if not _is_table(path))


def _is_table(path: Path) -> bool:
    return path.name.endswith(TABLE_SUFFIX)


@cache
def layer(name: str) -> Layer:
    """Read one layer.

    Raises:
        PolicyError: there is no such layer, or its file is wrong; the message says where.
    """
    path = DATA / f"{name}.toml"
    if not path.is_file():
        raise PolicyError(f"没有名为 {name} 的政策层，现有：{'、'.join(layer_names())}")
    content = _load(path)
    table = path.with_suffix(TABLE_SUFFIX)
    if table.is_file():
        content |= _load(table)
    content.setdefault("layer", {})["name"] = name
    for item in chain(*(content.get(key, ()) for key in SIGNED), content.get("situations", {}).values()):
        item["layer"] = name
    try:
        read = Layer.model_validate(content)
    except ValidationError as error:
        raise PolicyError(f"政策层 {name} 有误：{error}") from error
    if unknown := read.values.keys() - Values.model_fields.keys():
        raise PolicyError(f"政策层 {name} 中有不认识的名称：{'、'.join(sorted(unknown))}")
    return read


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{path.name}：{error}") from error


def lineage(name: str) -> list[str]:
    """The layer and all it extends, the lowest first."""
    below = layer(name).layer.extends
    return [*(lineage(below) if below else []), name]


@cache
def policy_named(name: str, season: int | None = None) -> Policy:
    """One layer with all it extends, whatever it applies to; for history, help pages and tests.

    Args:
        name: the layer, for instance ``2022-nankai``.
        season: the year it is laid out for; by default its first one.

    Raises:
        PolicyError: no such layer, a wrong file, or no season given for one that has none of its own.
    """
    year = season or layer(name).layer.first_season
    if year is None:
        raise PolicyError(f"政策层 {name} 不属于某一年，请指明年份。")
    return compose(lineage(name), year)


def compose(names: Sequence[str], season: int) -> Policy:
    """Lay layers over each other, the lowest first.

    Raises:
        PolicyError: something required is given by none of them, or a value is of the wrong kind.
    """
    layers = [layer(name) for name in names]
    sources: dict[str, Source] = {}
    content: dict[str, Any] = {}
    for each in layers:
        for name, entry in each.values.items():
            content[name] = entry.value
            assumed = entry.assumed or _read_back(each, layers[-1])
            cited = _cited(layers, each, entry.rule)
            sources[name] = Source(
                rule=entry.rule, layer=each.layer.name, assumed=assumed, note=entry.note, cited=cited
            )
    try:
        values = Values.model_validate(content, context={"season": season})
        return Policy(
            **dict(values),
            season=season,
            layers=tuple(each.layer for each in layers),
            sources=sources,
            milestones=_milestones(layers, values, sources, season),
            reasons=_reasons(layers, values),
            table=_table(layers, dict(values)),
            situations=_situations(layers, dict(values)),
            receivers=_receivers(layers),
        )
    except ValidationError as error:
        raise PolicyError(f"政策 {'＋'.join(names)} 不完整：{error}") from error


def _cited(layers: Sequence[Layer], said_by: Layer, rule: str) -> str:
    """The document to name for what a layer says by a rule: the uppermost that says it; "" for the rulebook's."""
    for each in reversed(layers[layers.index(said_by) :]):
        if each.layer.cited and (each is said_by or rule in each.layer.confirms):
            return each.layer.document
    return ""


def _read_back(inherited: Layer, top: Layer) -> bool:
    return top.layer.reads_back and inherited is not top and inherited.layer.scope != "base"


def _reasons(layers: Sequence[Layer], values: Values) -> dict[Reason, ReasonSpec]:
    specs = {code: spec for each in layers for code, spec in each.reasons.items()}
    named = {"label": values.special_unit_label}
    return {code: spec if spec.label else spec.model_copy(update=named) for code, spec in specs.items()}


def _table(layers: Sequence[Layer], values: Mapping[str, Any]) -> tuple[DestinationRule, ...]:
    """Guards first, then the other lines; of each, those of upper layers first."""
    downwards = list(reversed(layers))
    return tuple(
        line.model_copy(
            update={
                "assumed": line.assumed or _read_back(each, layers[-1]),
                "cited": _cited(layers, each, line.rule),
                "why": said(line.why, values),
            }
        )
        for lines in ([(each, each.guards) for each in downwards], [(each, each.destinations) for each in downwards])
        for each, group in lines
        for line in group
    )


def _situations(layers: Sequence[Layer], values: Mapping[str, Any]) -> dict[str, DecisionRow]:
    return {
        key: row.model_copy(
            update={
                "cited": _cited(layers, each, row.rule),
                "title": said(row.title, values),
                "say": said(row.say, values),
            }
        )
        for each in layers
        for key, row in each.situations.items()
    }


def _receivers(layers: Sequence[Layer]) -> tuple[Receiver, ...]:
    found = {receiver.number: receiver for each in layers for receiver in each.receivers}
    return tuple(found[number] for number in sorted(found))


def _milestones(
    layers: Iterable[Layer], values: Values, sources: dict[str, Source], season: int
) -> tuple[Milestone, ...]:
    found = []
    for each in layers:
        for entry in each.milestones:
            source = sources.get(entry.value) or Source(rule=entry.rule or "", layer=each.layer.name)
            content = {
                "day": getattr(values, entry.value, entry.date),
                "text": entry.text,
                "rule": source.rule,
                "layer": source.layer,
            }
            found.append(Milestone.model_validate(content, context={"season": season}))
    return tuple(sorted(found, key=lambda milestone: milestone.day))
