"""Draws the sample letters for people to look at: ``python -m tests.letters.pictures`` (needs pdftoppm).

The pictures lie beside it; whoever changes the template draws them anew, looks, and commits them with the change.
"""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

from PIL import Image

from tests.letters.samples import ALL, SITE
from zhtj.letters.render import render_letter

FOLDER = Path(__file__).parent / "pictures"
HOW = ("pdftoppm", "-r", "100", "-gray", "-png", "-singlefile", "-")
GREYS = 8  # enough for print, and a third of the size


def main() -> None:
    """Write one picture a sample."""
    FOLDER.mkdir(exist_ok=True)
    for name, record in ALL.items():
        pdf = render_letter(record, site=SITE)
        drawn = subprocess.run(HOW, input=pdf, check=True, capture_output=True).stdout
        Image.open(io.BytesIO(drawn)).quantize(GREYS).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
