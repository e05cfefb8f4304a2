"""Pictures as callers ask about them: frames of sessions, and pictures by themselves."""

from collections.abc import Hashable, Sequence

from pose_service.core.records import TrackedFrame
from pose_service.engines.seam import Engine
from pose_service.pipeline.image import Picture, people_in_pictures
from pose_service.pipeline.session import SessionFrame, SessionStore

Asked = Picture | SessionFrame


def answer_all(engine: Engine, asked: Sequence[Asked]) -> list[TrackedFrame]:
    """The people of each picture, in order; the nets see as many pictures at once as they can.

    Runs nets: call it on their owner only.
    """
    alike: dict[Hashable, list[int]] = {}
    for place, one in enumerate(asked):
        alike.setdefault(_kind(one), []).append(place)
    answers: dict[int, TrackedFrame] = {}
    for kind, places in alike.items():
        of_kind = _answer_alike(engine, kind, [asked[place] for place in places])
        answers.update(zip(places, of_kind, strict=True))
    return [answers[place] for place in range(len(asked))]


def _kind(one: Asked) -> Hashable:
    return one.sessions if isinstance(one, SessionFrame) else one.look


def _answer_alike(engine: Engine, kind: Hashable, asked: Sequence[Asked]) -> list[TrackedFrame]:
    if isinstance(kind, SessionStore):
        return kind.step(engine, [one for one in asked if isinstance(one, SessionFrame)])
    return people_in_pictures(engine, [one for one in asked if isinstance(one, Picture)])
