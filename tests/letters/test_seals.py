"""The seal as a picture: judged by its content, printed where the form has its place, never lost (L-07, L-08)."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select

from tests.letters.printing.reading import reader
from tests.letters.test_issue import issue, void
from tests.transfers.steps import acting
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError, Forbidden
from zhtj.letters import seals
from zhtj.letters.models import Seal
from zhtj.letters.printing import papers

SITE = "https://zhtj.example.cn"


def stamp(side: int = 600, form: str = "PNG", height: int | None = None) -> bytes:
    """A red ring with a star of sorts."""
    picture = Image.new(
        "RGBA" if form == "PNG" else "RGB", (side, height or side), (255, 255, 255, 0)[: 4 if form == "PNG" else 3]
    )
    draw = ImageDraw.Draw(picture)
    draw.ellipse((10, 10, side - 10, (height or side) - 10), outline=(200, 20, 20), width=12)
    draw.regular_polygon((side / 2, (height or side) / 2, side / 6), 5, fill=(200, 20, 20))
    target = io.BytesIO()
    picture.save(target, form)
    return target.getvalue()


def upload(office, content, key="university"):
    with acting(office.seat(key)):
        return seals.upload(office.orgs[key], office.seat(key), content)


def pictures_on(pdf: bytes) -> list[str]:
    page = reader(pdf).pages[0]
    return [image.name for image in page.images]


@pytest.mark.rule("L-07", "L-08")
def test_a_letter_carries_the_seal_it_was_issued_with(office, application):
    # given a school with a seal
    upload(office, stamp())
    first = issue(application, office.seat("university"))
    # then it stands on the letter, under the issuer's line and across the seam
    pdf = papers.pdf(first, site=SITE)
    assert len(pictures_on(pdf)) >= 1
    # when the seal is withdrawn, the letter keeps it, and the next has none
    with acting(office.seat("university")):
        seals.withdraw(office.orgs["university"], office.seat("university"))
    assert len(pictures_on(papers.pdf(first, site=SITE))) >= 1
    void(first, office.seat("university"))
    second = issue(application, office.seat("university"))
    assert pictures_on(papers.pdf(second, site=SITE)) == []


def test_a_new_seal_takes_the_old_ones_place(office):
    upload(office, stamp())
    upload(office, stamp(400))
    kept = session.scalars(select(Seal).order_by(Seal.id)).all()
    assert [seal.withdrawn_at is None for seal in kept] == [False, True]


def test_it_lies_encrypted_and_small(office):
    upload(office, stamp(2000))
    raw = session.connection().exec_driver_sql("SELECT content FROM seals").scalar_one()
    assert "iVBOR" not in raw
    (content,) = seals.pictures(set(session.scalars(select(Seal.id)))).values()
    assert max(Image.open(io.BytesIO(content)).size) <= seals.KEPT_SIDE


def bomb() -> bytes:
    """A small file that says it is a huge picture."""
    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 6, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        stamp(form="JPEG"),
        stamp(100),
        stamp(1200, height=300),
        stamp()[:200],
        bomb(),
        b"\x89PNG\r\n\x1a\n" + b"\0" * (seals.LARGEST + 1),
    ],
    ids=["empty", "svg", "jpeg", "tiny", "oblong", "cut off", "bomb", "large"],
)
def test_anything_else_is_refused_by_its_content(office, content):
    with pytest.raises(DomainError) as caught:
        upload(office, content)
    assert caught.value.field == "seal"


def test_only_who_issues_has_a_seal(office):
    with pytest.raises(Forbidden):
        upload(office, stamp(), "class1")
    with pytest.raises(Conflict), acting(office.seat("company")):
        seals.withdraw(office.orgs["company"], office.seat("company"))
