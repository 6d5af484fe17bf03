#!/usr/bin/env bash
# python-calamine 0.9.1 gives the same empty text for a cell that is empty, for a cell that holds an error such as
# #N/A, and for a formula whose value was never stored; nothing in its result tells the three apart.
#
# Behaviour: a roster whose look-up failed in the spreadsheet program arrives with "missing" values instead of errors.
# Files written by programs that do not calculate (openpyxl among them) lose every formula column without a word.
# Output seen:
#   [['姓名', '学号', '入团年月'], ['丁一', '', '2019-05'], ['', 'x', '']]
#   B2 is a formula without a stored value, A3 the error #N/A, C3 is empty
# Exits 0 while this holds, 1 once they can be told apart.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --disable-pip-version-check -q install python-calamine==0.9.1 openpyxl==3.1.5
cd "$folder"
venv/bin/python - <<'PY'
import openpyxl
from python_calamine import CalamineWorkbook

book = openpyxl.Workbook()
sheet = book.active
for row in (["姓名", "学号", "入团年月"], ["丁一", "=1+1", "2019-05"], ["#N/A", "x", None]):
    sheet.append(row)
assert sheet["A3"].data_type == "e", "openpyxl stores #N/A as an error"
book.save("roster.xlsx")
rows = CalamineWorkbook.from_path("roster.xlsx").get_sheet_by_index(0).to_python()
print(rows)
print("B2 is a formula without a stored value, A3 the error #N/A, C3 is empty")
raise SystemExit(rows != [["姓名", "学号", "入团年月"], ["丁一", "", "2019-05"], ["", "x", ""]])
PY
