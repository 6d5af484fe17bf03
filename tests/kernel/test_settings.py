"""Small facts that all processes of an installation share."""

from __future__ import annotations

from sqlalchemy import func, select

from zhtj.kernel import settings


def test_a_setting_is_kept_and_replaced(session) -> None:
    assert settings.get("colour") == ""
    assert settings.get("colour", "none") == "none"
    settings.put("colour", "red")
    settings.put("colour", "blue")
    session.expire_all()
    assert settings.get("colour", "none") == "blue"
    assert session.scalar(select(func.count()).where(settings.Setting.name == "colour")) == 1


def test_an_empty_value_is_a_value(session) -> None:
    settings.put("colour", "")
    session.expire_all()
    assert settings.get("colour", "none") == ""
