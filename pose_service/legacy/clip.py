"""The answer to a clip: CONTRACT 3.5 and the older timeline, written piece by piece.

Nothing here holds more than a handful of frames: poses are read from disk as the answer goes out,
and bodies are posed in small batches.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Self

from pose_service.core.records import TrackedFrame
from pose_service.legacy.encode import encode, json_list, object_with_lists
from pose_service.legacy.frame import Fields, Maker, frame_answer
from pose_service.legacy.options import AnswerOptions, Faces
from pose_service.legacy.timeline import timeline_entry
from pose_service.legacy.views import view_frames
from pose_service.pipeline.results import StoredClip

POSED_TOGETHER = 8


@dataclass(frozen=True)
class ClipAnswer:
    """A finished clip and how it is to be answered.

    `first`, `last`: the slice of frames to send, first included, last not. `fields` come from the
    job: its id, the clip's name and the time it took.
    """

    clip: StoredClip
    maker: Maker
    options: AnswerOptions
    fields: Fields
    first: int
    last: int

    @classmethod
    def whole(cls, clip: StoredClip, maker: Maker, options: AnswerOptions, fields: Fields) -> Self:
        """All frames of `clip`, everybody in them; the model version is the clip's own."""
        maker = replace(maker, model_version=clip.head.model_version)
        listing = replace(options, persons=True)
        return cls(clip, maker, listing, fields, 0, clip.head.info.frame_count)

    def sliced(self, first: int | None, last: int | None) -> "ClipAnswer":
        """Only frames `first` up to, not including, `last`; bounds beyond the clip are cut."""
        last = self.last if last is None else min(last, self.last)
        first = min(first or 0, last)
        fields = {**self.fields, "slice": {"from": first, "to": last}}
        return replace(self, fields=fields, first=first, last=last)

    def head(self) -> Fields:
        """Everything of the answer but its lists. `total_frames` is the clip's, also in a slice."""
        info = self.clip.head.info
        with_faces = self.options.mesh and self.options.faces is not Faces.NONE
        return {
            "status": "success",
            **self.fields,
            "total_frames": info.frame_count,
            "fps": info.fps,
            "resolution": [info.width_px, info.height_px],
            "video_duration": info.duration_s,
            "mesh_faces_data": self.maker.faces if with_faces else None,
            "model_version": self.maker.model_version,
            "primary_track_id": self.clip.head.primary_id,
            "merged_tracks": [asdict(merged) for merged in self.clip.head.merged_tracks],
            "quality": [asdict(measured) for measured in self.clip.head.quality],
            "notes": list(info.notes),
        }

    def write(self) -> Iterator[bytes]:
        """The whole 3.5 object."""
        return object_with_lists(self.head(), {"frames": self.frames()})

    def frames(self) -> Iterator[bytes]:
        """The list `frames`, one entry per frame of the clip."""
        return json_list(map(encode, self._entries(frame_entry, self.options.faces)))

    def lines(self) -> Iterator[bytes]:
        """The entries of `frames`, each a line of its own: NDJSON."""
        entries = self._entries(frame_entry, self.options.faces)
        return (encode(entry) + b"\n" for entry in entries)

    def timeline(self) -> Iterator[bytes]:
        """The list `pose_timeline`: triangles once at most, since `frames` stands beside it."""
        once = Faces.ONCE if self.options.faces is Faces.EACH else self.options.faces
        return json_list(map(encode, self._entries(timeline_entry, once)))

    def acceptance(self) -> Iterator[bytes]:
        """The list `frame_acceptance`: which frames have a body."""
        return json_list(
            encode(
                {
                    "frame_index": frame.index,
                    "original_frame_number": frame.index,
                    "timestamp": round(frame.time_s, 6),
                    "has_mesh": self.options.mesh and frame.primary is not None,
                }
            )
            for frame in self.clip.frames(self.first, self.last)
        )

    def _entries(
        self, entry: Callable[[TrackedFrame, Fields], Fields], faces: Faces
    ) -> Iterator[Fields]:
        due = faces
        for batch in _batches(self.clip.frames(self.first, self.last)):
            views = view_frames(self.maker.body, batch, everybody=True, mesh=self.options.mesh)
            for frame, people in zip(batch, views, strict=True):
                answer = frame_answer(self.maker, frame, people, replace(self.options, faces=due))
                if faces is Faces.ONCE and answer["mesh_faces_data"] is not None:
                    due = Faces.NONE
                yield entry(frame, answer)


def frame_entry(frame: TrackedFrame, answer: Fields) -> Fields:
    """One entry of `frames`: a whole 3.2 answer and the names that the storing code reads."""
    return {
        **answer,
        "timestamp": round(frame.time_s, 6),
        "frameNumber": answer["frame_number"],
        "has3d": answer["has_3d"],
        "jointAngles3d": answer["joint_angles_3d"],
        "cameraTranslation": answer["camera_translation"],
        "cameraParams": answer["camera_params"],
    }


def _batches(frames: Iterable[TrackedFrame]) -> Iterator[list[TrackedFrame]]:
    frames = iter(frames)
    while batch := list(islice(frames, POSED_TOGETHER)):
        yield batch
