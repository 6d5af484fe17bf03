"""``/_components``: every component in every state, to be looked at. Development, demonstration and tests only."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, make_response, render_template, request
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length

from zhtj.kernel import clock
from zhtj.web import error_pages
from zhtj.web.access import public
from zhtj.web.htmx import is_htmx
from zhtj.web.rendering.navigation import MenuEntry

blueprint = Blueprint("gallery", __name__, url_prefix="/_components")

STATES = (
    "awaiting_release",
    "awaiting_acceptance",
    "awaiting_allocation",
    "awaiting_province",
    "awaiting_external",
    "completed",
    "refused",
    "withdrawn",
    "returned",
    "failed_external",
)


class ExampleForm(FlaskForm):
    """One field of each kind."""

    class Meta:
        """The whole application checks the token; the gallery also shows refusals to a GET."""

        csrf = False

    name = StringField("姓名", [InputRequired("请填写姓名。")], description="与身份证一致。")
    mobile = StringField("手机号码", [InputRequired("请填写 11 位手机号码。"), Length(11, 11, "手机号码应为 11 位。")])
    password = PasswordField("密码", [InputRequired("请填写密码。")])
    unit = StringField("单位全称")
    grade = SelectField(
        "学历",
        [InputRequired("请选择学历。")],
        choices=[SelectChoice("", "请选择"), SelectChoice("bachelor", "本科"), SelectChoice("master", "硕士研究生")],
    )
    remark = TextAreaField("备注", [Length(max=200, message="备注不能超过 200 字。")])
    agree = BooleanField("我已核对以上信息")


def _menu() -> dict[str, object]:
    here = "/_components/"
    entries = [MenuEntry(label, here, on_bar=label != "组织") for label in ("工作台", "团员", "数据", "组织")]
    waiting = MenuEntry("待办", here, "page", on_bar=True, counter=lambda: 12, key="all")
    tabs = [
        MenuEntry("审批", here, "page", counter=lambda: 12, key="waiting"),
        MenuEntry("事项", here, counter=lambda: 0, key="cases"),
        MenuEntry("全部时限", here),
    ]
    more = MenuEntry("更多", here)
    return {
        "entries": [entries[0], waiting, *entries[1:]],
        "section": "待办",
        "tabs": tabs,
        "messages": here,
        "help": [MenuEntry("帮助", here)],
        "seat": [MenuEntry("本组织资料", here)],
        "more": more,
    }


def _sample() -> dict[str, object]:
    now = clock.now()
    midnight = clock.start_of_day(clock.today())
    return {
        "menu": _menu(),
        "seat": {"organisation": "江淮大学团委", "post": "组织部干事"},
        "seats": [
            {"id": 1, "organisation": "江淮大学团委", "post": "组织部干事", "active": True},
            {"id": 2, "organisation": "共青团江淮大学信息科学与工程学院委员会", "post": "副书记"},
            {"id": 3, "organisation": "计算机 2022 级 1 班团支部", "post": "团员"},
        ],
        "clock_banner": "演示时间：2026年10月14日 09:00，与实际时间不同",
        "as_of": now,
        "now": now,
        "states": STATES,
        "dues": [
            midnight + timedelta(days=9),
            midnight + timedelta(days=3),
            midnight + timedelta(days=1),
            midnight - timedelta(days=2),
        ],
        "hour_ago": now - timedelta(hours=2),
        "days_ago": now - timedelta(days=3),
        "weeks_ago": now - timedelta(days=16),
        "month": clock.today().replace(day=1),
    }


@blueprint.route("/", methods=["GET", "POST"])
@public
def index() -> Response:
    """The whole gallery; ``?errors`` shows the form refused."""
    form = ExampleForm()
    refused = "errors" in request.args or request.method == "POST"
    if refused:
        form.validate()
    return make_response(render_template("_components.html", form=form, refused=refused, **_sample()))


@blueprint.get("/progress")
@public
def progress() -> str:
    """A piece of work that is finished at the third look."""
    done = min(request.args.get("done", 0, type=int) + 400, 1200)
    template = "components/_progress_example.html" if is_htmx() else "_components.html"
    return render_template(template, form=ExampleForm(), done=done, **_sample())


@blueprint.get("/errors/<int:status>")
@public
def error(status: int) -> Response:
    """An error page as it looks; the answer carries its status."""
    return error_pages.render(status)
