"""The WSGI application and the command line: ``flask --app app …``."""

import sys

from zhtj.config import ConfigError
from zhtj.factory import create_app

try:
    app = create_app()
except ConfigError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(2)
