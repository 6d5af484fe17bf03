"""The WSGI application and the command line: ``flask --app app …``."""

from zhtj import create_app

app = create_app()
