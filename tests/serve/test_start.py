"""What ends the start before it has begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhtj.serve.__main__ import main


def test_a_wrong_setting_is_wrong_use(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(Path.cwd())  # the command goes to the project's folder
    monkeypatch.setenv("ZHTJ_ENV", "nowhere")
    assert main([]) == 2
    assert "ZHTJ_ENV" in capsys.readouterr().out
