"""`python -m pose_service COMMAND`."""

import os
import sys

# The matrices here are small: a second thread gains nothing on an idle machine, and on a busy one
# its waiting costs four times the work. NumPy reads this when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from pose_service.commands import main

if __name__ == "__main__":
    sys.exit(main())
