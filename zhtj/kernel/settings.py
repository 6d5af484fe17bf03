"""Small settings of this installation that all its processes share."""

from __future__ import annotations

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from zhtj.kernel.database import Base, session

# How far the demonstration's clock runs ahead; fixed when it is loaded (PD-36).
CLOCK_OFFSET = "clock_offset_seconds"


class Setting(Base):
    """One named value, such as the offset of the demonstration's clock."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


def get(name: str, default: str = "") -> str:
    """The value of a setting."""
    row = session.get(Setting, name)
    return row.value if row else default


def put(name: str, value: str) -> None:
    """Write a setting; flushes, does not commit."""
    session.merge(Setting(name=name, value=value))
    session.flush()
