"""The SMPL bodies: licensed to each user, so they are looked for but never fetched.

The engine needs the neutral one alone; the male and the female body are for avatars.
"""

from functools import partial

from pose_service.bodies.smpl_file import (
    FEMALE,
    MALE,
    NAMES_BY_GENDER,
    NEUTRAL,
    read_smpl,
    wanted_body,
)
from pose_service.core.files import FileSource, OfficialFile, UpstreamFolder
from pose_service.runtime.opening.content import content_of

PAGE = "https://smpl.is.tue.mpg.de"


def _body(gender: str, purpose: str, way: str) -> OfficialFile:
    """`way`: how else the file can be named than by the folder that it lies in."""
    first, *others = names = NAMES_BY_GENDER[gender]
    return OfficialFile(
        name=first,
        other_names=tuple(others),
        purpose=purpose,
        licence="SMPL Body Model licence, per user",
        remedy=f"Register at {PAGE}, download SMPL for Python and put its {gender} body "
        f"({', '.join(names)}; any one of them) into {{folder}}, or {way}.",
        folder="4dhumans/smpl",
        glance=partial(content_of, wanted=wanted_body(gender)),
        check=partial(read_smpl, gender=gender),
        elsewhere=(
            UpstreamFolder("~/.cache/4DHumans/data/smpl"),
            UpstreamFolder("~/.cache/4DHumans/data"),
            UpstreamFolder("~/.cache/phalp/3D/models/smpl"),
        ),
        setting="smpl_file" if gender == NEUTRAL else "",
    )


def _of_avatars(gender: str) -> OfficialFile:
    purpose = f"the body of {gender} avatars (SMPL, {gender})"
    return _body(gender, purpose, "beside the file that POSE_SMPL_FILE names")


NEUTRAL_BODY = _body(
    NEUTRAL,
    "the body whose parameters HMR 2.0 answers with (SMPL, neutral)",
    "let POSE_SMPL_FILE be its path",
)
BODIES = {NEUTRAL: NEUTRAL_BODY, MALE: _of_avatars(MALE), FEMALE: _of_avatars(FEMALE)}
BODY_SOURCE = FileSource(name="the SMPL body", members=((NEUTRAL_BODY.name, NEUTRAL_BODY),))
