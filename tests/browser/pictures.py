"""Takes the README's pictures from a running demonstration: `make demo` here, `make pictures` in another window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.stage import DESK, PHONE, launch, visit
from zhtj.config import ROOT

FOLDER = Path(__file__).parent / "tour"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: whose account (by its note or organisation), which page, how wide.

    Args:
        click: text of links to follow from there, one after the other.
    """

    name: str
    who: str
    path: str
    size: dict[str, int]
    click: tuple[str, ...] = ()


PICTURES = (
    Picture("login", "", "/login", DESK),
    Picture("member-home", "申请待单位团委审批", "/member/", PHONE),
    Picture("member-apply", "还没有申请", "/member/transfer/new", PHONE),
    Picture(
        "advice", "", "/help/advice?situation=unplaced&place=residence&address=安徽省合肥市蜀山区井岗镇&done=1", PHONE
    ),
    Picture("bulk", "示例科技团委", "/school/waiting", DESK, ("@many",)),
    Picture("graduates", "计算机学院团总支", "/college/graduates", DESK),
    Picture("timers", "计算机学院团总支", "/college/timers", DESK),
    Picture("objections", "区级团委", "/provincial/objections", DESK),
    Picture("messages", "已申诉", "/member/messages", PHONE),
    Picture("marking", "江淮示范大学团委", "/school/marking", DESK),
    Picture("cases", "江淮示范大学团委", "/school/cases/new", DESK),
    Picture("members", "江淮示范大学团委", "/school/members", DESK),
    Picture("files", "计算机学院团总支", "/college/files", DESK),
    Picture("stay", "可以报告近况", "/member/floating", PHONE),
    Picture("staying", "江淮示范大学团委", "/school/staying", DESK),
    Picture("letters", "江淮示范大学团委", "/school/letters", DESK),
    Picture("rates", "江淮示范大学团委", "/school/rates", DESK),
    Picture("rates-people", "江淮示范大学团委", "/school/rates/people?key=society.denominator", DESK),
    Picture("ranking", "江淮示范大学团委", "/school/rates/ranking", DESK),
    Picture("curve", "团安徽省委", "/provincial/rates/curve", DESK),
    Picture("map", "江淮示范大学团委", "/school/rates/map", DESK),
    Picture("stuck", "团安徽省委", "/provincial/rates/stuck", DESK),
    Picture("chart", "", "/help/chart", DESK),
    Picture("waiting", "示例科技团委", "/school/waiting", PHONE),
    Picture("workbench", "江淮示范大学团委", "/school/", DESK),
    Picture("applications", "江淮示范大学团委", "/school/applications", DESK),
    Picture("organisation", "计算机学院团总支", "/college/organisations", DESK),
    Picture("application", "示例科技团委", "/school/waiting", DESK, ("@first",)),
)


def accounts() -> list[dict[str, str]]:
    """The demonstration's accounts."""
    command = [sys.executable, "-m", "flask", "--app", "app", "demo", "accounts", "--json"]
    environment = {"ZHTJ_ENV": "demo", **os.environ}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    rows: list[dict[str, str]] = json.loads(done.stdout)
    return rows


def main() -> None:
    """Take every picture."""
    home = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    known = accounts()
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for picture in PICTURES:
            with visit(browser, home, picture.size, device_scale_factor=1) as visitor:
                if picture.who:
                    row = next(row for row in known if picture.who in row["note"] + row["organisation"])
                    visitor.sign_in(row["username"], row["password"])
                page = visitor.go(picture.path)
                for step in picture.click:
                    follow(page, step)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=FOLDER / f"{picture.name}.png")
        browser.close()


def follow(page: Page, step: str) -> None:
    """Click a link by its text; ``@first`` is the first line of a list, ``@many`` takes all of it to be accepted."""
    if step == "@many":
        for box in page.locator("input.pick").all():
            box.check()
        page.locator("select[name=action]").select_option("accept")
        page.get_by_role("button", name="下一步").click()
        return
    (page.locator(".item h3 a").first if step == "@first" else page.get_by_role("link", name=step).first).click()


if __name__ == "__main__":
    main()
