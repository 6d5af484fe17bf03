"""Names of organisations: how they are built, taken apart and found again. Pure; no database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from zhtj.kernel import pinyin

LEAGUE = "共青团"
FLOATING_BRANCH = "流动团员团支部"
# What the townships' branches were called until 2020, and what people call them for short (O-07, K-04).
_OTHER_FLOATING = re.compile(r"(?:学社衔接(?:临时)?|流动)(?:团?支部)?$|流动团员支部$")


def full_name(line: Sequence[str]) -> str:
    """Full name of a committee (组织全称): unique, because it names the whole administrative path (PD-05).

    Args:
        line: own names from the province down to the organisation itself.
    """
    return f"{LEAGUE}{''.join(line)}委员会"


def short_name(name: str) -> str:
    """What screens show of a committee (组织简称), from its own name: 井岗镇 → 团井岗镇委."""
    return f"团{name}委"


def floating_full_name(line: Sequence[str]) -> str:
    """Full name of the floating branch (流动团员团支部) below the organisation that ``line`` names (O-07)."""
    return f"{''.join(line)}{FLOATING_BRANCH}"


def floating_short_name(name: str) -> str:
    """What screens show of a floating branch, from its host's own name."""
    return f"{name}{FLOATING_BRANCH}"


_OWN_NAME = (
    re.compile(r"(?:中国共产主义青年团|共青团)(.+?)(?:工作|总支部|支部)?委员会"),
    re.compile(r"团(.+?)(?<!团)工?委"),
    re.compile(r"(?:共青团)?(.+?)团(?:工委|委|总支|支部)"),
    re.compile(r"共青团(.+)"),
    re.compile(r"(.+?)(?:工作|总支部|支部)?委员会"),
)


def own_name(name: str) -> str:
    """The distinctive part of a full or short name: 团井岗镇委 → 井岗镇, 计算机学院团总支 → 计算机学院."""
    for pattern in _OWN_NAME:
        if found := pattern.fullmatch(name):
            return found[1]
    return name


def as_floating_branch(text: str) -> str:
    """A query with the floating branch's other names at its end replaced by 流动团员团支部 (O-07, K-04)."""
    return _OTHER_FLOATING.sub(FLOATING_BRANCH, text)


_PEOPLES = (
    "汉|蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|高山|拉祜|水|东乡|纳西|景颇"
    "|柯尔克孜|土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|乌孜别克|俄罗斯|鄂温克|德昂|保安|裕固|京"
    "|塔塔尔|独龙|鄂伦春|赫哲|门巴|珞巴|基诺|各"
)
_PLACE = re.compile(
    rf"(.{{2,}}?)(?:(?:(?:{_PEOPLES})族?)*自治[区州县旗]|(?:(?:{_PEOPLES})族)*(?:民族)?(?:乡|苏木)"
    r"|省|市|地区|盟|新区|区|县|旗|街道|街|镇)"
)


def place_name(own: str) -> str | None:
    """The name people say without the kind of place: 蜀山区 → 蜀山, 恩施土家族苗族自治州 → 恩施.

    Returns:
        None where nothing of at least two signs is left (和县).
    """
    found = _PLACE.fullmatch(own)
    return found[1] if found else None


_PLAIN = re.compile("[\u4e00-\u9fff]+")


def normalise(text: str) -> str:
    """The form in which names and queries are compared: half width, lower case, no blanks, no punctuation.

    Codes keep their hyphens, which tell 3401-040 from 340104-0.
    """
    if _PLAIN.fullmatch(text):
        return text
    text = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(sign for sign in text if sign.isalnum() or sign == "-").strip("-")
    return kept if looks_like_code(kept) else kept.replace("-", "")


_CODE = re.compile(r"[0-9]+(-[0-9]+)*")


def looks_like_code(text: str) -> bool:
    """Whether a normalised text can be an organisation code."""
    return _CODE.fullmatch(text) is not None


# What own_name leaves of FLOATING_BRANCH. Read apart, so that host and branch share the reading of the host's name.
_MEMBERS, _MEMBERS_INITIALS = "流动团员", "ldty"


def initials(text: str) -> str:
    """Pinyin initials (拼音首字母), one sign for each sign of the text: 重庆 → cq, 2022级1班 → 2022j1b.

    Args:
        text: a normalised name; what is no Chinese sign stays as it is.
    """
    if text.endswith(_MEMBERS):
        return pinyin.initials(text.removesuffix(_MEMBERS)) + _MEMBERS_INITIALS
    return pinyin.initials(text)


class Fit(IntEnum):
    """How a term stands for its organisation: the whole own name (or code), or the name from some sign on."""

    WHOLE = 0
    PART = 1


class Term(NamedTuple):
    """A text under which an organisation is found, by its beginning."""

    fit: Fit
    text: str


# In the name of a branch only these places start something a person would type; elsewhere every sign may.
_BREAK = re.compile(
    r"(?<=大学|学院|学校|中学|小学|公司|集团|专业|街道|社区|中心)(?=.)"
    r"|(?<=[系级届班镇乡村县区市部处局])(?=.)|(?<=[^0-9])(?=[0-9])|(?=流动团员$)"
)
# Signs of the shortest inner start worth an entry.
SHORTEST = 2


def _starts(own: str, *, branch: bool) -> Iterator[int]:
    last = len(own) - SHORTEST
    every = (found.start() for found in _BREAK.finditer(own)) if branch else range(last + 1)
    return (start for start in every if 0 < start <= last)


def search_terms(*, code: str, full_name: str, short_name: str, branch: bool = False) -> set[Term]:
    """Every text under which an organisation is found by keyword (O-19).

    The own name whole, without its kind of place, and from inner starts on; each in signs and as pinyin initials; and
    the code. A superior's name inside the full name is left out, because a search reaches it through the superior.

    Args:
        code: organisation code.
        full_name: 组织全称.
        short_name: 组织简称.
        branch: inner starts at natural breaks only (学院, 级, 专业 …), not at every sign.
    """
    terms = {Term(Fit.WHOLE, normalise(code))}
    own = normalise(own_name(short_name))
    whole = normalise(own_name(full_name))
    for name in (own,) if whole.endswith(own) else (own, whole):
        letters = initials(name)
        terms |= {Term(Fit.WHOLE, name), Term(Fit.WHOLE, letters)}
        if place := place_name(name):
            terms |= {Term(Fit.WHOLE, place), Term(Fit.WHOLE, letters[: len(place)])}
        for start in _starts(name, branch=branch):
            terms |= {Term(Fit.PART, name[start:]), Term(Fit.PART, letters[start:])}
    return terms
