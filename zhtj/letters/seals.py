"""组织章印模: a committee's seal as a picture, printed where the form asks for it; without one its place stays empty.

A picture is judged by its content, made small and plain, and kept encrypted. A withdrawn seal is never deleted: the
letters it was printed on are drawn with it for ever.
"""

from __future__ import annotations

import struct
from io import BytesIO

from PIL import Image, UnidentifiedImageError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, undefer

from zhtj.kernel import attachments, audit, clock
from zhtj.kernel.database import session
from zhtj.kernel.errors import Conflict, DomainError
from zhtj.kernel.permissions import ActiveSeat
from zhtj.letters.authority import check_issuer
from zhtj.letters.models import Seal
from zhtj.orgs.models import Organisation

LARGEST = 1024 * 1024
LEAST_SIDE, MOST_SIDE = 200, 3000
KEPT_SIDE = 500  # 300 dots an inch on 42 mm
_MAGIC = b"\x89PNG\r\n\x1a\n"
_END = b"IEND\xaeB`\x82"
_HEAD = struct.Struct(">8s4x4sII")
_OBLONG = 1.5
_TAIL = 64
_AGAIN = "请重新扫描或截取印模，保存为 PNG 图片后上传。"


def check(content: bytes) -> bytes:
    """The seal as it is kept: a square-ish PNG, small, without anything else in the file.

    Args:
        content: the bytes as they were uploaded, whatever their name.

    Raises:
        DomainError: no PNG, too large, too small, damaged, or far from square.
    """
    if len(content) > LARGEST:
        raise DomainError(f"印模图片超过 {LARGEST // 2**20} MB。", fix=_AGAIN, field="seal", rule="L-07")
    if len(content) < _HEAD.size or not content.startswith(_MAGIC):
        raise DomainError("印模须为 PNG 图片。", fix=_AGAIN, field="seal", rule="L-07")
    # Read off the header before anything is unpacked: a small file may claim to be a huge picture.
    _, chunk, width, height = _HEAD.unpack_from(content)
    if chunk != b"IHDR" or not all(LEAST_SIDE <= side <= MOST_SIDE for side in (width, height)):
        wanted = f"印模图片的边长须为 {LEAST_SIDE} 至 {MOST_SIDE} 像素。"
        raise DomainError(wanted, fix=_AGAIN, field="seal", rule="L-07")
    if max(width, height) > _OBLONG * min(width, height):
        raise DomainError("印模图片的长宽相差太大，看起来不是一枚印章。", fix=_AGAIN, field="seal", rule="L-07")
    if _END not in content[-_TAIL:]:  # the library would make do with the part that is there
        raise DomainError("印模图片不完整。", fix=_AGAIN, field="seal", rule="L-07")
    try:
        with Image.open(BytesIO(content), formats=("PNG",)) as picture:
            picture.load()
            plain = picture.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise DomainError("印模图片已损坏。", fix=_AGAIN, field="seal", rule="L-07") from error
    plain.thumbnail((KEPT_SIDE, KEPT_SIDE))
    target = BytesIO()
    plain.save(target, "PNG", optimize=True)
    return target.getvalue()


def upload(organisation: Organisation, seat: ActiveSeat, content: bytes) -> Seal:
    """Keep the seal of the seat's own committee; from now on its letters carry it.

    Raises:
        Forbidden: no committee that issues letters.
        DomainError: as ``check``.
        Conflict: somebody else has just uploaded one.
    """
    check_issuer(seat)
    kept = check(content)
    before = present(organisation.id)
    if before is not None:
        before.withdrawn_at = clock.now()
        session.flush()
    found = Seal(
        org_id=organisation.id,
        content=attachments.pack(kept),
        uploaded_at=clock.now(),
        uploaded_by_account_id=seat.account_id,
    )
    try:
        with session.begin_nested():
            session.add(found)
            session.flush()
    except IntegrityError as error:
        raise Conflict("印模刚刚被别人更换。", fix="请刷新后再看。", rule="L-07") from error
    audit.record("seal.upload", "organisation", organisation.id, seal=found.id)
    return found


def withdraw(organisation: Organisation, seat: ActiveSeat) -> None:
    """Print letters without seal again. Raises Forbidden, and Conflict where there is none."""
    check_issuer(seat)
    found = present(organisation.id)
    if found is None:
        raise Conflict("没有上传过印模。", rule="L-07")
    found.withdrawn_at = clock.now()
    session.flush()
    audit.record("seal.withdraw", "organisation", organisation.id, seal=found.id)


def present(org_id: int) -> Seal | None:
    """The seal a committee's letters are printed with now, if it has uploaded one."""
    query = select(Seal).where(Seal.org_id == org_id, Seal.withdrawn_at.is_(None))
    return session.scalars(query.options(joinedload(Seal.uploaded_by))).first()


def pictures(ids: set[int]) -> dict[int, bytes]:
    """The PNGs of these seals."""
    if not ids:
        return {}
    rows = session.scalars(select(Seal).where(Seal.id.in_(ids)).options(undefer(Seal.content)))
    return {seal.id: attachments.unpack(seal.content) for seal in rows}
