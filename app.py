"""The WSGI application and the command line: ``flask --app app …``."""

import sys

from zhtj import create_app
from zhtj.config import ConfigError

try:
    app = create_app()
except ConfigError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(2)
