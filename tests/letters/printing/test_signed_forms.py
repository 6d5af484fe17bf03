"""F-07 and F-08 from what a member filled in on his phone and signed, as PDF (PD-35)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.browsing import Browser
from tests.floating.steps import ABROAD, RETAINED, apply, build
from tests.letters.printing.reading import reader, squeeze
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session
from zhtj.orgs.models import Purpose


def text_of(page) -> str:
    assert page.response.mimetype == "application/pdf"
    return squeeze("".join(one.extract_text() for one in reader(page.response.get_data()).pages))


@pytest.mark.rule("F-07", "PD-35")
def test_the_request_to_stay_while_abroad_prints_what_was_signed(client, world):
    # given a graduate who has filled in and signed it
    build(world, "overseas", "university", Purpose.OVERSEAS)
    case = apply(world, world.graduate, "overseas_study")
    # when he takes it as PDF
    mine = Browser(client).login(world.graduate.account)
    text = text_of(mine.get(f"/member/cases/{case.id}").form("/form").submit())
    # then his own answers stand in the document's sentence, with number, signature and how he signed
    for answer in ("丁一", world.graduate.account.id_number, "英国", "示例大学", "计算机科学", "2026年9月至2027年12月"):
        assert answer in text
    for answer in (
        ABROAD["contact"],
        ABROAD["relation"],
        ABROAD["contact_mobile"],
        "申请人：丁一",
        "以登录密码确认签名",
    ):
        assert answer in text


@pytest.mark.rule("F-08", "PD-35")
def test_the_notice_to_floating_members_prints_with_its_slip(client, world):
    build(world, "floating_school", "university", Purpose.FLOATING)
    case = apply(world, world.graduate, "retention")
    school = Browser(client).login(world.accounts["university"])
    text = text_of(school.get(f"/school/cases/{case.id}").form("/form").submit())
    assert "每6个月" in text
    for answer in (world.graduate.account.id_number, RETAINED["mobile"], "团员签名：丁一", RETAINED["dues"]):
        assert answer in text
    # and that the full number was taken is on record
    taken = session.scalars(select(AuditEvent.subject_id).where(AuditEvent.action == "case.form_printed")).all()
    assert taken == [case.id]


def test_nobody_elses(client, world):
    build(world, "floating_school", "university", Purpose.FLOATING)
    case = apply(world, world.graduate, "retention")
    other = Browser(client).login(world.classmate.account)
    other.get("/member/")
    assert other.post(f"/member/cases/{case.id}/form").status == 404
