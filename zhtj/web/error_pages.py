"""What every refusal says in plain Chinese, with the way out: a page for the browser, a notice for htmx."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from flask import Response, current_app, g, make_response, render_template, request

from zhtj.web.htmx import is_htmx, to_messages


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What an error page says."""

    status: int
    title: str
    message: str
    fix: str = ""


TEXTS = {
    text.status: text
    for text in (
        ErrorText(400, "请求有误", "提交的内容不完整或格式不对。", "请返回上一页，核对后再试。"),
        ErrorText(401, "请先登录", "登录已失效。", "请重新登录后继续。"),
        ErrorText(403, "没有权限", "当前任职不能办理这件事。", "如有其他任职，请在右上角切换后再试。"),
        ErrorText(404, "没有找到", "页面不存在，或不在您的管理范围内。", "请检查地址，或从首页进入。"),
        ErrorText(405, "请求有误", "这个地址不接受这样的操作。", "请从页面上的按钮进入。"),
        ErrorText(409, "已被他人处理", "这件事刚刚有了新的变化，您的操作没有执行。", "请刷新页面，查看最新状态。"),
        ErrorText(410, "已经过期", "它只保留了一段时间，现在已经删除。", "请重新生成。"),
        ErrorText(413, "文件太大", "上传的文件超过了允许的大小。", "请拆分或压缩后再上传。"),
        ErrorText(422, "没有通过检查", "填写的内容不符合要求，没有保存。", "请返回修改后再提交。"),
        ErrorText(429, "操作太频繁", "短时间内操作次数过多。", "请稍候再试。"),
        ErrorText(
            500, "系统出错", "这次操作没有完成，问题已记录。", "请稍后再试；多次出现时，请把请求编号告诉管理员。"
        ),
        ErrorText(503, "暂时无法使用", "系统正在维护或负载过高，数据没有丢失。", "请几分钟后再试。"),
    )
}
INTERFACE = "/api/"
SERVER = range(500, 600)
BARE = frozenset({500, 503})
"""Rendered without context processors: the database may be what is down."""


def render(status: int, message: str = "", fix: str = "") -> Response:
    """The page of an error; for htmx a notice in the page's live region, for programs a document.

    Args:
        status: any status from 400 on; one without a text of its own borrows that of 400 or 500.
        message: what is wrong, instead of the general sentence.
        fix: what to do about it; used with a message only.
    """
    text = TEXTS.get(status) or replace(TEXTS[500 if status in SERVER else 400], status=status)
    if message:
        text = replace(text, message=message, fix=fix)
    if request.path.startswith(INTERFACE):
        said = {"status": text.status, "message": text.message, "fix": text.fix}
        return make_response({"error": said}, status)
    if is_htmx():
        template = current_app.jinja_env.get_template("errors/fragment.html")
        return to_messages(template.render(error=text), status)
    context = {"error": text, "back": _back(), "request_id": g.get("request_id")}
    if status in BARE:
        page = current_app.jinja_env.get_template("errors/page.html").render(context, sign_in=False)
    else:
        page = render_template("errors/page.html", **context)
    return make_response(page, status)


def _back() -> str | None:
    """The page the visitor came from, if it is one of ours and not this one."""
    came = urlsplit(request.referrer or "")
    if came.netloc != request.host or came.path == request.path:
        return None
    return came.path + (f"?{came.query}" if came.query else "")
