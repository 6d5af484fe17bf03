"""The contracts of the imports hold: floors, purity, no circle between rooms or inside one."""

from __future__ import annotations

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from zhtj.config import ROOT


@pytest.mark.slow("reads the imports of every module")
def test_every_contract_of_the_imports_is_kept(capsys):
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), is_debug_mode=False, show_timings=False)

    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out
