"""The columns of the files that are imported; read by the parsers, the templates and the export alike."""

from __future__ import annotations

from zhtj.cases.kinds.retention import INSTRUCTIONS, PLANS, SHEET
from zhtj.graduation.destinations import LABELS
from zhtj.graduation.liaisons import TITLE as LIAISONS_TITLE
from zhtj.graduation.models import LONGEST_NAME, LiaisonRole
from zhtj.imports.files.fixed_values import ETHNICITIES
from zhtj.imports.files.tables import Layout, LayoutColumn
from zhtj.orgs.models import CATEGORY_LABELS, INDUSTRIES_COMMITTEE, Category

NAME, ID_NUMBER, MOBILE, SEX, ETHNICITY = "姓名", "身份证号码", "手机号码", "性别", "民族"
JOINED, DEV_NUMBER, BRANCH = "入团年月", "发展团员编号", "所在团支部"
STUDENT_NO, MAJOR, DEGREE, POLITICAL = "学号", "专业", "学历", "政治面貌"
HOUSEHOLD, ORIGIN, RESIDENCE = "户籍所在地", "生源地", "居住地"
EMERGENCY_NAME, EMERGENCY_PHONE, DUES = "紧急联系人", "紧急联系电话", "团费交至"

ROSTER = Layout(
    "团员花名册",
    (
        LayoutColumn(NAME, required=True, identifying=True, width=60),
        LayoutColumn(ID_NUMBER, required=True, identifying=True, width=18),
        LayoutColumn(MOBILE, required=True, identifying=True, width=11),
        LayoutColumn(SEX, choices=("男", "女")),
        LayoutColumn(ETHNICITY, width=20, choices=ETHNICITIES),
        LayoutColumn(JOINED, width=7),
        LayoutColumn(DEV_NUMBER, identifying=True, width=12),
        LayoutColumn(BRANCH, required=True, width=120),
        LayoutColumn(STUDENT_NO, identifying=True, width=30),
        LayoutColumn(MAJOR, width=60),
        LayoutColumn(DEGREE, width=20, choices=("博士研究生", "硕士研究生", "本科", "专科", "高中", "中专", "初中")),
        LayoutColumn(POLITICAL, width=20, choices=("共青团员", "中共预备党员", "中共党员")),
        LayoutColumn(HOUSEHOLD),
        LayoutColumn(ORIGIN),
        LayoutColumn(RESIDENCE),
        LayoutColumn(EMERGENCY_NAME, width=60),
        LayoutColumn(EMERGENCY_PHONE, width=20),
        LayoutColumn(DUES, width=7),
    ),
    (
        "带 * 的列必须填写。所在团支部填写系统内的全称（也可填写组织编码）。",
        "入团年月写成 2019-05 或 2019年5月；2017 年及以后入团的必须填写 12 位发展团员编号。",
    ),
)

PARENT, FULL_NAME, SHORT_NAME, CATEGORY, INDUSTRY = "上级组织", "组织全称", "组织简称", "组织类别", "单位所属行业类别"
SECRETARY, SECRETARY_MOBILE, PHONE = "书记姓名", "书记手机", "联系电话"
ADDRESS, POSTCODE, CODE, GRADUATION = "通讯地址", "邮编", "组织编码", "毕业时间"

CATEGORIES = {label: category for category, label in CATEGORY_LABELS.items()}

ORGANISATIONS = Layout(
    "团组织",
    (
        LayoutColumn(PARENT, required=True),
        LayoutColumn(FULL_NAME, required=True, identifying=True),
        LayoutColumn(SHORT_NAME, required=True, identifying=True, width=80),
        LayoutColumn(
            CATEGORY,
            required=True,
            choices=tuple(label for label, one in CATEGORIES.items() if one is not Category.GRADUATES),
        ),
        LayoutColumn(INDUSTRY, width=20, choices=INDUSTRIES_COMMITTEE),
        LayoutColumn(SECRETARY, width=60),
        LayoutColumn(SECRETARY_MOBILE, width=11),
        LayoutColumn(PHONE, width=40),
        LayoutColumn(ADDRESS),
        LayoutColumn(POSTCODE, width=6),
        LayoutColumn(CODE, identifying=True, width=64),
        LayoutColumn(GRADUATION, width=7),
    ),
    (
        "带 * 的列必须填写。上级组织填写全称或组织编码，可以是本表其他行的组织。",
        "毕业时间只填团支部，写成 2026-06；组织编码可留空，由系统编号。",
    ),
)

DESTINATION = LABELS["reason"]

DESTINATIONS = Layout(
    "毕业去向登记",
    (
        LayoutColumn(NAME, required=True, identifying=True, width=60),
        LayoutColumn(ID_NUMBER, identifying=True, width=18),
        LayoutColumn(STUDENT_NO, identifying=True, width=30),
        LayoutColumn(
            DESTINATION,
            required=True,
            width=40,
            choices=(
                "升学",
                "校内专升本",
                "已落实工作单位（单位有团组织）",
                "已落实工作单位（单位无团组织）",
                "转往特殊单位（参军入伍/涉密）",
                "未落实就业去向",
                "因公出国（境）",
                "因私出国（境）",
                "其他",
            ),
        ),
        LayoutColumn(LABELS["unit_name"]),
        LayoutColumn(LABELS["address"]),
        LayoutColumn(LABELS["township"]),
        LayoutColumn(LABELS["household"]),
        LayoutColumn(LABELS["residence"]),
        LayoutColumn(LABELS["parents_residence"]),
        LayoutColumn(LABELS["mobile"], width=20),
    ),
    (
        "带 * 的列必须填写；身份证号码和学号至少填一项，用来找到本人。",
        "每人一行，再次导入会更新原来登记的内容；已完成转接的不再更改。",
    ),
)

COLLEGE, OLD_BRANCH = "学院", "转出团支部"
LEADER, LEADER_PHONE = "学社衔接工作负责人姓名（师生均可）", "学社衔接工作负责人联系方式"
LEAVER, LEAVER_PHONE = "转出人姓名", "转出人常用联系方式"
LIAISON_NAMES = {role: f"{role.label}姓名" for role in LiaisonRole}
LIAISON_PHONES = {role: f"{role.label}联系电话" for role in LiaisonRole}

LIAISONS = Layout(
    LIAISONS_TITLE,
    (
        LayoutColumn(COLLEGE, required=True, identifying=True),
        *(
            column
            for role in LiaisonRole
            for column in (
                LayoutColumn(LIAISON_NAMES[role], required=True, width=LONGEST_NAME),
                LayoutColumn(LIAISON_PHONES[role], required=True, width=20),
            )
        ),
    ),
    (
        "带 * 的列必须填写，每个学院一行。学院填写系统内的全称，也可填写简称或组织编码。",
        "三名负责人都要填写姓名和电话；还没有确定的学院可以先留空。从“学社衔接负责人”导出的表可以直接导入。",
    ),
)

WHY_KEPT, PLAN, REMARK = "转接原因", "转出人毕业去向", "备注"

FLOATING = Layout(
    SHEET,
    (
        LayoutColumn(COLLEGE, required=True),
        LayoutColumn(OLD_BRANCH, required=True, width=120),
        LayoutColumn(LEADER, required=True, width=60),
        LayoutColumn(LEADER_PHONE, required=True, width=40),
        LayoutColumn(LEAVER, required=True, identifying=True, width=60),
        LayoutColumn(LEAVER_PHONE, required=True, identifying=True, width=20),
        LayoutColumn(WHY_KEPT, required=True, width=300),
        LayoutColumn(PLAN, required=True, width=20, choices=tuple(label for _, label in PLANS)),
        LayoutColumn(REMARK, width=300),
    ),
    INSTRUCTIONS[1:],
)
"""F-01: exactly the document's columns, in its order; no sign is added to a heading."""
