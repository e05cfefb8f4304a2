"""The service: `python flask_wrapper.py`, or `gunicorn flask_wrapper:app`."""

import sys

from pose_service.app import create_app
from pose_service.commands import main

if __name__ == "__main__":
    sys.exit(main(["serve"]))

# gunicorn imports this module in the process that serves
app = create_app()
