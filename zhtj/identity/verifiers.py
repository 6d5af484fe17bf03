"""The port through which number and name are compared with a source outside, and its two sides (U-12).

By default the number is judged by what it says itself. An installation that is connected to a source names a factory
of its own, ``package.module:factory``; what the factory returns is a ``Verifier``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Protocol, runtime_checkable

from zhtj.kernel import clock, names
from zhtj.people import identity
from zhtj.people.models import Sex

log = logging.getLogger(__name__)

LONGEST_NAME = 40
OLDEST = 100
YOUNGEST = 10
# 省级行政区划代码: the first two digits of every number that was ever issued.
_CODES = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83"
PROVINCES = frozenset(_CODES.split())


class MatchResult(StrEnum):
    """What a source says of a number and a name."""

    MATCH = "match"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """Not, or not yet, in its data (U-12 c)."""


@dataclass(frozen=True, slots=True)
class Question:
    """One person: name, ID number, and the sex the record has."""

    name: str
    number: str
    sex: Sex


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``note`` says what differs, without the number."""

    verdict: MatchResult
    note: str = ""


class VerifierDown(Exception):  # noqa: N818 - the source is down, that is all
    """The source cannot be asked now; whoever was asked about stays due."""


@runtime_checkable
class Verifier(Protocol):
    """A source of truth about numbers and names (认证接口).

    ``name`` stands beside the result. ``verify`` answers every question, in order; whatever it raises counts as the
    source being down. It is called outside of any transaction and limits its own waiting.
    """

    name: str

    def verify(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """Answer all of them."""
        ...


class LocalRules:
    """What the number says about itself: form, check sign, region, birthday, sex; and whether the name can be one."""

    name = "本地规则"

    def verify(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """Judge each by itself."""
        return [self._judge(question) for question in questions]

    @staticmethod
    def _judge(question: Question) -> Answer:
        problem = problem_of(question)
        return Answer(MatchResult.DIFFERENT, problem) if problem else Answer(MatchResult.MATCH)


def problem_of(question: Question) -> str:
    """What cannot be right about a number and a name, in words; "" for nothing."""
    try:
        found = identity.read(question.number)
    except identity.IdentityError as error:
        return error.message
    if found.number[:2] not in PROVINCES:
        return "身份证号码的前两位不是任何省份的代码。"
    if found.sex is not question.sex:
        return f"身份证号码显示性别为{found.sex.label}，登记的是{question.sex.label}。"
    age = found.age_on(clock.today())
    if not YOUNGEST <= age <= OLDEST:
        return f"按身份证号码现在是 {age} 周岁，不可能是团员。"
    return "" if _is_name(question.name) else "姓名里有不该有的字符。"


def _is_name(name: str) -> bool:
    shortest = 2  # no name has one character
    return names.problem(name) is None and shortest <= len(names.key(name)) <= LONGEST_NAME


@dataclass(slots=True)
class _Chosen:
    verifier: Verifier


_chosen = _Chosen(LocalRules())


def use(path: str) -> None:
    """Plug in the verifier that ``path`` (package.module:factory) names; "" means the local rules.

    Raises:
        ValueError: there is no such factory, or what it makes is no verifier.
    """
    if not path:
        _chosen.verifier = LocalRules()
        return
    module, _, factory = path.partition(":")
    try:
        made = getattr(import_module(module), factory)()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    if not isinstance(made, Verifier):
        raise ValueError(f"{path}: 没有 name 或 verify")  # noqa: TRY004 - the setting is wrong, not a type of ours
    _chosen.verifier = made


def plug_in(verifier: Verifier) -> None:
    """Use this one from now on."""
    _chosen.verifier = verifier


def current() -> Verifier:
    """The verifier in use."""
    return _chosen.verifier


def ask(questions: Sequence[Question]) -> list[Answer]:
    """Ask the verifier in use.

    Raises:
        VerifierDown: it raised something, or did not answer everything.
    """
    verifier = current()
    try:
        answers = list(verifier.verify(questions))
    except Exception as error:
        log.warning("identity verifier %s is down: %s", verifier.name, type(error).__name__)
        raise VerifierDown(verifier.name) from error
    if len(answers) != len(questions):
        raise VerifierDown(verifier.name)
    return answers
