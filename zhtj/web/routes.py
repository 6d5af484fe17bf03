"""Where views stand: ``@routes.desk.get("/waiting")`` above the permission, above the function.

A desk is what several committees do, written once: its blueprint is registered once for each of ``COMMITTEES``, under
that role's name and address. A view of the member's that a desk has too names both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask
from werkzeug.routing import Rule

from zhtj.kernel.permissions import SeatKind

COMMITTEES = tuple(kind for kind in SeatKind if kind is not SeatKind.MEMBER)

public = Blueprint("public", __name__)
auth = Blueprint("auth", __name__)
member = Blueprint("member", __name__, url_prefix="/member")
desk = Blueprint("desk", __name__)


class _Rule(Rule):
    """Learns how its address is written when it is first asked to write it.

    Every process would else compile that for each address of each role as it starts, most of which it never writes.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - the library's
        def build(_: Rule, **values: Any) -> tuple[str, str]:
            compiled = super(_Rule, self)._compile_builder(append_unknown).__get__(self)
            if append_unknown:
                self._build_unknown = compiled
            else:
                self._build = compiled
            found: tuple[str, str] = compiled(**values)
            return found

        return build


def register(app: Flask) -> None:
    """Add everybody's pages; the permission table decides what of a desk a role may use."""
    app.url_rule_class = _Rule
    for blueprint in (auth, public, member):
        app.register_blueprint(blueprint)
    for kind in COMMITTEES:
        app.register_blueprint(desk, name=kind.value, url_prefix=f"/{kind.value}")
