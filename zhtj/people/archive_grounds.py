"""团籍: why a record is archived, and what ends or suspends a membership (PD-06, PD-13, D-21, D-22, U-24)."""

from __future__ import annotations

# Keys of grounds, as the decisions that archive write them.
GROUNDS = {
    "entry_error": "录入错误",
    "merged": "重复建档，已合并",
    "death": "去世",
    "moved": "已转入北京、广东、福建系统",
    "over_age": "超龄离团",
    "removed": "除名",
    "left": "自行脱团，除名",
}


def ground_label(ground: str | None) -> str:
    """Why a record is archived, in words; "" for one that is not, or from before grounds were kept."""
    return GROUNDS.get(ground or "", "")
