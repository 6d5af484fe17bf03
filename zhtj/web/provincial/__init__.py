"""The provincial workbench."""

from flask import Blueprint

from zhtj.web import desks

blueprint = Blueprint("provincial", __name__, url_prefix="/provincial")
desks.register(blueprint)
