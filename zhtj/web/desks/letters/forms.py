"""F-07 and F-08 as PDF: what a member filled in and signed, for the shelf (PD-35, R-06)."""

from __future__ import annotations

from flask import Response

from zhtj.cases import queries, signatures
from zhtj.cases.models import SignedForm
from zhtj.kernel import audit, clock
from zhtj.kernel.database import unit_of_work
from zhtj.kernel.errors import NotFound
from zhtj.kernel.permissions import Permission
from zhtj.letters.printing import forms
from zhtj.letters.printing.forms import SignedPaper
from zhtj.web import routes
from zhtj.web.access import current_seat, requires
from zhtj.web.downloads import hand_over


@routes.desk.post("/cases/<int:case_id>/form")
@routes.member.post("/cases/<int:case_id>/form")
@requires(Permission.CASES)
def case_form(case_id: int) -> Response:
    """The signed form of a case as PDF, with the full ID number; that it was taken is noted (PD-37)."""
    found = queries.case(current_seat(), case_id)
    signed = signatures.of_case(found)
    if signed is None:
        raise NotFound("这件事没有签过名的表。", fix="请先由本人阅读并签名。")
    content = forms.signed_paper(paper(signed))
    with unit_of_work():
        audit.record("case.form_printed", "case", case_id, form=signed.form)
    return hand_over(content, "application/pdf", f"{signed.content['title']}-{signed.name}.pdf")


def paper(signed: SignedForm) -> SignedPaper:
    """A kept form as it is printed."""
    moment = f"{clock.local(signed.signed_at):%Y年%m月%d日 %H:%M}"
    how = (
        f"纸质签名，{moment}由{signed.account.name}存入。"
        if signed.on_paper
        else f"本人于 {moment} 以登录密码确认签名。"
    )
    return SignedPaper(
        form=signed.form,
        title=str(signed.content["title"]),
        text=tuple(str(words) for words in signed.content["text"]),
        rows=tuple((str(label), str(words)) for label, words in signed.content["rows"]),
        confirmed=how,
    )
