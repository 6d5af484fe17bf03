"""Bad files sent to the import pages: refused or resolved, explained, logged, and nothing kept of them."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.browsing import Browser, Page
from tests.imports.making import csv_bytes, person, xlsx
from tests.world import World
from zhtj.imports.files import workbooks
from zhtj.imports.files.layouts import ROSTER
from zhtj.imports.models import ImportBatch
from zhtj.kernel.audit import AuditEvent

ADDRESS = "/school/imports/members"
CLASS1 = "江淮示范大学计算机学院2022级软件工程专业1班团支部"
COLUMNS = [column.name for column in ROSTER.columns]
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.fixture
def browser(client: FlaskClient, world: World) -> Browser:
    """The university's secretary."""
    return Browser(client).login(world.accounts["university"])


def rows(**cells: Any) -> list[list[str]]:
    one = person(300, 所在团支部=CLASS1, **cells)
    return [COLUMNS, [one.get(name, "") for name in COLUMNS]]


def send(browser: Browser, data: bytes, name: str) -> Page:
    return browser.get(ADDRESS).form(ADDRESS).submit(file=(io.BytesIO(data), name))


def with_part(book: bytes, name: str, content: bytes) -> bytes:
    """The workbook with another part inside."""
    target = io.BytesIO(book)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return target.getvalue()


class Huge(io.RawIOBase):
    """An upload of 200 MB that exists only as far as it is read; counts how far that was."""

    size = 200 * 2**20
    place = taken = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = 0) -> int:
        self.place = (0, self.place, self.size)[whence] + offset
        return self.place

    def readinto(self, buffer: Any) -> int:
        buffer[:] = b"x" * len(buffer)
        self.taken += len(buffer)
        return len(buffer)


def test_two_hundred_megabytes_are_refused_unread_and_explained(browser: Browser, session: Session) -> None:
    source = Huge()
    browser.get(ADDRESS)
    tracemalloc.start()
    answer = browser.client.open(
        ADDRESS,
        method="POST",
        input_stream=source,
        content_type="multipart/form-data; boundary=x",
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert answer.status_code == 413
    assert "文件太大" in answer.get_data(as_text=True)
    assert "请拆分或压缩后再上传" in answer.get_data(as_text=True)
    assert source.taken < 2**20
    assert peak < 20 * 2**20
    assert session.scalar(select(func.count(ImportBatch.id))) == 0


BOMB = with_part(xlsx(rows()), "xl/media/zeros.bin", b"\0" * 2**22)


@pytest.mark.parametrize(
    "file",
    [
        (b"", "空.xlsx", "文件是空的"),
        (BOMB, "炸弹.xlsx", "文件内容太多"),
        (with_part(xlsx(rows()), "xl/vbaProject.bin", b"x"), "宏.xlsx", "含有宏"),
        (xlsx(rows()), "宏.xlsm", "含有宏"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "密码.xls", "设有密码"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0", "程序.xlsx", "不认识"),
        (b"MZ\x90\0\x03\0\0\0", "程序.csv", "文字编码无法识别"),
        (xlsx([["甲", "乙"], ["1", "2"]]), "别的表.xlsx", "没有找到表头行"),
    ],
)
def test_a_bad_file_is_refused_with_advice_and_noted(
    browser: Browser, session: Session, monkeypatch: pytest.MonkeyPatch, file: tuple[bytes, str, str]
) -> None:
    data, name, words = file
    monkeypatch.setattr(workbooks, "MAX_UNCOMPRESSED", 2**21)

    page = send(browser, data, name)

    assert page.status == 422
    assert words in page.main
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "import.refused")).one()
    assert event.detail["file"] == name
    assert event.detail["size"] == len(data)
    assert words in event.detail["why"]
    assert event.account_id is not None
    assert session.scalar(select(func.count(ImportBatch.id))) == 0


@pytest.mark.parametrize(
    "data",
    [
        csv_bytes(rows(), "gb18030"),
        csv_bytes(rows(), "utf-8-sig"),
        xlsx([["团员花名册", *[""] * (len(COLUMNS) - 1)], *rows()], merges=["A1:R1"]),
        with_part(xlsx(rows()), "xl/externalLinks/externalLink1.xml", b"<externalLink r:id='rId1'/>"),
    ],
    ids=["gb18030", "utf-8 with mark", "merged title", "external link"],
)
def test_what_can_be_read_for_certain_is_read(browser: Browser, data: bytes) -> None:
    page = send(browser, data, "名单").follow()

    assert page.status == 200
    assert "导入 1 条" in page.text


def test_a_formula_typed_as_a_name_is_a_text_and_no_name(browser: Browser) -> None:
    page = send(browser, csv_bytes(rows(姓名='=cmd|"/c calc"!A1')), "名单.csv").follow()

    assert page.status == 200
    assert "姓名里有“" in page.text
    assert "导入 1 条" not in page.text
