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


def _sample() -> dict[str, object]:
    now = clock.now()
    midnight = clock.start_of_day(clock.today())
    return {
        "navigation": [
            {"label": "待办", "href": "/_components/", "active": True, "count": 12},
            {"label": "转接申请", "href": "/_components/", "count": 0},
            {"label": "团员", "href": "/_components/", "count": 0},
            {"label": "毕业去向", "href": "/_components/", "count": 1204},
            {"label": "介绍信", "href": "/_components/"},
            {"label": "下级组织", "href": "/_components/"},
            {"label": "导入导出", "href": "/_components/"},
        ],
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
