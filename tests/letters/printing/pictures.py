"""Draws the sample letters for people to look at: ``python -m tests.letters.printing.pictures`` (needs pdftoppm).

The pictures lie beside it; whoever changes the template draws them anew, looks, and commits them with the change.
"""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

from PIL import Image

from tests.letters.printing.test_forms import F07, F08, POLICY
from tests.letters.samples import ALL, LONG, ORDINARY, SITE
from tests.letters.test_seals import stamp
from zhtj.letters.printing import forms
from zhtj.letters.printing.chart import chart
from zhtj.letters.printing.render import render_letter

FOLDER = Path(__file__).parent / "pictures"
HOW = ("pdftoppm", "-r", "100", "-gray", "-png", "-singlefile", "-")
GREYS = 8  # enough for print, and a third of the size


def main() -> None:
    """Write one picture a sample."""
    FOLDER.mkdir(exist_ok=True)
    sheets = {name: render_letter(record, site=SITE) for name, record in ALL.items()}
    sheets["sealed"] = render_letter(LONG, site=SITE, seal=stamp())
    sheets["member"] = render_letter(ORDINARY, site=SITE, seal=stamp(), with_stub=False)
    sheets["sample"] = render_letter(ORDINARY, site=SITE, sample=True)
    sheets |= {"f07": forms.signed_paper(F07), "f08": forms.signed_paper(F08)}
    sheets["chart"] = forms.direction_chart(chart(POLICY), POLICY.season, "全国 2026")
    for name, pdf in sheets.items():
        drawn = subprocess.run(HOW, input=pdf, check=True, capture_output=True).stdout
        Image.open(io.BytesIO(drawn)).quantize(GREYS).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
