"""The branch workbench."""

from flask import Blueprint

from zhtj.web import desks

blueprint = Blueprint("branch", __name__, url_prefix="/branch")
desks.register(blueprint)
