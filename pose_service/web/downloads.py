"""Finished clips as files: /pose/video/result."""

from dataclasses import replace

from flask import Blueprint, Response

from pose_service.jobs.records import JobState
from pose_service.legacy.clip import ClipAnswer
from pose_service.legacy.downloads import download
from pose_service.legacy.options import Faces
from pose_service.web.answers import file_answer
from pose_service.web.clip_jobs import clip_answer, find_job, read_slice, unfinished_answer
from pose_service.web.forms import ResultForm

blueprint = Blueprint("downloads", __name__)


@blueprint.get("/pose/video/result/<job_id>")
def result(job_id: str) -> Response:
    """A complete job's clip in the format asked for; of any other job, what there is to say."""
    job = find_job(job_id)
    wanted = read_slice(ResultForm)
    if job.state is not JobState.COMPLETE:
        return unfinished_answer(job)
    answer = _as_wanted(clip_answer(job), wanted)
    name = job.video_path.replace("\\", "/").rpartition("/")[2]
    file = download(wanted.format, answer, name, wanted.track)
    return file_answer(file.pieces, file.media_type, file.name)


def _as_wanted(answer: ClipAnswer, wanted: ResultForm) -> ClipAnswer:
    """With the options of the request in place of those the job was made with."""
    own = answer.options
    options = replace(
        own,
        mesh=own.mesh if wanted.mesh is None else wanted.mesh,
        faces=Faces(wanted.faces) if wanted.faces else own.faces,
        precision=wanted.precision or own.precision,
    )
    answer = replace(answer, options=options)
    if wanted.first or wanted.last is not None:
        return answer.sliced(wanted.first, wanted.last)
    return answer
