"""A clip several times over by the embedded engine without jobs; prints the seconds it took.

python -m benchmarks.clip_jobs.bare CLIP TIMES
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measures.stages import watched_nets
from benchmarks.stopwatch import Stopwatch
from pose_service.core.config import read_settings
from pose_service.pipeline.results import write_result
from pose_service.pipeline.video import ClipOptions, ClipWatch, process_clip
from pose_service.runtime.hub import ModelHub


def main(clip: Path, times: int) -> None:
    with watched_nets(read_settings(), Stopwatch()) as hub:
        process(clip, hub)
        print("ready", flush=True)
        input()
        began_s = time.perf_counter()
        for _ in range(times):
            process(clip, hub)
        print(time.perf_counter() - began_s, flush=True)


def process(clip: Path, hub: ModelHub) -> None:
    """As a job does it, the result thrown away."""
    with TemporaryDirectory() as folder:
        run = process_clip(clip, hub, ClipOptions(), Path(folder), ClipWatch())
        write_result(Path(folder), run)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
