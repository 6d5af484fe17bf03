#!/usr/bin/env bash
# Pillow 13.0.0 drops the Exif data of a JPEG picture when it is opened and saved again, as everybody expects, but
# carries the picture's comment over: even through a change of colour mode, without being asked.
#
# Behaviour: "decode and write anew" does not free an uploaded photograph of what its camera or editor wrote into the
# comment. A fresh image of the same size, into which the pixels are pasted, does.
# Output seen:
#   saved again: exif=False comment=b'taken at the office'
#   converted:   exif=False comment=b'taken at the office'
#   pasted:      exif=False comment=None
# Exits 0 while this holds, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --disable-pip-version-check -q install pillow==13.0.0
"$folder/venv/bin/python" - <<'PY'
import io

from PIL import Image


def stored(image, **more):
    target = io.BytesIO()
    image.save(target, "JPEG", **more)
    return io.BytesIO(target.getvalue())


def seen(source):
    image = Image.open(source)
    return bool(image.getexif()), image.info.get("comment")


def show(how, source):
    exif, comment = seen(source)
    print(f"{how:<12} exif={exif} comment={comment}")
    return exif, comment


first = Image.new("RGB", (40, 30), "white")
exif = first.getexif()
exif[0x013B] = "somebody"
original = stored(first, exif=exif, comment=b"taken at the office")
assert seen(original) == (True, b"taken at the office")
pasted = Image.new("RGB", (40, 30))
pasted.paste(Image.open(original))
found = [
    show("saved again:", stored(Image.open(original))),
    show("converted:", stored(Image.open(original).convert("L"))),
    show("pasted:", stored(pasted)),
]
raise SystemExit(found != [(False, b"taken at the office"), (False, b"taken at the office"), (False, None)])
PY
