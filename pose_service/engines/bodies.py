"""The bodies of the engines that come with the service, by name and without any net."""

from pose_service.core.config import Settings
from pose_service.core.errors import NotFoundError
from pose_service.engines.seam import BodyModel
from pose_service.runtime.weights import located

SMPL, ANNY = "smpl", "anny"


def load_body(name: str, settings: Settings) -> BodyModel:
    """The body that finished clips were made with; `EngineError` if its file is not here.

    Packages are imported here, not with the module. `NotFoundError` for a body of somebody else's.
    """
    if name == SMPL:
        return _smpl(settings)
    if name == ANNY:
        from pose_service.bodies.anny import AnnyBody
        from pose_service.bodies.free_body import FreeBody

        return FreeBody(AnnyBody.load())
    raise NotFoundError(
        f"the clip was made with the body {name!r}, which does not come with the service",
        hint="Ask the service that made it: GET /pose/video/result/<job_id>?format=...",
    )


def _smpl(settings: Settings) -> BodyModel:
    from pose_service.bodies.smpl import SmplBody
    from pose_service.bodies.smpl_file import read_extra_joints, read_smpl
    from pose_service.bodies.smpl_files import NEUTRAL_BODY
    from pose_service.hmr2.files import EXTRA_JOINTS

    body = read_smpl(located(NEUTRAL_BODY, settings))
    return SmplBody(body, read_extra_joints(located(EXTRA_JOINTS, settings)))
