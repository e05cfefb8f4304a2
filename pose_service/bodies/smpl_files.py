"""The neutral SMPL body: licensed to each user, so it is looked for but never fetched."""

from functools import partial

from pose_service.bodies.smpl_file import BODY_FILE, EXPECTED_NAMES, read_smpl
from pose_service.core.files import FileSource, OfficialFile, UpstreamFolder
from pose_service.runtime.opening.content import content_of

PAGE = "https://smpl.is.tue.mpg.de"

NEUTRAL_BODY = OfficialFile(
    name=EXPECTED_NAMES[0],
    other_names=EXPECTED_NAMES[1:],
    purpose="the body whose parameters HMR 2.0 answers with (SMPL, neutral)",
    licence="SMPL Body Model licence, per user",
    remedy=f"Register at {PAGE}, download SMPL for Python and put its neutral body "
    f"({', '.join(EXPECTED_NAMES)}; any one of them) into {{folder}}, or let POSE_SMPL_FILE be "
    "its path.",
    folder="4dhumans/smpl",
    glance=partial(content_of, wanted=BODY_FILE),
    check=read_smpl,
    elsewhere=(
        UpstreamFolder("~/.cache/4DHumans/data/smpl"),
        UpstreamFolder("~/.cache/4DHumans/data"),
        UpstreamFolder("~/.cache/phalp/3D/models/smpl"),
    ),
    setting="smpl_file",
)
BODY_SOURCE = FileSource(name="the SMPL body", members=((NEUTRAL_BODY.name, NEUTRAL_BODY),))
