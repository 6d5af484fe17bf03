"""The college workbench."""

from flask import Blueprint

from zhtj.web import desks

blueprint = Blueprint("college", __name__, url_prefix="/college")
desks.register(blueprint)
