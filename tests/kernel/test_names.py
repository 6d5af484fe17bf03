"""One form of names, whoever typed them (PD-55). Pure."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.letters.printing.test_fonts import TABLE
from zhtj.kernel import names, pinyin
from zhtj.kernel.errors import DomainError
from zhtj.letters.printing import fonts

pytestmark = pytest.mark.rule("PD-55")

HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
DOTS = "·•‧・．∙⋅﹒･․᛫⸱.。"
ODD = st.sampled_from([*DOTS, *" \u3000\t\n\u200b\ufe0f'’`-—（）()、，;■□○?*1Ａａßİıǆ\u0301⻢⼩㈱王李阳é"])
TEXTS = st.text(st.one_of(HAN, ODD, st.characters()), max_size=12)


@given(TEXTS)
@example("L\u0301.王 李")
@example("\u1e9e\u00df")
@example("张三 李四")
def test_a_second_time_changes_nothing(text: str) -> None:
    name = names.tidy(text)
    assert names.tidy(name) == name
    assert names.key(name) == names.key(text)


@given(TEXTS)
def test_what_is_a_name_holds_nothing_else(text: str) -> None:
    name = names.tidy(text)
    if names.problem(name) is None:
        letters = name.replace(names.DOT, "").replace(" ", "").replace("-", "").replace("'", "")
        assert letters
        assert all(unicodedata.category(sign)[0] in {"L", "N", "C"} for sign in letters)
        assert unicodedata.is_normalized("NFKC", name)
        assert names.read(text) == name


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        *((f"吾买尔江{dot}托合提", "吾买尔江·托合提") for dot in DOTS),
        ("吾买尔江 • 托合提", "吾买尔江·托合提"),
        ("阿卜杜.买买提.吐尔逊", "阿卜杜·买买提·吐尔逊"),
        ("张 三", "张三"),
        ("张\u3000三", "张三"),
        ("王 小 明", "王小明"),
        ("欧阳 明月", "欧阳明月"),
        ("诸葛 亮", "诸葛亮"),
        (" 王\u200b五\ufeff", "王五"),
        ("⻢⼩⽟", "马小玉"),
        ("⻩⻰", "黄龙"),
        ("㇐㇑", "一丨"),
        ("\uf9d1\U0002f800", "六丽"),
        ("神\U000e0100", "神"),
        ("ZHANG  san", "Zhang San"),
        ("ＬＩ ＮＡ", "Li Na"),
        ("李 ANNA", "李Anna"),
        ("o’neil－smith", "O'Neil-Smith"),
        ("𬱖䶮", "𬱖䶮"),
    ],
)
def test_what_is_certain_becomes_one_form(typed: str, kept: str) -> None:
    assert names.tidy(typed) == kept


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("甘■禾", "■"),
        ("甘□禾", "□"),
        ("甘○禾", "○"),
        ("甘?禾", "?"),
        ("甘\ue000禾", "没有保存下来"),
        ("甘\ufffd禾", "没有保存下来"),
        ("鲍子墨（转专业）", "备注"),
        ("鲍子墨【转专业】", "备注"),
        ("卫一宁、岑以安", "两个人"),
        ("卫一宁，岑以安", "两个人"),
        ("卫一宁/岑以安", "两个人"),
        ("卫一宁 岑以安", "两个人"),
        ("张三\n李四", "两个人"),
        ("NULL", "不是姓名"),
        ("None", "不是姓名"),
        ("#N/A", "不是姓名"),
        ("无", "不是姓名"),
        ("", "没有填写"),
        ("\u200b", "没有填写"),
        ("吾买尔江·", "间隔号"),
        ("张-三", "符号"),
        ("-Li", "符号"),
        ("Иван", "И"),
        ("ﾄﾞ", "ド"),
    ],
)
def test_what_is_no_name_says_why(typed: str, says: str) -> None:
    with pytest.raises(DomainError, match=says if says.isalnum() else "姓名里有"):
        names.read(typed)
    found = names.problem(names.tidy(typed))
    assert found is not None
    assert says in found[0]
    assert found[1]


def test_the_folding_table_is_unicodes_own() -> None:
    """Every radical and stroke becomes a character of its own, none of them another radical."""
    for first, last in ((0x2E81, 0x2E99), (0x2E9B, 0x2EF3), (0x2F00, 0x2FD5)):
        for code in range(first, last + 1):
            name = names.tidy(f"王{chr(code)}")
            assert names.problem(name) is None, hex(code)
            assert not 0x2E80 <= ord(name[-1]) <= 0x2FDF, hex(code)


def test_every_official_character_and_whatever_the_typeface_draws_is_a_name() -> None:
    official = json.loads(TABLE.read_text(encoding="utf-8"))
    assert len(official) == 8105
    assert [sign for sign in official if names.read(f"王{sign}") != f"王{sign}"] == []

    drawn = [chr(code) for code in fonts.covered() if unicodedata.name(chr(code), "").startswith("CJK UNIFIED")]
    assert len(drawn) > len(official)
    assert [sign for sign in drawn if names.read(f"王{sign}") != f"王{sign}"] == []
    assert [sign for sign in official if not pinyin.initials(sign).isascii()] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("吾买尔江·托合提", "吾买尔江托合提"), ("LI NA", "li na"), ("张 三", "张三"), ("⻢超", "马超")],
)
def test_names_are_compared_by_their_letters(one: str, other: str) -> None:
    assert names.key(one) == names.key(other)


def test_a_part_after_the_dot_is_found_and_every_reading_of_a_surname() -> None:
    assert pinyin.of_person("吾买尔江·托合提") == "wmejtht"
    assert {"托合提", "tht", "吾买尔江托合提"} <= pinyin.person_terms("吾买尔江·托合提")
    assert pinyin.person_terms("张三") == set()
    assert pinyin.person_terms("长孙无忌") == {"cswj"}
    assert "na" in pinyin.person_terms("Li Na")


# With the initials of the usual reading: those that everyday words mislead about, then the commonest.
SURNAMES = (
    "单s 解x 仇q 曾z 翟z 查z 区o 乐y 种c 秘b 长孙zs 尉迟yc 万俟mq 单于cy 澹台tt 朴p 盖g 覃q "
    "员y 缪m 召s 燕y 任r 纪j 褚c 卜b 牟m 逄p 逯l 郗x 隗k 祭z 繁p 佴n 瞿q 折s "
    "尉w 车c 柏b 薄b 贾j 盛s 宿s 相x 乜n 宁n 句g 幺y 应y 华h 过g 谌c 沈s 重c "
    "郇x 都d 阚k 訾z 费f 葛g 仉z 亓q 厍s 宓m 眭s 妫g 颉x 贲b 行x 仝t 钭t 庹t "
    "令狐lh 皇甫hf 拓跋tb 夏侯xh 鲜于xy 呼延hy 诸葛zg 司马sm 上官sg 欧阳oy 慕容mr "
    "端木dm 赫连hl 闻人wr 东方df 公孙gs 轩辕xy 令l "
    "冼x 洗x 哈h 撒s 角j 王w 李l 张z 刘l 陈c 杨y 黄h 赵z 吴w 周z 徐x 孙s 马m "
    "朱z 胡h 郭g 何h 高g 林l 罗l 郑z 梁l 谢x 宋s 唐t 许x 韩h 冯f 邓d 曹c 彭p "
    "肖x 田t 董d 袁y 潘p 于y 蒋j 蔡c 余y 杜d 叶y 程c 苏s 魏w 吕l 丁d 姚y 卢l "
    "姜j 崔c 钟z 谭t 陆l 汪w 范f 金j 石s 廖l 夏x 韦w 付f 方f 白b 邹z 孟m 熊x "
    "秦q 邱q 江j 尹y 薛x 闫y 段d 雷l 侯h 龙l 史s 陶t 黎l 贺h 顾g 毛m 郝h 龚g "
    "邵s 万w 钱q 严y 武w 戴d 莫m 孔k 向x 汤t 温w 康k 施s 文w 牛n 樊f 邢x 安a "
    "齐q 易y 乔q 伍w 庞p 颜y 倪n 庄z 聂n 章z 鲁l 岳y 殷y 詹z 申s 耿g 关g 兰l "
    "焦j 俞y 左z 柳l 甘g 祝z 包b 尚s 符f 舒s 阮r 柯k 梅m 童t 凌l 毕b 季j 裴p "
    "霍h 涂t 成c 苗m 谷g 曲q 翁w 冉r 骆l 蓝l 路l 游y 辛x 靳j 管g 柴c 蒙m 鲍b "
    "喻y 祁q 蒲p 房f 滕t 屈q 饶r 尤y 阳y 时s 穆m 农n 司s 卓z 古g 吉j 简j 项x "
    "连l 芦l 麦m 娄l 窦d 戚q 岑c 景j 党d 宫g 冷l 晏y 席x 卫w 米m 宗z"
)


def test_two_hundred_surnames_have_their_initials() -> None:
    pairs = [re.fullmatch(r"([^a-z]+)([a-z]+)", word) for word in SURNAMES.split()]
    assert len(pairs) > 200
    wrong = {pair[0] for pair in pairs if pair and pinyin.of_person(f"{pair[1]}小红") != f"{pair[2]}xh"}
    assert wrong == set()
