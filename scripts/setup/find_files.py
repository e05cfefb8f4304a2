"""`python scripts/setup/find_files.py checkpoints|body`: where the files of 4dhumans lie.

Exit code 1, with what to do about the first one that is missing, where not all are here.
`checkpoints` are those that can be fetched, `body` is the one that cannot.
"""

import sys

from pose_service.core.config import read_settings
from pose_service.core.errors import PoseError
from pose_service.engines.registry import recipes
from pose_service.runtime.weights import located


def main(which: str) -> int:
    fetched = which == "checkpoints"
    try:
        settings = read_settings()
        paths = [
            located(file, settings)
            for source in recipes()["4dhumans"].sources
            if bool(source.urls) == fetched
            for file in source.files
        ]
    except PoseError as error:
        print(f"error: {error}\n{error.hint}", file=sys.stderr)
        return 1
    print(*paths, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
