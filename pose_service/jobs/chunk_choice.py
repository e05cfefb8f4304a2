"""Which chunk of a clip a helper takes next."""

from collections.abc import Sequence
from itertools import groupby

from pose_service.jobs.chunk_rows import Chunk


def next_of(offered: Sequence[Chunk], last: Chunk | None) -> Chunk:
    """The one behind `last`, else one in the middle of the longest run of the first clip.

    Its frames are decoded to from the start of the clip, so that a helper should go on where it is.
    From the middle on it leaves as much in front of it, to who comes from there, as behind.

    >>> clip = [Chunk("a", "toy", number) for number in (1, 2, 3, 4, 5, 9)]
    >>> next_of(clip, None).number, next_of(clip, clip[3]).number, next_of(clip, clip[4]).number
    (3, 5, 3)
    """
    follower = last and Chunk(last.job_id, last.made_by, last.number + 1)
    if follower is not None and follower in offered:
        return follower
    first = [each for each in offered if each.job_id == offered[0].job_id]
    numbered = enumerate(first)
    runs = groupby(numbered, key=lambda pair: pair[1].number - pair[0])
    longest = max(([chunk for _, chunk in run] for _, run in runs), key=len)
    return longest[len(longest) // 2]
