"""Printed forms beside the letter: F-07, F-08, code sheets, stub register, chart, bulletin; drawn from plain data.

Every sheet comes off the letters' press: the one Song face, nothing fetched, tagged PDF. A character that the face
lacks is an error before printing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from zhtj.kernel.errors import DomainError
from zhtj.letters.printing.chart import Chart
from zhtj.letters.printing.fonts import FAMILY, missing
from zhtj.letters.printing.pages import QrCode, qr_code
from zhtj.letters.printing.render import printing
from zhtj.letters.stub_register import HEADINGS

OVERSEAS, FLOATING = "F-07", "F-08"
# Of F-08 what stands above the slip to be handed back, in the document's order; everything else belongs to the slip.
_ABOVE = ("团组织联系人", "联系电话", "情况", "团费交纳", "参加组织生活")
_SIGNATURE, _DAY = "签名", "日期"


@dataclass(frozen=True, slots=True)
class SignedPaper:
    """A form as it was read and signed (PD-35).

    Args:
        form: F-07 or F-08; any other is printed as a table.
        title: over it.
        text: its paragraphs.
        rows: label and answer, signature and day last.
        confirmed: how it was signed, for the foot.
    """

    form: str
    title: str
    text: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    confirmed: str = ""


@dataclass(frozen=True, slots=True)
class CodeSlip:
    """One slip of a sheet of codes: for whom, of what kind, the code, where it leads, until when (PD-03)."""

    name: str
    organisation: str
    kind: str
    code: str
    address: str
    deadline: str

    @property
    def qr(self) -> QrCode:
        """The way to the page with the code filled in."""
        return qr_code(self.address)


def signed_paper(paper: SignedPaper) -> bytes:
    """A signed F-07 or F-08 as PDF. Raises DomainError for a character that cannot be printed."""
    _check(f"{paper.title}中的", (*paper.text, *(text for row in paper.rows for text in row), paper.confirmed))
    rows = dict(paper.rows)
    return printing("signed").print(
        f"{paper.title} {rows.get('姓名', rows.get(_SIGNATURE, ''))}".strip(),
        paper=paper,
        said=rows,
        prose=_request(rows) if paper.form == OVERSEAS else "",
        above=[row for row in paper.rows if row[0] in _ABOVE],
        slip=[row for row in paper.rows if row[0] not in {*_ABOVE, _SIGNATURE, _DAY}],
        signature=rows.get(_SIGNATURE, ""),
        day=rows.get(_DAY, ""),
        is_notice=paper.form == FLOATING,
    )


def _request(said: Mapping[str, str]) -> str:
    """F-07 as the document words it, a sentence out of its answers."""

    def of(label: str) -> str:
        return said.get(label, "")

    what = f"生活，计划在外时间为{of('计划在外时间')}"
    if of("学校"):
        what = f"{of('学校')}攻读{of('攻读专业')}（{of('攻读学位')}），计划学习时间为{of('计划学习时间')}"
    return (
        f"本人{of('姓名')}，{of('性别')}，{of('民族')}，{of('出生年月')}生，{of('政治面貌') or '共青团员'}，"
        f"于{of('入团年月')}入团，身份证号为{of('身份证号')}，现为{of('学院')}{of('专业')}专业{of('届别')}{of('层次')}。"
        f"现因{of('毕业时间')}毕业后，前往{of('前往国家（地区）')}{what}，特申请将团组织关系保留在{of('团组织关系保留在')}。"
        f"境外{'学习' if of('学校') else '生活'}期间国内联系人为{of('国内联系人')}，联系电话为{of('联系电话')}。"
    )


def code_sheet(title: str, slips: Sequence[CodeSlip]) -> bytes:
    """Slips with QR codes to print and cut, ten a page (PD-03). Raises DomainError as ``signed_paper``."""
    _check("名单中的", (text for slip in slips for text in (slip.name, slip.organisation)))
    return printing("codes").print(title, heading=title, slips=slips)


def stub_register(issuer: str, year: int, rows: Sequence[Sequence[str]]) -> bytes:
    """The register of stubs as a table on A4 across (L-05). Raises DomainError as ``signed_paper``."""
    _check("存根中的", (text for row in rows for text in row))
    title = f"{issuer} {year}年介绍信存根"
    return printing("stubs").print(title, issuer=issuer, year=year, headings=HEADINGS, rows=rows)


def _check(where: str, texts: Iterable[str]) -> None:
    """Raise DomainError for the first character that the face lacks."""
    for text in texts:
        for sign in missing(text.replace("\n", "")):
            raise DomainError(
                f"{where}“{sign}”（U+{ord(sign):04X}）印刷字体里没有，无法打印。",
                fix="请核对用字；确系此字的，请运维人员增补字体。",
                rule="L-10",
            )


def direction_chart(drawn: Chart, season: int, source: str) -> bytes:
    """The direction chart of a season on one A4 page across (H-11).

    Args:
        drawn: the chart of the season's policy.
        season: the year it holds for.
        source: document that the policy rests on.
    """
    heading = f"{season} 年毕业学生团员团组织关系转接去向指引图"
    return printing("direction").print(heading, heading=heading, chart=drawn, source=source, face=FAMILY)


def bulletin(title: str, texts: Iterable[str], paper: object, curve: str = "") -> bytes:
    """A 通报 of the rates on A4 (M-14).

    Args:
        title: of the document.
        texts: every name in it.
        paper: what the template draws.
        curve: SVG with ``FAMILY`` as its typeface; "" for none.

    Raises:
        DomainError: as ``signed_paper``.
    """
    _check("通报中的", texts)
    return printing("bulletin").print(title, paper=paper, curve=curve)
