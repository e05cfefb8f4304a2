"""Avatars of the 4dhumans engine over HTTP: official formats, tiny nets, a person-shaped body."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from official_files import write_files
from servers import wait_for
from standin_person import NAMES, write_people
from tiny_fourdhumans import ENGINE, picture, settings

from pose_service.app import create_app
from pose_service.avatar import steps
from pose_service.avatar.make import Checked, Seen
from pose_service.avatar.measurement_extractor import MeasurementExtractor
from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.media.images import encode_png
from pose_service.pipeline.image import box_area_px
from pose_service.runtime.hub import ModelHub

# answers are rounded to the millimetre, and the net's numbers have single precision
SAME_CM = 0.06


def largest(given: Settings, images: Sequence[ImageArray], seen: Sequence[Seen]) -> Checked:
    """The stand-in nets see no person that has a face."""
    return Checked((0,), (max(seen[0], key=box_area_px),), {})


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder; the female body is not in it."""
    data_dir = write_files(tmp_path_factory.mktemp("data"))
    write_people(data_dir / "4dhumans" / "smpl", "neutral", "male")
    return data_dir


@pytest.fixture(scope="module")
def client(bodies: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    given = settings(bodies, state_dir=tmp_path_factory.mktemp("state"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "_checked", largest)
        hub = ModelHub(given, lambda asked: (ENGINE.build(asked), "a test asked for it"))
        app = create_app(given, hub=hub)
        yield app.test_client()
        app.extensions["pose_service"].stop()


def job_of(client: FlaskClient, gender: str, **fields: object) -> dict[str, Any]:
    form = {
        "user_id": gender, "gender": gender, "image": (BytesIO(encode_png(picture())), "a.png"),
    }  # fmt: skip
    answer = client.post("/avatar", data=form | fields).json
    job_path = f"/avatar/job/{answer['job_id']}"
    wait_for(lambda: client.get(job_path).json["done"])
    job: dict[str, Any] = client.get(job_path).json
    return job


@pytest.mark.parametrize("gender", ["neutral", "male"])
def test_measures_over_http_are_those_of_the_python_face(
    client: FlaskClient, bodies: Path, gender: str
) -> None:
    job = job_of(client, gender)
    assert job["status"] == "complete", job
    record = client.get(f"/avatar/{gender}").json
    assert (record["engine"], record["body"]) == ("4dhumans", f"smpl-{gender}")
    with np.load(
        BytesIO(client.get(record["smplx_params_url"]).data), allow_pickle=False
    ) as arrays:
        shapes = {name: arrays[name].shape for name in ("betas", "body_pose", "global_orient")}
        assert shapes == {"betas": (10,), "body_pose": (69,), "global_orient": (3,)}
        given = [arrays[name] for name in shapes]
    extractor = MeasurementExtractor(bodies / "4dhumans" / "smpl", gender)
    assert record["measurements"] == pytest.approx(extractor.extract(*given), abs=SAME_CM)


def test_a_height_makes_the_body_as_tall(client: FlaskClient) -> None:
    assert job_of(client, "neutral", height_cm=190)["status"] == "complete"
    record = client.get("/avatar/neutral").json
    assert record["measurements"]["height"] == pytest.approx(190, abs=SAME_CM)
    assert record["height_source"] == "given"


def test_the_body_file_that_is_missing_is_named_with_its_place(
    client: FlaskClient, bodies: Path
) -> None:
    job = job_of(client, "female")
    assert (job["status"], job["error_type"]) == ("error", "ENGINE_UNAVAILABLE")
    said = f"{job['error']} {job['hint']}"
    assert NAMES["female"] in said and str(bodies / "4dhumans" / "smpl") in said
    assert client.get("/avatar/female").status_code == 404
