#!/usr/bin/env bash
# id-validator 1.0.20 refuses a formally right identity number whose first six digits are those of a county-level city
# founded in 2021 (659012 新星市, Xinjiang), and reports districts that exist since 2021 (330113 临平区, Hangzhou) as
# abandoned, although it knows their names.
#
# Behaviour: is_valid() does not mean "date and check digit are right" but "and the table of
# divisions has the place"; whoever refuses members on it refuses people from newer counties.
# Output seen (the numbers are made up; dates and check digits are right):
#   340104 valid=True abandoned=0
#   659012 valid=False abandoned=None
#   330113 valid=True abandoned=1
# Exits 0 while this holds, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --disable-pip-version-check -q install id-validator==1.0.20
"$folder/venv/bin/python" - <<'PY'
from id_validator import validator

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(division):
    body = f"{division}20040314014"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS)) % 11]


found = {}
for division in ("340104", "659012", "330113"):
    valid = validator.is_valid(number(division))
    told = validator.get_info(number(division)) or {}
    found[division] = (valid, told.get("abandoned"))
    print(f"{division} valid={valid} abandoned={told.get('abandoned')}")
raise SystemExit(found != {"340104": (True, 0), "659012": (False, None), "330113": (True, 1)})
PY
