"""The pages of identity and file: upload, review, lists, zip, download, the sheet (U-12, U-13, E-01, A-25, F-16)."""

from __future__ import annotations

import io
import tracemalloc
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from tests.browsing import Browser
from tests.identity.papers import PAPER, pdf, stream, zipped
from tests.identity.test_certification import LATE, certify, upload
from tests.world import World
from zhtj.cases.models import Case, CaseFile
from zhtj.identity import verifiers
from zhtj.identity.pdf import LARGEST
from zhtj.identity.verifiers import Answer, MatchResult
from zhtj.kernel.audit import AuditEvent
from zhtj.kernel.database import session, unit_of_work
from zhtj.web.downloads import SANDBOX

BLOCKED = "尚未完成团员身份认证，不能进行组织关系转接"


@pytest.fixture
def world(world: World) -> World:
    """Graduate and classmate joined in 2021."""
    with unit_of_work():
        world.appoint("city")
        for member in (world.graduate, world.classmate):
            session.merge(member).joined_on = LATE
    return world


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def sent(content: bytes, name: str = "入团志愿书.pdf") -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def newest() -> Any:
    session.expire_all()
    return session.scalars(select(Case).order_by(Case.id.desc())).first()


def seen(action: str) -> int:
    return session.scalar(select(func.count()).select_from(AuditEvent).where(AuditEvent.action == action)) or 0


@pytest.mark.slow("walks through the whole way")
@pytest.mark.rule("A-25", "U-13", "E-01")
def test_a_member_learns_what_blocks_him_uploads_his_form_and_may_go_when_it_is_approved(
    world: World, browser: Browser
) -> None:
    # Given his first page: it says what is in the way, and leads out
    browser.login(world.graduate.account)
    assert BLOCKED in browser.get("/member/").main
    page = browser.get("/member/transfer/new").follow()
    assert "现在还不能申请转接" in page.main
    assert BLOCKED in page.main
    form = page.click("上传入团志愿书").form("/member/cases/new/e_file")
    # When he uploads something that is no plain paper, he is told why, and nothing typed is lost
    page = form.submit(source="transferred", files=sent(pdf(open_=b"<html><script>alert(1)</script>\n")))
    assert page.status == 422
    assert "混有网页或程序" in page.main
    assert 'value="transferred" checked' in page.source
    page = page.form("/member/cases/new/e_file").submit(source="transferred", files=sent(PAPER)).follow()
    assert "已提交，由软工1班团支部办理" in page.text
    # Then everybody on the line looks at it
    page = browser.get("/member/file")
    assert "等待软工1班团支部审核" in page.main
    number = newest().id
    for key, role in (("class1", "branch"), ("college", "college")):
        page = browser.login(world.accounts[key]).get(f"/{role}/cases/{number}")
        page.form(f"/{role}/cases/{number}/step", button="上报").submit(remark="已核对原件").follow()
    page = browser.login(world.accounts["university"]).get(f"/school/cases/{number}")
    assert "是入团志愿书（不是申请书）" in page.main
    attached = session.scalars(select(CaseFile.id)).one()
    shown = browser.post(f"/school/cases/{number}/files/{attached}")
    assert shown.response.headers["Content-Disposition"].startswith("attachment")
    page.form(f"/school/cases/{number}/step", button="同意").submit().follow()
    # And nothing is in the way any more
    browser.login(world.graduate.account)
    assert BLOCKED not in browser.get("/member/").main
    assert "没有妨碍转接的事" in browser.get("/member/file").main
    assert "现在还不能申请转接" not in browser.get("/member/transfer/new").follow().main


@pytest.mark.rule("A-25")
def test_the_desks_see_the_same_list(world: World, browser: Browser) -> None:
    with unit_of_work():
        session.merge(world.classmate.account).activated_at = None
    browser.login(world.accounts["college"])
    for address in (f"/college/members/{world.classmate.id}", f"/college/members/{world.classmate.id}/file"):
        page = browser.get(address)
        assert BLOCKED in page.main
        assert "账号还没有激活" in page.main
    page = browser.get(f"/college/members/{world.classmate.id}/transfer-out")
    assert BLOCKED in page.main
    assert "选择转入组织" not in page.main
    assert page.click("上传入团志愿书").status == 200


def test_a_member_is_not_led_to_a_case_that_others_raised_about_him(world: World, browser: Browser) -> None:
    upload(world.seat("class1"), world.graduate)
    page = browser.login(world.graduate.account).get("/member/file")
    assert "等待计算机学院团总支审核" in page.main
    assert "查看办理情况" not in page.main
    upload(world.own_seat(world.classmate), world.classmate)
    page = browser.login(world.classmate.account).get("/member/file")
    assert page.click("查看办理情况").status == 200


@pytest.mark.rule("U-12")
def test_the_state_of_his_identity_stands_beneath_his_name(world: World, browser: Browser) -> None:
    address = f"/branch/members/{world.graduate.id}"
    browser.login(world.accounts["class1"])
    assert "身份未认证" in browser.get(address).main
    page = browser.get(f"{address}/file").form(f"{address}/identity").submit().follow()
    assert "身份认证：已认证" in page.text
    assert "身份已认证" in browser.get(address).main

    class Other:
        name = "测试接口"

        def verify(self, questions: Any) -> list[Answer]:
            if self.name == "断线":
                raise OSError
            return [Answer(MatchResult.DIFFERENT, "姓名与号码不符。") for _ in questions]

    other = Other()
    verifiers.plug_in(other)
    try:
        page = browser.get(f"{address}/file").form(f"{address}/identity").submit().follow()
        assert "姓名与号码不符" in page.main
        assert "市级团委" in page.main
        assert "正确的姓名" in page.click("申请更正姓名、身份证号码").main
        other.name = "断线"
        page = browser.get(f"{address}/file").form(f"{address}/identity").submit().follow()
        assert "暂时连不上" in page.text
    finally:
        verifiers.use("")
    # He himself sees it too, with the way out
    page = browser.login(world.graduate.account).get("/member/file")
    assert "市级团委" in page.main
    assert page.click("申请更正姓名、身份证号码").status == 200


def test_the_form_is_handed_over_only_to_those_in_line_and_each_look_is_noted(world: World, browser: Browser) -> None:
    certify(world, world.graduate)
    for key, role in (("class1", "branch"), ("college", "college"), ("university", "school"), ("city", "provincial")):
        answer = browser.login(world.accounts[key]).post(f"/{role}/members/{world.graduate.id}/file/open").response
        assert (answer.status_code, answer.data) == (200, PAPER)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == SANDBOX
        assert answer.headers["Cache-Control"] == "no-store"
    assert browser.login(world.graduate.account).post("/member/file/open").response.data == PAPER
    assert seen("member.file_seen") == 5
    for key, role in (("class2", "branch"), ("company", "school")):
        page = browser.login(world.accounts[key]).post(f"/{role}/members/{world.graduate.id}/file/open")
        assert page.status == 404
    assert seen("member.file_seen") == 5


@pytest.mark.rule("E-03")
def test_the_page_offers_replacing_to_whom_it_belongs(world: World, browser: Browser) -> None:
    certify(world, world.graduate)
    page = browser.login(world.accounts["college"]).get(f"/college/members/{world.graduate.id}/file")
    assert "替换档案" not in page.main
    assert "由上级团委（团工委）替换" in page.main
    page = browser.login(world.accounts["university"]).get(f"/school/members/{world.graduate.id}/file")
    form = page.click("替换档案").form("/school/cases/new/e_file")
    page = form.submit(source="developed", why="原扫描件缺页", files=sent(PAPER)).follow()
    assert "已提交，由团合肥市委办理" in page.text


def test_the_list_shows_who_still_lacks_a_form(world: World, browser: Browser) -> None:
    upload(world.seat("class1"), world.classmate)
    page = browser.login(world.accounts["college"]).get("/college/members").click("认证与档案")
    assert "丁一" in page.main
    assert "卜喆" not in page.main.split("团员档案")[-1]
    page = browser.get("/college/files?state=pending")
    assert "卜喆" in page.main
    assert "丁一" not in page.main
    assert "卜喆" in browser.get(f"/college/files?state=all&q=卜&org={world.orgs['class1'].id}").main
    assert browser.get("/college/files?state=nonsense").status == 200


@pytest.mark.rule("E-01")
def test_many_forms_come_in_one_zip_each_with_its_own_result(world: World, browser: Browser) -> None:
    own = world.graduate.account.id_number
    files = [
        (f"{own}.pdf", PAPER),
        (f"软工1班/{world.classmate.student_no}.pdf", PAPER),
        (f"{world.classmate.student_no}.PDF", PAPER),
        (f"{world.sophomore.student_no}.pdf", PAPER),
        (f"{world.employee.student_no}.pdf", PAPER),
        ("../../../etc/passwd.pdf", PAPER),
        ("0.pdf", b"MZ"),
    ]
    form = browser.login(world.accounts["college"]).get("/college/files").click("成批上传").form("/college/files/many")
    page = form.submit(source="transferred", file=(zipped(files), "志愿书.zip"))
    assert page.status == 200
    for words in (
        "提交 2 份，没有接收 5 份",
        "已经提出过",
        "不需要上传",
        "本组织和下级没有这名团员",
        "文件名里有路径",
    ):
        assert words in page.main
    assert own not in page.main.replace(f"{own}.pdf", "")
    assert session.scalar(select(func.count()).select_from(Case)) == 2
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"source": "", "file": (zipped(files), "x.zip")}, "请选择从哪里来"),
        ({"source": "developed", "file": (io.BytesIO(b"MZ"), "x.zip")}, "不是完整的 zip"),
        ({"source": "developed", "file": (io.BytesIO(), "")}, "请选择压缩包"),
    )
    for typed, says in wrong:
        page = browser.get("/college/files/many").form("/college/files/many").submit(**typed)
        assert page.status == 422
        assert says in page.main


@pytest.mark.parametrize("address", ["/college/cases/new/e_file", "/college/files/many"])
def test_an_upload_of_200_mb_is_refused_unread_with_a_page_that_explains(
    world: World, browser: Browser, address: str
) -> None:
    browser.login(world.accounts["college"]).get(address)

    class Endless(io.RawIOBase):
        """Two hundred megabytes that are made as they are read."""

        size, place, read_so_far = 200 * 2**20, 0, 0

        def seekable(self) -> bool:
            return True

        def readable(self) -> bool:
            return True

        def tell(self) -> int:
            return self.place

        def seek(self, offset: int, whence: int = 0) -> int:
            self.place = offset + {0: 0, 1: self.place, 2: self.size}[whence]
            return self.place

        def readinto(self, buffer: Any) -> int:
            size = min(len(buffer), self.size - self.place)
            buffer[:size] = b"\0" * size
            self.place += size
            self.read_so_far += size
            return size

    endless = Endless()
    tracemalloc.start()
    answer = browser.client.open(
        address,
        method="POST",
        input_stream=endless,
        content_type="multipart/form-data; boundary=x",
        content_length=200 * 2**20,
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.status_code == 413
    assert "超过了允许的大小" in answer.get_data(as_text=True)
    assert endless.read_so_far < 2**20
    assert peak < 20 * 2**20


@pytest.mark.slow("sends twenty megabytes")
def test_a_form_of_twenty_megabytes_fits_and_a_larger_one_is_explained(world: World, browser: Browser) -> None:
    empty = len(pdf(stream(b"", packed=False)))
    full = pdf(stream(b"x" * (LARGEST - empty - 20), packed=False))
    assert LARGEST - 40 < len(full) <= LARGEST
    form = (
        browser.login(world.accounts["class1"])
        .get(f"/branch/cases/new/e_file?about={world.graduate.id}")
        .form("/cases/new/e_file")
    )
    page = form.submit(source="developed", files=sent(full + b"\n" * 100))
    assert page.status == 422
    assert "超过 20 MB" in page.main
    assert form.submit(source="developed", files=sent(full)).status == 303


def test_names_of_files_lead_nowhere(world: World, browser: Browser) -> None:
    form = (
        browser.login(world.accounts["class1"])
        .get(f"/branch/cases/new/e_file?about={world.graduate.id}")
        .form("/cases/new/e_file")
    )
    form.submit(source="developed", files=sent(PAPER, "../../etc/passwd.pdf"))
    assert session.scalars(select(CaseFile.filename)).one() == "passwd.pdf"


@pytest.mark.rule("F-16", "E-07")
def test_a_sheet_is_filled_in_kept_with_the_member_and_printed(world: World, browser: Browser) -> None:
    browser.login(world.graduate.account)
    form = browser.get("/member/file").click("填写登记表").form("/member/sheet")
    page = form.submit(native_place="安徽省合肥市蜀山区")
    assert page.status == 422
    assert "请填写家庭住址" in page.main
    assert 'value="安徽省合肥市蜀山区"' in page.source
    typed: dict[str, Any] = {
        "native_place": "安徽省合肥市蜀山区",
        "address": "井岗镇示范路1号",
        "joined_where": "示范中学高一1班团支部",
        "missing": "入团志愿书遗失",
        "proof": "团员证复印件",
        "resume": "2019.09 至 2022.06 示范中学\n2022.09 至今 江淮示范大学",
        "awards": "无",
    }
    page = page.form("/member/sheet").submit(**typed).follow()
    assert "登记表已保存" in page.text
    page = browser.get("/member/sheet").click("打印")
    for words in ("团员信息登记表", world.graduate.account.id_number, "入团志愿书遗失", "团委意见", "（盖章）"):
        assert words in page.main
    assert "遗失" not in session.execute(text("SELECT content FROM registration_sheets")).scalar_one()
    # Whoever looks after him goes on with it; two at once do not overwrite each other
    address = f"/branch/members/{world.graduate.id}/sheet"
    browser.login(world.accounts["class1"])
    first, second = browser.get(address).form(address), browser.get(address).form(address)
    assert first.submit(awards="校级优秀团员").status == 303
    page = second.submit(awards="无")
    assert page.status == 409
    assert "刚刚被别人修改过" in page.main
    page = browser.get(address).form(f"{address}/print").submit()
    assert "校级优秀团员" in page.main
    assert seen("member.number_seen") == 1
    assert browser.login(world.accounts["class2"]).get(address).status == 404


def test_who_joined_earlier_needs_no_form(world: World, browser: Browser) -> None:
    assert world.sophomore.joined_on < date(2020, 1, 1)
    page = browser.login(world.sophomore.account).get("/member/file")
    assert "不需要上传入团志愿书" in page.main
    assert "没有妨碍转接的事" in page.main
