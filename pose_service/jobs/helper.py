"""Helper: a worker without a clip of its own makes chunks of somebody else's."""

import logging
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pose_service.core.errors import NotFoundError, PoseError, UnavailableError
from pose_service.engines.seam import Engine
from pose_service.jobs.attempt import Tools
from pose_service.jobs.chunk_choice import next_of
from pose_service.jobs.chunk_room import ChunkRoom
from pose_service.jobs.chunk_rows import Chunk, ChunkRows, ChunkState
from pose_service.jobs.records import UNFINISHED, JobState
from pose_service.media.decode import open_clip
from pose_service.pipeline.apart import ChunkMaker
from pose_service.pipeline.makers import engine_mark, made_by
from pose_service.pipeline.video import ClipStoppedError, NetRunner

LOOK_EVERY_S = 1.0
"""How often a helper looks whether its chunk is still wanted."""

log = logging.getLogger(__name__)


@dataclass
class _Hand:
    """The chunk in a helper's hands. `begun`: its frames were looked at."""

    chunk: Chunk
    worker_id: str
    stopping: threading.Event
    rows: ChunkRows
    begun: bool = False
    looked_at_s: float = 0.0

    def go_on(self) -> None:
        """`ClipStoppedError` when the process stops, or the chunk is wanted no more."""
        if self.stopping.is_set():
            raise ClipStoppedError("the service is stopping")
        now_s = time.monotonic()
        if now_s - self.looked_at_s < LOOK_EVERY_S:
            return
        self.looked_at_s = now_s
        if self.rows.state(self.chunk) != ChunkState(self.worker_id, done=False):
            raise ClipStoppedError("the clip was cancelled, or its owner makes this chunk")

    def let_go(self) -> None:
        """Of what was not made: what went wrong here is not tried by another helper."""
        if self.stopping.is_set() or not self.begun:
            self.rows.take(self.chunk, None, self.worker_id)
        else:
            self.rows.leave_to_owner(self.chunk, self.worker_id)


class Helper:
    """Makes chunks as long as any are offered and no clip waits: whole clips go first.

    A clip that it could not help with is left alone from then on.
    """

    def __init__(self, tools: Tools, room: ChunkRoom, nets: NetRunner, max_pixels: int) -> None:
        self._tools = tools
        self._room = room
        self._nets = nets
        self._max_pixels = max_pixels
        self._passed_over: set[str] = set()

    def help(self, worker_id: str, stopping: threading.Event) -> None:
        """Returns when there is nothing to do. What fails of it is logged; mistakes are raised."""
        engine = self._ready_engine()
        if engine is None or not engine.frames_apart:
            return
        while not stopping.is_set() and (chunk := self._claimed(engine, worker_id)) is not None:
            # taken off this list again when all went well
            self._passed_over.add(chunk.job_id)
            try:
                self._work_on(_Hand(chunk, worker_id, stopping, self._room.rows), engine)
            except PoseError as error:
                log.info("[JOB] %s is not helped with any more: %s", chunk.job_id, error)
            else:
                self._passed_over.discard(chunk.job_id)

    def _ready_engine(self) -> Engine | None:
        try:
            return self._nets.wait(0)
        except UnavailableError:
            return None

    def _claimed(self, engine: Engine, worker_id: str, last: Chunk | None = None) -> Chunk | None:
        """A chunk for this worker's hands; of the clip of `last`, if there is one."""
        rows = self._room.rows
        while not self._tools.store.counts()[JobState.QUEUED]:
            offered = [
                each for each in rows.offered(engine_mark(engine)) if self._is_wanted(each, last)
            ]
            if not offered:
                break
            chunk = next_of(offered, last)
            if rows.take(chunk, worker_id):
                return chunk
        return None

    def _is_wanted(self, chunk: Chunk, last: Chunk | None) -> bool:
        if last is None:
            return chunk.job_id not in self._passed_over
        return (chunk.job_id, chunk.made_by) == (last.job_id, last.made_by)

    def _work_on(self, hand: _Hand, engine: Engine) -> None:
        """Chunks of one clip, one after the other, until none is offered."""
        path = self._tools.folders.uploads_dir / f"{hand.worker_id}.npz"
        try:
            with closing(self._maker(hand, engine)) as maker:
                while self._is_made(hand, maker, path):
                    chunk = self._claimed(engine, hand.worker_id, hand.chunk)
                    if chunk is None:
                        return
                    hand.chunk = chunk
        finally:
            path.unlink(missing_ok=True)
            hand.let_go()

    def _maker(self, hand: _Hand, engine: Engine) -> ChunkMaker:
        job = self._tools.store.get(hand.chunk.job_id)
        source = self._tools.sources.for_drawing(job)
        if made_by(source, engine, job.options.part) != hand.chunk.made_by:
            raise NotFoundError(f"{job.video_path} is another file on this machine")
        clip = open_clip(source, max_pixels=self._max_pixels, part=job.options.part)
        hand.begun = True
        return ChunkMaker(self._nets, clip, hand.go_on)

    def _is_made(self, hand: _Hand, maker: ChunkMaker, path: Path) -> bool:
        """Make the chunk in hand, for all; False if that is the end of it."""
        chunk, rows = hand.chunk, self._room.rows
        if not maker.make(chunk.number, path):
            # the clip is shorter than it says
            rows.withdraw(chunk.job_id, chunk.made_by, chunk.number)
            return False
        self._room.storage.put(path, chunk.key)
        if not rows.made(chunk, hand.worker_id):
            if self._tools.store.state_of(chunk.job_id) not in UNFINISHED:
                self._room.remove_files(chunk.job_id)
            return False
        log.info("[JOB] %s helped with chunk %d", chunk.job_id, chunk.number)
        return True
