"""The school workbench."""

from flask import Blueprint

from zhtj.web import desks

blueprint = Blueprint("school", __name__, url_prefix="/school")
desks.register(blueprint)
