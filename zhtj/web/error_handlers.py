"""Every error becomes a page of ours, or a notice where htmx asked."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as AnyResponse

from zhtj.kernel.database import session
from zhtj.kernel.errors import DomainError, TooMany
from zhtj.web.access import login_manager
from zhtj.web.auth import resume
from zhtj.web.error_pages import render

log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Answer every error with one of our pages."""

    @app.errorhandler(DomainError)
    def domain_error(error: DomainError) -> Response:
        response = render(error.status, error.message, error.fix)
        if isinstance(error, TooMany):
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    @app.errorhandler(CSRFError)
    def form_expired(_: CSRFError) -> AnyResponse:
        kept = resume.form_expired()
        return kept or render(400, "这张表单已经过期。", "请返回上一页，刷新后重新提交；您填写的内容仍在那一页。")

    @app.errorhandler(DataError)
    @app.errorhandler(OverflowError)
    def impossible_value(error: Exception) -> Response:
        """A number or a text that no column can hold; PostgreSQL says the one, SQLite the other."""
        log.warning("impossible value on %s: %s", request.path, getattr(error, "orig", error))
        session.rollback()
        return render(400)

    @app.errorhandler(Exception)
    def crash(error: Exception) -> Response:
        log.error("unhandled error on %s", request.path, exc_info=error)
        return render(500)

    app.register_error_handler(HTTPException, _http_error)
    login_manager.unauthorized_handler(resume.sign_in_first)


def _http_error(error: HTTPException) -> AnyResponse:
    if error.code is not None and error.code < HTTPStatus.BAD_REQUEST:
        return error.get_response()
    response = render(error.code or 500)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response
