#!/usr/bin/env bash
# import-linter 2.16, called from Python (importlinter.cli.lint_imports, the function behind its command), switches off
# every logger that exists at that moment: it configures logging and leaves "disable existing loggers" at its default.
#
# Behaviour: a test suite that checks its architecture in its own process finds, in whatever tests run afterwards, that
# nothing is logged any more; run alone, those tests pass. A process of its own for the linter avoids it.
# Output seen:
#   before: disabled=False
#   after:  disabled=True
# Exits 0 while this holds, 1 once the logger survives.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --disable-pip-version-check -q install import-linter==2.16
cd "$folder"
mkdir house
touch house/__init__.py house/door.py house/kernel.py
printf '[importlinter]\nroot_package = house\n\n[importlinter:contract:floors]\nname = floors\ntype = layers\nlayers =\n    house.door\n    house.kernel\n' > .importlinter
PYTHONPATH=. venv/bin/python - <<'PY'
import contextlib
import io
import logging

from importlinter.cli import lint_imports

logger = logging.getLogger("the.application")
before = logger.disabled
with contextlib.redirect_stdout(io.StringIO()):
    status = lint_imports(config_filename=".importlinter")
assert status == 0, "the contract is kept"
print(f"before: disabled={before}")
print(f"after:  disabled={logger.disabled}")
raise SystemExit((before, logger.disabled) != (False, True))
PY
