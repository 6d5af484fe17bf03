"""The contracts of the imports hold: floors, purity, no circle between rooms or inside one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from zhtj.config import ROOT


@pytest.mark.slow("reads the imports of every module")
def test_every_contract_of_the_imports_is_kept():
    # A process of its own: the linter switches off every logger of the one it runs in
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
