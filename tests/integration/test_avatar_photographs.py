"""Avatars of real photographs by the embedded engine: from the post to files that others open."""

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pytest
import trimesh
from flask.testing import FlaskClient
from PIL import Image
from servers import wait_for

from pose_service.app import create_app
from pose_service.core.config import Settings, read_settings
from pose_service.measurement.records import MEASURES

WHOLE_PERSON = "coco_000000000785.jpg"
HEIGHT_CM = 168.0

Body = dict[str, Any]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, network_dir: Path) -> Iterator[FlaskClient]:
    state_dir = tmp_path_factory.mktemp("state")
    data_dir = read_settings().data_dir
    app = create_app(Settings(state_dir=state_dir, data_dir=data_dir, engine="embedded"))
    yield app.test_client()
    app.extensions["pose_service"].stop()


def posted(client: FlaskClient, path: Path, **fields: object) -> Body:
    """The job of a photograph, once it is finished."""
    image = base64.b64encode(path.read_bytes()).decode()
    body = {"user_id": path.stem, "gender": "neutral", "image_base64": image, **fields}
    answer = client.post("/api/v1/avatar", json=body)
    assert answer.status_code == 202, answer.json
    job_path = f"/api/v1/avatar/job/{answer.json['job_id']}"
    wait_for(lambda: client.get(job_path).json["done"])
    job: Body = client.get(job_path).json
    return job


@pytest.fixture(scope="module")
def record(client: FlaskClient, shared_media: Path) -> Body:
    job = posted(client, shared_media / WHOLE_PERSON, height_cm=HEIGHT_CM)
    assert job["status"] == "complete", job
    found: Body = client.get(f"/api/v1/avatar/{job['user_id']}").json
    return found


def test_a_photograph_has_nine_measures_at_the_height_that_was_given(record: Body) -> None:
    assert list(record["measurements"]) == list(MEASURES)
    assert record["measurements"]["height"] == HEIGHT_CM
    assert (record["height_source"], record["body"]) == ("given", "anny")
    for bound in record["measurement_bounds"].values():
        assert bound["low"] < bound["value"] < bound["high"]


def test_the_meshes_are_closed_as_high_as_the_person_and_the_same(
    client: FlaskClient, record: Body
) -> None:
    meshes = [
        trimesh.load(
            BytesIO(client.get(record[field]).data), file_type=kind, force="mesh", process=False
        )
        for field, kind in (("mesh_url", "obj"), ("mesh_glb_url", "glb"))
    ]
    for mesh in meshes:
        assert mesh.is_watertight and len(mesh.faces) == 13776
        # y is up, the feet are on the floor
        low, high = mesh.bounds[:, 1]
        assert (low, high) == pytest.approx((0.0, HEIGHT_CM / 100), abs=1e-4)
    assert meshes[0].volume == pytest.approx(meshes[1].volume, rel=1e-4)


def test_parameters_pictures_and_page_open_in_other_readers(
    client: FlaskClient, record: Body, shared_media: Path
) -> None:
    with np.load(
        BytesIO(client.get(record["smplx_params_url"]).data), allow_pickle=False
    ) as arrays:
        assert all(np.isfinite(arrays[name]).all() for name in ("shape", "phenotypes"))
    sheet = Image.open(BytesIO(client.get(record["sheet_url"]).data))
    assert sheet.format == "PNG" and min(sheet.size) > 1000
    source = Image.open(BytesIO(client.get(record["source_image_url"]).data))
    with Image.open(shared_media / WHOLE_PERSON) as photograph:
        assert source.size == photograph.size
    [page] = pypdf.PdfReader(BytesIO(client.get(record["sheet_pdf_url"]).data)).pages
    words = page.extract_text()
    assert all(f"{value:.1f}" in words for value in record["measurements"].values())


def test_the_record_says_what_was_found_of_the_picture(record: Body) -> None:
    quality = record["quality"]
    x1, y1, x2, y2 = quality["person_box"]
    face_x1, _, face_x2, face_y2 = quality["face_box"]
    assert x1 < face_x1 < face_x2 < x2 and y1 < face_y2 < (y1 + y2) / 2
    assert quality["notes"] and json.dumps(record)


def test_a_picture_without_a_person_is_refused_and_nothing_is_kept(
    client: FlaskClient, shared_media: Path
) -> None:
    job = posted(client, shared_media / "none_animal.jpg")
    assert (job["status"], job["error_type"]) == ("error", "NO_PERSON")
    assert job["error"] == "No person detected in image" and job["hint"]
    assert client.get(f"/api/v1/avatar/{job['user_id']}").status_code == 404
