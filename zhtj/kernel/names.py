"""Names of people: one form everywhere, whoever typed them and wherever (PD-55). Pure.

A name holds Han characters with the middle dot between its parts, or Latin letters, now and then both. ``tidy`` makes
that form of what is certain, ``problem`` says why something is no name, ``key`` is what names are compared by.
"""

from __future__ import annotations

import re
import unicodedata

from zhtj.kernel.errors import DomainError

DOT = "·"
LONGEST = 60
_AS_ON_CARD = "请按身份证填写。"
_FIX_TWO = "一格只写一个人。"

# Dots that stand for the one between the parts of a name; the full stops count only between two such parts.
_DOTS = dict.fromkeys(
    "\u0387\u1427\u16eb\u2022\u2024\u2027\u2219\u22c5\u25e6\u2981\u2e31\u2e33\u30fb\ua78f\ufe52\uff65", DOT
)
_DOTS |= dict.fromkeys("\u02d9\u2218\u26ac\U00010101", DOT)
_APOSTROPHES = dict.fromkeys("\u2018\u2019\u201b\u02bc\u02bb\u02b9\u2032\u00b4\u0060\uff07", "'")
_HYPHENS = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-")
# Radicals and strokes that Unicode calls equivalent to a character without saying so in NFKC.
_RADICALS = (
    "⺁⺂⺃⺄⺅⺆⺇⺈⺉⺊⺋⺌⺍⺎⺏⺐⺑⺒⺓⺔⺕⺖⺗⺘⺙⺛⺜⺝⺞⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩⺪⺫⺬⺭⺮⺯⺰⺱⺲⺳⺴⺵⺶⺷⺸⺹⺺⺻⺼⺽⺾⺿⻀⻁⻂⻃⻄"
    "⻅⻆⻇⻈⻉⻊⻋⻌⻍⻎⻏⻐⻑⻒⻓⻔⻕⻖⻗⻘⻙⻚⻛⻜⻝⻞⻟⻠⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲㇆㇏㇐㇑㇒㇓㇔㇕㇖㇗㇘㇙㇚㇛㇜㇝㇞㇟㇠㇡"
)
_CHARACTERS = (
    "厂乛乚乙亻冂𠘨刀刂卜㔾小尐兀尣尢𡯂巳幺彑彐忄心扌攵旡日月歺民氵氺灬爫爬丬牛犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂肀聿肉𦥑艹艺艻虎衤覀西"
    "见角𧢲讠贝𧾷车辶辷辸邑钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀𠃌乀一丨丿乀丶𠃍乛𠃊𠃎𠄌亅𡿨𠃋乀𠃑乚乙𠄎"
)
_ALIKE = str.maketrans(_DOTS | _APOSTROPHES | _HYPHENS | dict(zip(_RADICALS, _CHARACTERS, strict=True)))
# Neither seen nor part of a name: controls, marks of direction, joiners, selectors of a variant.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\ufa0e-\ufa29\U00020000-\U0002f7ff\U0002fa20-\U0003fffd"
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_PLAIN = re.compile("[\u4e00-\u9fff]+")  # nearly all names are, and there are many
_STOP = re.compile(rf"(?<=[^\W\d_{_LATIN}])\s*[.。]+\s*(?=[^\W\d_{_LATIN}])")
_AROUND_DOT = re.compile(rf"\s*{DOT}[\s{DOT}]*")
_AROUND_JOINT = re.compile(r"\s*([-'])\s*")
_HAS_LATIN = re.compile(f"[{_LATIN}]")
_WORD = re.compile(f"[{_LATIN}]+")
# A dot stands between any two letters; a blank, a hyphen, an apostrophe between Latin ones alone.
_IS_NAME = re.compile(rf"[{_HAN}{_LATIN}](?:(?:{DOT}|(?<=[{_LATIN}])[ '-](?=[{_LATIN}]))?[{_HAN}{_LATIN}])*")
_BESIDE_HAN = re.compile(rf"(?<=[{_HAN}]) | (?=[{_HAN}])")
_REMARK = re.compile(r"[()\[\]{}<>〈〉《》【】〔〕「」『』]")
_SEVERAL = re.compile(r"[、，,;；/\\|&+\n]")
_LOST = re.compile(r"[0-9?*#@_=~%^$□■○●◇◆△▲▢▣◯◻◼☐〓×✕\ufffc\ufffd\ue000-\uf8ff\U000f0000-\U0010fffd]")
_NOTHING = frozenset(
    {
        "null",
        "(null)",
        "none",
        "nil",
        "nan",
        "n/a",
        "#n/a",
        "undefined",
        "无",
        "暂无",
        "没有",
        "不详",
        "未知",
        "待定",
        "空",
    }
)
# With which names begin: two words that both do so are two people, not one name with a blank in it.
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付"
    "方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳"
    "甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄"
    "窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)
DOUBLE_SURNAMES = frozenset(
    re.findall(
        "..",
        "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶太叔申屠公孙慕容仲孙"
        "钟离长孙宇文司徒鲜于司空令狐单于淳于呼延百里东郭西门第五完颜纳兰轩辕拓跋",
    )
)


def tidy(text: str) -> str:
    """A name as it is stored and looked for; what is not certain stays, for ``problem`` to name.

    Dots of all kinds become the middle dot, compatibility characters and radicals the ordinary ones; no blanks in a
    Chinese name, single ones between Latin words, whose first letters are capitals.
    """
    if _PLAIN.fullmatch(text):
        return text
    while (better := _better(text)) != text:
        text = better
    return text


def _better(text: str) -> str:
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text).translate(_ALIKE)).translate(_ALIKE)
    text = _AROUND_DOT.sub(DOT, _STOP.sub(DOT, text))
    if not _HAS_LATIN.search(text):
        words = text.split()
        return (" " if _are_people(words) else "").join(words)
    text = _BESIDE_HAN.sub("", " ".join(_AROUND_JOINT.sub(r"\1", text).split()))
    return _WORD.sub(lambda found: _capital(found[0]), text)


def several(text: str) -> bool:
    """Whether a text is two names or more with blanks between them: 张三 李四, but not 张 三 and not 欧阳 明月."""
    return _are_people(tidy(text).split())


def _are_people(words: list[str]) -> bool:
    """Whether each of several words looks like a whole name."""
    shortest, longest = 2, 4
    return (
        len(words) > 1
        and words[0] not in DOUBLE_SURNAMES
        and all(
            shortest <= len(word) <= longest and (word[0] in _SURNAMES or word[:2] in DOUBLE_SURNAMES) for word in words
        )
    )


def _capital(word: str) -> str:
    """Zhang of ZHANG and zhang; a letter whose other case is no single letter stays."""
    turned = [word[0].upper(), *map(str.lower, word[1:])]
    return "".join(new if len(new) == 1 else old for old, new in zip(word, turned, strict=True))


def problem(name: str) -> tuple[str, str] | None:
    """Why this is no name and what to write instead; None if it is one (PD-55).

    Args:
        name: as ``tidy`` left it.
    """
    if not name or name.casefold() in _NOTHING:
        return (f"“{name}”不是姓名。" if name else "没有填写姓名。"), _AS_ON_CARD
    if _IS_NAME.fullmatch(name):
        return None
    if _REMARK.search(name):
        return "姓名里有括号和备注。", "请只写姓名，备注写在别的列。"
    if found := _LOST.search(name):
        return f"姓名里有“{found[0]}”，可能有字没有保存下来。", _AS_ON_CARD
    if _SEVERAL.search(name) or _are_people(name.split()):
        return "这里像是写了两个人。", _FIX_TWO
    return _unusual(name)


def _unusual(name: str) -> tuple[str, str]:
    if DOT in name and re.fullmatch(f"[{DOT}{_HAN}]+", name):
        return "姓名里的间隔号前后都要有字，可能有字没有保存下来。", _AS_ON_CARD
    for sign in name:
        if not re.fullmatch(f"[{DOT}{_HAN}{_LATIN} '-]", sign):
            return f"姓名里有“{sign}”。", "姓名由汉字和间隔号组成，或由拉丁字母组成。请按身份证填写。"
    return "姓名里的符号不在两个字之间。", _AS_ON_CARD


def read(text: str, *, field: str = "name") -> str:
    """The name in the form in which it is stored.

    Args:
        text: as typed.
        field: of the form, for the error.

    Raises:
        DomainError: it is none (PD-55).
    """
    name = tidy(text)
    if found := problem(name):
        raise DomainError(found[0], fix=found[1], field=field, rule="PD-55")
    if len(name) > LONGEST:
        raise DomainError(f"姓名最多 {LONGEST} 个字。", fix=_AS_ON_CARD, field=field, rule="PD-55")
    return name


def key(text: str) -> str:
    """What names are compared by: letters alone, whatever stands between them, capital or small."""
    plain = tidy(text)
    return plain if _PLAIN.fullmatch(plain) else "".join(sign for sign in plain.casefold() if sign.isalnum())


def parts(name: str) -> list[str]:
    """The parts of a name: on both sides of a dot, of a blank, of a hyphen."""
    return [part for part in re.split(rf"[{DOT} -]", name) if part]
