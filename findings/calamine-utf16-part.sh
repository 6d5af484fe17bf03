#!/usr/bin/env bash
# python-calamine 0.9.1 reads a sheet of an xlsx whose part is written in UTF-16, which the format allows, as a sheet
# without any cell, and says nothing.
#
# Behaviour: a list arrives empty. If every part is in UTF-16 the file is refused instead ("Cannot detect file format").
# Output seen:
#   in UTF-8  [['姓名', '学号']]
#   in UTF-16 []
# Exits 0 while this holds, 1 once the cells arrive or the file is refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --disable-pip-version-check -q install python-calamine==0.9.1 xlsxwriter==3.3.1
cd "$folder"
venv/bin/python - <<'PY'
import zipfile

import xlsxwriter
from python_calamine import CalamineWorkbook

book = xlsxwriter.Workbook("one.xlsx")
book.add_worksheet().write_row(0, 0, ["姓名", "学号"])
book.close()
with zipfile.ZipFile("one.xlsx") as one, zipfile.ZipFile("two.xlsx", "w") as two:
    for name in one.namelist():
        content = one.read(name)
        if name == "xl/worksheets/sheet1.xml":
            content = content.decode().replace("UTF-8", "UTF-16").encode("utf-16")
        two.writestr(name, content)
right = CalamineWorkbook.from_path("one.xlsx").get_sheet_by_index(0).to_python()
wrong = CalamineWorkbook.from_path("two.xlsx").get_sheet_by_index(0).to_python()
print("in UTF-8 ", right)
print("in UTF-16", wrong)
raise SystemExit(not (right == [["姓名", "学号"]] and not any(wrong)))
PY
