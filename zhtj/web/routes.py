"""Where views stand: ``@routes.desk.get("/waiting")`` above the permission, above the function.

A desk is what several committees do, written once: its blueprint is registered once for each of ``COMMITTEES``, under
that role's name and address. A view of the member's that a desk has too names both.
"""

from __future__ import annotations

from flask import Blueprint, Flask

from zhtj.kernel.permissions import SeatKind

COMMITTEES = tuple(kind for kind in SeatKind if kind is not SeatKind.MEMBER)

public = Blueprint("public", __name__)
auth = Blueprint("auth", __name__)
member = Blueprint("member", __name__, url_prefix="/member")
desk = Blueprint("desk", __name__)


def register(app: Flask) -> None:
    """Add everybody's pages; the permission table decides what of a desk a role may use."""
    for blueprint in (auth, public, member):
        app.register_blueprint(blueprint)
    for kind in COMMITTEES:
        app.register_blueprint(desk, name=kind.value, url_prefix=f"/{kind.value}")
