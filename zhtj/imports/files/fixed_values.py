"""What stands in a column with a fixed list, as others write it: codes of the national standards, usual short words.

A value that can only mean one of the list is folded into it; one that may mean several is asked about, once for the
file; what is not here is a wrong value. ``fold`` and ``possible`` are all that rules and pages need.
"""

from __future__ import annotations

import re

from zhtj.imports.files.cells import key

_POLITICAL: dict[str, tuple[str, ...]] = {
    "共青团员": ("团员", "共青团", "中国共产主义青年团团员", "共产主义青年团团员", "03"),
    "中共预备党员": ("预备党员", "中国共产党预备党员", "02"),
    "中共党员": ("党员", "正式党员", "中共正式党员", "中国共产党党员", "01"),
}
_SEX: dict[str, tuple[str, ...]] = {
    "男": ("男性", "男生", "1", "m", "male"),
    "女": ("女性", "女生", "2", "f", "female"),
}
_DEGREE: dict[str, tuple[str, ...]] = {
    "博士研究生": ("博士", "博士生", "博士研究生毕业", "博士生毕业", "博士研究生在读"),
    "硕士研究生": ("硕士", "硕士生", "研究生", "硕士研究生毕业", "硕士生毕业", "硕士研究生在读"),
    "本科": ("大学本科", "本科生", "本科生毕业", "大学本科毕业", "普通本科", "本科在读", "第二学士学位毕业", "专升本"),
    "专科": (
        "大专",
        "大学专科",
        "专科生",
        "专科生毕业",
        "大学专科毕业",
        "高职",
        "高职高专",
        "高职（专科）",
        "专科在读",
    ),
    "高中": ("普通高中", "普高", "高中生", "高中毕业", "高中在读"),
    "中专": ("中等专科", "中职", "中等职业", "中专毕业", "中技", "技校"),
    "初中": ("初级中学", "初中毕业", "初中生", "初中在读"),
}
_EMPLOYED = ("已落实工作单位（单位有团组织）", "已落实工作单位（单位无团组织）")
_ABROAD = ("因公出国（境）", "因私出国（境）")
_SPECIAL = "转往特殊单位（参军入伍/涉密）"
_DESTINATION: dict[str, tuple[str, ...]] = {
    "升学": ("境内升学", "国内升学", "考研升学", "研究生", "硕士研究生", "第二学士学位", "升学（研究生）"),
    "未落实就业去向": (
        "待就业",
        "未就业",
        "求职中",
        "拟参加公招考试",
        "不就业拟升学",
        "其他暂不就业",
        "暂不就业",
        "未落实",
    ),
    _SPECIAL: ("应征义务兵", "参军入伍", "参军", "入伍", "转往特殊单位", "涉密单位"),
}
_CATEGORY: dict[str, tuple[str, ...]] = {
    "团的领导机关": ("领导机关", "团领导机关"),
    "团委": ("基层团委", "基层团的委员会", "委员会", "团的委员会", "基层委员会"),
    "团工委": ("基层团工委", "工委", "团的工作委员会", "工作委员会"),
    "团总支": ("总支", "总支部", "团总支部", "团的总支部", "总支部委员会", "团总支部委员会"),
    "团支部": ("支部", "团的支部", "支部委员会", "团支部委员会", "班级团支部", "基层团支部"),
}
_INDUSTRY: dict[str, tuple[str, ...]] = {
    "党政机关": ("机关", "机关单位", "国家机关", "政府机关"),
    "事业单位（不含公立学校）": ("事业单位", "事业", "事业单位（不含学校）"),
    "普通高等院校": ("普通本科院校", "本科院校", "本科高校", "普通本科高校", "大学"),
    "高等职业（专科）院校": (
        "高职",
        "高职院校",
        "高职高专",
        "高职高专院校",
        "高等职业院校",
        "专科院校",
        "高等专科学校",
    ),
    "普通高中": ("高中", "普高", "高级中学"),
    "中等职业院校": (
        "中职",
        "中职学校",
        "中等职业学校",
        "职高",
        "职业高中",
        "中专",
        "技校",
        "技工学校",
        "中等专业学校",
    ),
    "完全中学": ("完中",),
    "初级中学": ("初中",),
    "九年一贯制学校": ("九年一贯制", "九年制学校"),
    "十二年一贯制学校": ("十二年一贯制", "十二年制学校"),
    "国有企业": ("国企", "国有单位", "国有及国有控股企业"),
    "集体企业": ("集体所有制企业",),
    "非公企业": ("非公", "非公有制企业", "民营企业", "民企", "私营企业", "私企", "外资企业", "外企"),
    "社会组织": ("社会团体", "民办非企业单位", "基金会", "社会服务机构"),
    "城市社区": ("社区", "城镇社区", "街道社区"),
    "农村": ("村", "行政村", "建制村"),
}
_PLAN: dict[str, tuple[str, ...]] = {
    "继续准备升学": ("准备升学", "继续升学", "考研", "二战考研", "准备考研", "继续考研", "继续备考"),
    "继续准备就业": ("准备就业", "继续就业", "待就业", "求职", "求职中", "找工作", "准备求职", "考公", "准备考公"),
    "其他（请填写备注）": ("其他", "其它"),
}
# In the order of GB/T 3304: the position is the code.
_PEOPLES = "".join(
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇 "
    "柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 "
    "塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
).split()
ETHNICITIES = (*(f"{name}族" for name in _PEOPLES), "穿青人", "其他", "外国血统中国籍人士")
_ETHNICITY: dict[str, tuple[str, ...]] = {
    f"{name}族": (name, f"{number:02}", str(number)) for number, name in enumerate(_PEOPLES, start=1)
} | {
    "穿青人": ("穿青人族", "穿青族"),
    "其他": ("其他未识别民族", "未识别民族", "97"),
    "外国血统中国籍人士": ("98", "入籍"),
}
_FOLDED: dict[str, dict[str, tuple[str, ...]]] = {
    "民族": _ETHNICITY,
    "政治面貌": _POLITICAL,
    "性别": _SEX,
    "学历": _DEGREE,
    "毕业去向类别": _DESTINATION,
    "组织类别": _CATEGORY,
    "单位所属行业类别": _INDUSTRY,
    "转出人毕业去向": _PLAN,
}
# Which of ours it is, the words do not tell.
_ASKED: dict[str, dict[str, tuple[str, ...]]] = {
    "单位所属行业类别": {
        **dict.fromkeys(("高校", "高等学校", "高等院校", "普通高校"), ("普通高等院校", "高等职业（专科）院校")),
        "中学": ("普通高中", "完全中学", "初级中学"),
        "企业": ("国有企业", "集体企业", "非公企业"),
    },
    "毕业去向类别": {
        **dict.fromkeys(
            (
                "签就业协议形式就业",
                "签劳动合同形式就业",
                "其他录用形式就业",
                "就业",
                "已就业",
                "协议就业",
                "合同就业",
                "科研助理、管理助理",
                "科研助理",
                "管理助理",
                "国家基层项目",
                "地方基层项目",
                "自主创业",
                "自由职业",
            ),
            (*_EMPLOYED, "未落实就业去向", "其他"),
        ),
        **dict.fromkeys(
            ("出国、出境", "出国出境", "出国（境）", "出国", "出境", "境外升学", "国（境）外升学"), _ABROAD
        ),
        **dict.fromkeys(("专科升普通本科", "专升本", "升本"), ("升学", "校内专升本")),
    },
}
_LEADING_ZERO = re.compile(r"[1-9]")


def _same(words: str) -> str:
    return key(words).lower()


_BY_WORDS = {
    column: {_same(words): value for value, many in values.items() for words in (value, *many)}
    for column, values in _FOLDED.items()
}
_SEVERAL = {column: {_same(words): values for words, values in many.items()} for column, many in _ASKED.items()}


def known(column: str) -> dict[str, str]:
    """Every word, as it is compared, with the value of the column's fixed list that it means."""
    return _BY_WORDS.get(column, {})


def fold(column: str, words: str) -> str | None:
    """The value of the column's fixed list that the words can only mean; None if there is none."""
    same = _same(words)
    if column == "政治面貌" and _LEADING_ZERO.fullmatch(same):  # a number has lost its zero
        same = f"0{same}"
    return known(column).get(same)


def possible(column: str, words: str) -> tuple[str, ...]:
    """Several values of the fixed list that the words may mean; none if they mean one, or nothing known."""
    return _SEVERAL.get(column, {}).get(_same(words), ())
