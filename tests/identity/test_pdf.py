"""What is taken for an application form and what is not (E-01)."""

from __future__ import annotations

import io
import struct
import tracemalloc
from collections.abc import Callable

import pytest
from PIL import Image
from weasyprint import HTML

from tests.identity import papers
from tests.identity.papers import PAPER, pdf, stream, zipped
from zhtj.identity import archive
from zhtj.identity.archive import ArchiveError
from zhtj.identity.pdf import LARGEST, PdfError, check

EXE = b"MZ" + b"\0" * 58 + struct.pack("<I", 64) + b"PE\0\0" + b"\0" * 200


def scanned() -> bytes:
    target = io.BytesIO()
    Image.effect_noise((600, 800), 60).save(target, "PDF")
    return target.getvalue()


def test_honest_files_are_taken() -> None:
    for paper in (PAPER, scanned(), HTML(string="<h1>入团志愿书</h1><a href='https://example.com'>x</a>").write_pdf()):
        check(paper)


def test_a_page_inside_an_object_stream_is_found() -> None:
    inside = stream(b"3 0 " + papers.PAGE, b"/Type /ObjStm /N 1 /First 4")
    check(pdf(inside, page=b"<< >>"))


@pytest.mark.slow("one of the files is a bomb")
@pytest.mark.rule("E-01")
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "文件是空的"),
        (EXE, "不是 PDF"),
        (b"\n" + PAPER, "不是 PDF"),
        (b"<html><body>%PDF-1.7", "不是 PDF"),
        (PAPER[: len(PAPER) // 2], "不完整"),
        (PAPER + b"PK\x03\x04", "后面附有其他内容"),
        (PAPER + EXE, "后面附有其他内容"),
        (b"%PDF-1.7\n<html><script>alert(1)</script></html>\n%%EOF\n", "不完整"),
        (b"%PDF-1.7\n" + EXE + b"\nstartxref\n1\n%%EOF\n", "不完整"),
        (pdf(open_=b"<html><script>alert(1)</script></html>\n"), "混有网页或程序"),
        (pdf(open_=b"<?PHP system($_GET[0]); ?>\n"), "混有网页或程序"),
        (pdf(stream(EXE)), "混有网页或程序"),
        (pdf(stream(b"\x7fELF" + b"\0" * 99, packed=False)), "混有网页或程序"),
        (pdf(stream(b"PK\x03\x04" + b"\0" * 99)), "混有网页或程序"),
        (pdf(b"<< /Filter /Standard >>", trailer=b"/Encrypt 4 0 R"), "密码或加密"),
        (pdf(b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>", catalogue=b"/OpenAction 4 0 R"), "脚本"),
        (pdf(b"<< /S /J#61vaScript /J#53 (x) >>", catalogue=b"/OpenAction 4 0 R"), "脚本"),
        (pdf(stream(b"4 0 << /S /JavaScript /JS (x) >>", b"/Type /ObjStm /N 1 /First 4")), "脚本"),
        (pdf(stream(b"9 0 obj << /S /JavaScript >> endobj", packed=False)), "脚本"),
        (pdf(b"<< /S /Launch /F (cmd.exe) >>"), "自动执行"),
        (pdf(b"<< /S /SubmitForm /F (https://example.com) >>"), "自动执行"),
        (pdf(catalogue=b"/AcroForm << /XFA 4 0 R >>"), "自动执行"),
        (pdf(catalogue=b"/Names << /EmbeddedFiles 4 0 R >>"), "嵌有其他文件"),
        (pdf(stream(b"x", b"/Type /EmbeddedFile")), "内嵌文件|嵌有其他文件"),
        (pdf(stream(b"x", b"/Type /ObjStm /Filter /LZWDecode", packed=False)), "无法检查"),
        (lambda: pdf(stream(b"\0" * 2**27, b"/Type /ObjStm /N 1 /First 4")), "解压后过大"),
        (pdf(page=b"<< /Type /Nothing >>"), "没有页面"),
        (lambda: b"%PDF-1.7" + b" " * LARGEST, "超过 20 MB"),
    ],
)
def test_what_is_no_plain_paper_is_refused_with_the_reason(content: bytes | Callable[[], bytes], says: str) -> None:
    with pytest.raises(PdfError, match=says) as caught:
        check(content() if callable(content) else content)
    assert caught.value.fix


@pytest.mark.slow("a bomb of a quarter of a gigabyte")
def test_a_bomb_in_an_object_stream_costs_no_memory() -> None:
    bomb = pdf(stream(b"\0" * 2**28, b"/Type /ObjStm /N 1 /First 4"))
    tracemalloc.start()
    with pytest.raises(PdfError, match="解压后过大"):
        check(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 2**20


def test_a_zip_is_read_file_by_file_and_names_only_say_whose() -> None:
    files = [
        ("2022000001.pdf", PAPER),
        ("软工1班/2022000002.PDF", PAPER),
        ("../../etc/2022000003.pdf", PAPER),
        ("/etc/passwd.pdf", PAPER),
        ("C:\\2022000004.pdf", PAPER),
        ("丁一.pdf", PAPER),
        ("2022000005.docx", b"x"),
        ("__MACOSX/._2022000001.pdf", b"x"),
        (".DS_Store", b"x"),
        ("folder/", b""),
    ]
    found = [(entry.number, bool(entry.problem)) for entry in archive.entries(zipped(files))]
    assert found == [
        ("2022000001", False),
        ("2022000002", False),
        *[("", True)] * 5,
    ]


def test_each_file_is_read_to_its_limit_whatever_it_claims() -> None:
    (entry,) = archive.entries(zipped([("1.pdf", b"%PDF-" + b"\0" * 2**26)]))
    assert len(entry.content) == LARGEST + 1
    with pytest.raises(PdfError, match="超过 20 MB"):
        check(entry.content)


def test_what_all_files_come_to_is_limited_too(monkeypatch) -> None:
    # A hundredth of everything: inflating half a gigabyte shows no more.
    assert archive._UNPACKED == 400 * 2**20
    monkeypatch.setattr(archive, "_UNPACKED", 4 * 2**20)
    monkeypatch.setattr(archive, "LARGEST", 20 * 2**20 // 100)
    bombs = [(f"{number}.pdf", b"%PDF-" + b"\0" * 2**18) for number in range(25)]
    found = list(archive.entries(zipped(bombs)))
    assert [entry.problem for entry in found[:19]] == [""] * 19
    assert "解压后过大" in found[-1].problem


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (io.BytesIO(b""), "不是完整的 zip"),
        (io.BytesIO(b"not a zip at all" * 10), "不是完整的 zip"),
        (zipped([]), "没有文件"),
        (zipped([(f"{number}.pdf", b"") for number in range(301)]), "一次最多 300 个"),
        (zipped([(f"{number:06d}.pdf", b"") for number in range(12_000)]), "文件太多"),
    ],
)
def test_a_zip_that_is_none_or_has_too_much_is_refused_as_a_whole(content: io.BytesIO, says: str) -> None:
    with pytest.raises(ArchiveError, match=says):
        archive.entries(content)
