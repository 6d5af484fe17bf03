"""The pages of letters as people use them: a batch, a look beforehand, seal and authority, slip three, the member."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from tests.browsing import Browser
from tests.exports.reading import csv_file
from tests.letters.printing.reading import pages, reader, squeeze
from tests.letters.test_issue import issue, void
from tests.letters.test_seals import stamp
from tests.transfers.steps import apply, do
from tests.uploads import PNG
from zhtj.kernel.database import session
from zhtj.letters.many import letter_batches
from zhtj.letters.many import print_files as batch_files
from zhtj.letters.many.models import LetterBatch
from zhtj.letters.models import CardSide, Letter, LetterReceipt
from zhtj.letters.receipts import card_of
from zhtj.transfers import operations as transfers


@pytest.fixture
def school(client, office):
    return Browser(client).login(office.accounts["university"])


@pytest.fixture
def letter(office, application):
    return issue(application, office.seat("university"))


def visitor(client, account):
    return Browser(client.application.test_client()).login(account)


def pdf_text(page) -> str:
    return squeeze("".join(one.extract_text() for one in reader(page.response.get_data()).pages))


def test_the_register_as_a_file_is_filtered_as_its_page(school, office, letter):
    for state, words, found in (("valid", "有效", [letter.record.name]), ("void", "已作废", [])):
        assert (letter.record.name in school.get(f"/school/letters?state={state}").main) is bool(found)
        page = school.post(f"/school/exports/list/letters?state={state}", {"format": "csv"})
        rows, about = csv_file(page.response.get_data())
        assert [row[1] for row in rows[1:]] == found
        assert f"状态：{words}" in about


@pytest.mark.slow("prints letters")
def test_a_batch_from_the_list_to_the_files(school, office, application):
    # given two applications without letter
    apply(office, office.classmate, "company")
    page = school.get("/school/letters").click("批量开具")
    assert "卜喆" in page.main
    # when both are picked, the month is filled in, and the lines are looked at
    form = page.form(button="下一步")
    page = form.submit(row=[str(application.id), str(application.id + 1)]).follow()
    assert "可以开具0" in page.main
    page = page.form("/confirm").submit(dues_until="2026-09", handler="钱老师")
    page = page.follow()
    # then the progress is shown until the jobs are done
    assert "正在编号" in page.main
    number = session.scalars(select(LetterBatch.id)).one()
    assert "正在编号" in school.get(f"/school/letters/batches/{number}", htmx=True).source
    letter_batches.issue(number)
    assert "正在生成文件" in school.get(f"/school/letters/batches/{number}").main
    batch_files.print_file(number, 1)
    done = school.get(f"/school/letters/batches/{number}", htmx=True)
    assert done.response.headers["HX-Redirect"].endswith(f"/batches/{number}")
    page = school.get(f"/school/letters/batches/{number}")
    assert "已开具2" in page.main
    printed = page.click("2026年001号 至 2026年002号")
    assert [text.slip(2)[:3] for text in pages(printed.response.get_data())]
    archive = zipfile.ZipFile(io.BytesIO(school.get(f"/school/letters/batches/{number}.zip").response.get_data()))
    assert archive.namelist() == ["2026年001号-2026年002号.pdf"]


def test_nothing_ready_is_told_at_once(school, office, application):
    page = school.get("/school/letters/many").form(button="下一步").submit(row=str(application.id)).follow()
    page = page.form("/confirm").submit(dues_until="")
    assert page.status == 422
    assert "没有可以开具的" in page.main
    assert session.scalars(select(Letter)).all() == []


def test_a_look_beforehand_is_marked_and_uses_no_number(school, office, application):
    page = school.get(f"/school/applications/{application.id}/letter")
    assert "预览样张" in page.source
    answer = school.post(
        f"/school/applications/{application.id}/letter/sample",
        {"dues_until": "2026-09", "file_disposition": "kept"},
    )
    assert "样张" in pdf_text(answer)
    assert session.scalars(select(Letter)).all() == []
    # what is missing is said at its field
    wrong = school.post(f"/school/applications/{application.id}/letter/sample", {"file_disposition": "kept"})
    assert wrong.status == 422
    assert "团费交至" in wrong.main


@pytest.mark.rule("PD-30")
def test_the_school_authorises_a_college_on_its_page(school, client, office, application):
    college = visitor(client, office.accounts["college"])
    assert college.get(f"/college/applications/{application.id}/letter").status == 403
    page = school.get("/school/letters").click("印模与授权")
    number = office.orgs["college"].id
    page = page.form(f"/organisations/{number}/letters").submit(valid_from="2026-10-14", valid_until="2026-12-31")
    assert "授权" in page.follow().main
    assert college.get(f"/college/applications/{application.id}/letter").status == 200
    assert "批量开具" in college.get("/college/letters").main
    school.get("/school/letters/settings").form(f"/organisations/{number}/letters/end").submit()
    assert college.get(f"/college/applications/{application.id}/letter").status == 403
    assert "不需要印模" in college.get("/college/letters/settings").main


def test_a_seal_is_uploaded_seen_and_withdrawn(school, office):
    page = school.get("/school/letters/settings")
    sent = {"csrf_token": school.token, "seal": (io.BytesIO(stamp()), "印.png")}
    assert school.post("/school/letters/seal", sent).status == 303
    assert school.get("/school/letters/seal.png").response.mimetype == "image/png"
    page = school.get("/school/letters/settings")
    assert page.has_form("/letters/seal/withdraw")
    page.form("/letters/seal/withdraw").submit()
    assert school.get("/school/letters/seal.png").status == 404
    wrong = school.post("/school/letters/seal", {"seal": (io.BytesIO(b"GIF89a"), "印.png")})
    assert wrong.status == 422
    assert "印模须为 PNG 图片" in wrong.main


@pytest.mark.slow("prints a letter")
@pytest.mark.rule("T-31", "X-09")
def test_an_offline_letter_from_the_members_page(school, office):
    page = school.get(f"/school/members/{office.sophomore.id}").click("线下介绍信")
    form = page.form("/letter")
    wrong = form.submit(receiver="", dues_until="2026-09", reason="further_study")
    assert wrong.status == 422
    page = form.submit(receiver="共青团北京示范大学委员会", dues_until="2026-09", reason="further_study").follow()
    assert "共青团北京示范大学委员会" in page.main
    assert session.scalars(select(Letter.application_id)).one() is None


@pytest.mark.rule("L-29", "L-31", "PD-29")
def test_the_receiver_comes_from_the_qr_code_and_fills_slip_three(client, office, letter):
    # given a visitor who has scanned the code and is not signed in
    stranger = Browser(client.application.test_client())
    page = stranger.get(f"/v/{letter.code}")
    asked = page.click("登录后填写回执")
    assert asked.status in {302, 303, 401}
    # when the receiver signs in
    company = visitor(client, office.accounts["company"])
    page = company.get(f"/v/{letter.code}").click("填写回执")
    assert letter.record.name in page.main
    wrong = page.form("/receipt").submit(phone="")
    assert wrong.status == 422 or "回执" in wrong.main
    page = company.get(f"/v/{letter.code}/receipt")
    page = (
        page.form("/receipt")
        .submit(handler="孙经办", phone="0551-62200000", received_on="2026-10-14", card="1")
        .follow()
    )
    # then it is kept, the issuer sees it, and there is nothing left to fill
    assert "转出团委已收到" in page.main
    assert session.get(LetterReceipt, letter.id).handler == "孙经办"
    assert CardSide.IN in card_of(letter.id)
    school = visitor(client, office.accounts["university"])
    assert "孙经办" in school.get(f"/school/letters/{letter.id}").main
    assert "没有等待的回执" in school.get("/school/letters/receipts").main


@pytest.mark.rule("L-30")
def test_both_columns_of_the_card_are_ticked_on_their_pages(client, office, letter):
    school = visitor(client, office.accounts["university"])
    school.get(f"/school/letters/{letter.id}").form("/card").submit(entered_on="2026-10-14")
    company = visitor(client, office.accounts["company"])
    company.get(f"/v/{letter.code}/receipt").form("/receipt").submit(handler="孙经办", phone="0551-62200000")
    company.get(f"/v/{letter.code}/receipt").form("/card").submit(entered_on="2026-10-14")
    assert set(card_of(letter.id)) == {CardSide.OUT, CardSide.IN}
    member = visitor(client, office.graduate.account)
    page = member.get(f"/member/letters/{letter.id}")
    assert page.main.count("尚未登记") == 0


@pytest.mark.rule("L-31")
def test_a_paper_receipt_with_its_photograph(client, office, letter):
    school = visitor(client, office.accounts["university"])
    page = school.get(f"/school/letters/{letter.id}")
    sent = {
        "handler": "孙经办",
        "phone": "0551-62200000",
        "received_on": "2026-10-14",
        "file": (io.BytesIO(PNG), "x.gif"),
    }
    assert school.post(f"/school/letters/{letter.id}/receipt", sent).status == 303
    page = school.get(f"/school/letters/{letter.id}")
    picture = page.form("/receipt/file").submit()
    assert picture.response.mimetype == "image/png"
    assert "sandbox" in picture.response.headers["Content-Security-Policy"]
    # a second time somebody was first
    again = school.post(f"/school/letters/{letter.id}/receipt", {**sent, "file": (io.BytesIO(PNG), "x.png")})
    assert again.status == 409


def test_whom_it_does_not_concern_learns_nothing_by_the_code(client, office, letter):
    township = visitor(client, office.accounts["township"])
    wrong, unknown = township.get(f"/v/{letter.code}/receipt"), township.get("/v/ABCD-EFGH-JKMN/receipt")
    assert (wrong.status, unknown.status) == (404, 404)
    assert wrong.main.partition("错误代码")[0] == unknown.main.partition("错误代码")[0]
    assert letter.record.name not in wrong.source
    assert visitor(client, office.graduate.account).get(f"/v/{letter.code}/receipt").status == 403


def test_expired_void_and_unknown_codes_say_so_without_revealing_more(client, office, application, letter, clock_at):
    do(transfers.accept, application, office.seat("company"))  # else it goes back long before
    anybody = Browser(client.application.test_client())
    clock_at("2027-01-13T09:00")
    lapsed = anybody.get(f"/v/{letter.code}")
    assert "已过有效期" in lapsed.main
    assert "不能再用" in lapsed.main
    void(letter, office.seat("university"))
    gone = anybody.get(f"/v/{letter.code}")
    assert "已作废" in gone.main
    for page in (lapsed, gone):
        assert letter.record.id_number not in page.source
        assert letter.record.name not in page.source
        assert "姓名写错" not in page.source
        assert "填写回执" not in page.source
    assert "查不到" in anybody.get("/v/ZZZZ-ZZZZ-ZZZZ").main


@pytest.mark.slow("prints letters")
@pytest.mark.rule("L-05", "L-07")
def test_the_member_downloads_slips_two_and_three_and_is_told_what_to_do(client, office, letter):
    member = visitor(client, office.graduate.account)
    page = member.get("/member/").click("我的介绍信")
    assert "请持介绍信去报到" in page.main
    assert "1月12日" in page.main
    (sheet,) = pages(page.click("下载").response.get_data())
    assert "存根）由转出团委留存" in sheet.slip(0)
    assert letter.record.id_number not in sheet.slip(0)
    assert letter.record.id_number in sheet.slip(1)
    assert "特此回复" in sheet.slip(2)
    # the committee's own copy has all three
    school = visitor(client, office.accounts["university"])
    (whole,) = pages(school.get(f"/school/letters/{letter.id}.pdf").response.get_data())
    assert "团员档案" in whole.slip(0)


def test_the_message_leads_the_member_to_his_letter(client, office, letter):
    member = visitor(client, office.graduate.account)
    page = member.get("/member/messages").click("介绍信已开具")
    assert "请持介绍信去报到" in page.click("查看介绍信").main


@pytest.mark.rule("L-05")
def test_the_register_of_stubs_has_every_number_void_ones_too(school, office, application, letter):
    void(letter, office.seat("university"), "=HYPERLINK(1)")
    issue(application, office.seat("university"))
    page = school.get("/school/letters").click("存根")
    file = page.click("下载 xlsx").response.get_data()
    rows = CalamineWorkbook.from_filelike(io.BytesIO(file)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows] == ["编号", "2026年001号", "2026年002号"]
    assert "已作废" in rows[1][11]
    text = pdf_text(page.click("打印"))
    assert "2026年001号" in text
    assert "2026年002号" in text


def test_the_lists_are_narrowed(school, office, application, letter):
    for state, found in (("valid", True), ("waiting", True), ("void", False), ("lapsed", False)):
        assert (letter.serial in school.get(f"/school/letters?state={state}").main) is found, state
    assert letter.serial not in school.get("/school/letters?q=没有此人").main


@pytest.mark.rule("H-11")
def test_the_direction_chart_is_open_to_everybody_and_can_be_printed(client):
    anybody = Browser(client.application.test_client())
    page = anybody.get("/help/").click("去向指引图")
    assert "③ 乡镇街道" in page.main
    picture = page.click("看大图").response
    assert picture.mimetype == "image/svg+xml"
    assert "③ 乡镇街道" in picture.get_data(as_text=True)
    assert page.click("打印").response.mimetype == "application/pdf"


def test_days_are_read_strictly(school, office, letter):
    answer = school.post(f"/school/letters/{letter.id}/card", {"entered_on": "昨天"})
    assert answer.status == 422
    assert letter.record.issued_on == date(2026, 10, 14)
