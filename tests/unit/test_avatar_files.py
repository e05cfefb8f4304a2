"""The files of an avatar, opened by programs that are not ours."""

import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import trimesh
from avatar_kit import HEIGHT_CM, bounds, fitted, measurements, mesh
from PIL import Image
from pypdf import PdfReader
from scipy.spatial import ConvexHull

from pose_service.avatar.files import write_files
from pose_service.avatar.sheet.data import SheetCaption
from pose_service.avatar.sheet.style import NAMES
from pose_service.core.config import OTHER_NAMES
from pose_service.measurement.records import MEASURES, Measure

PAGE = Path(__file__).resolve().parents[2] / "docs" / "avatar-files.md"
CAPTION = SheetCaption(subject="Ada", made_at=datetime(2026, 11, 26, 12, 30, tzinfo=UTC))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("avatar") / "deep" / "folder"
    return write_files(folder, fitted(mesh()), measurements(), bounds(measurements()), CAPTION)


def loaded(path: Path) -> trimesh.Trimesh:
    """As trimesh reads it, its vertices as they are in the file."""
    return trimesh.load(path, force="mesh", process=False)


def test_five_files_are_written_under_their_names(files: dict[str, Path]) -> None:
    wanted = {"params.npz", "mesh.obj", "mesh.glb", "sheet.png", "sheet.pdf"}
    assert set(files) == wanted
    assert {path.name for path in files["mesh.obj"].parent.iterdir()} == wanted
    assert all(path == files["mesh.obj"].parent / name for name, path in files.items())


def test_parameters_are_read_by_numpy_without_pickles(files: dict[str, Path]) -> None:
    body = fitted(mesh())
    with np.load(files["params.npz"], allow_pickle=False) as arrays:
        assert set(arrays) == {
            *body.parameters, "shape", "shape_names", "body_name", "model_version"
        }  # fmt: skip
        for name, array in body.parameters.items():
            np.testing.assert_array_equal(arrays[name], array)
        np.testing.assert_array_equal(arrays["shape"], body.shape)
        assert arrays["shape_names"].tolist() == list(body.shape_names)
        assert arrays["body_name"] == body.body_name
        assert arrays["model_version"] == body.model_version


@pytest.mark.parametrize("name", ["mesh.obj", "mesh.glb"])
def test_the_mesh_is_closed_and_stands_on_the_floor_in_metres(
    files: dict[str, Path], name: str
) -> None:
    read = loaded(files[name])
    own = trimesh.Trimesh(mesh().vertices_m, mesh().faces, process=False)
    assert read.is_watertight
    assert read.is_winding_consistent
    # an adult of 172 cm has 50 to 90 litres
    assert 0.05 < read.volume < 0.09
    assert read.volume == pytest.approx(own.volume, rel=1e-5)
    low, high = read.bounds
    # micrometres in the OBJ, single precision in the GLB
    assert low[1] == pytest.approx(0, abs=1e-6)
    assert high[1] == pytest.approx(HEIGHT_CM / 100, abs=1e-5)
    np.testing.assert_allclose(read.vertices, mesh().vertices_m, atol=1e-6)
    np.testing.assert_array_equal(read.faces, mesh().faces)


@pytest.mark.parametrize("name", ["mesh.obj", "mesh.glb"])
def test_normals_are_unit_vectors_that_point_out(files: dict[str, Path], name: str) -> None:
    read = loaded(files[name])
    normals = np.array(read.vertex_normals)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-3)
    moved = trimesh.Trimesh(read.vertices + 0.002 * normals, read.faces, process=False)
    assert moved.volume > read.volume


@pytest.mark.parametrize("name", ["mesh.obj", "mesh.glb"])
@pytest.mark.parametrize("girth", ["chest", "waist", "hip", "thigh", "neck"])
def test_the_written_mesh_measures_what_the_record_says(
    files: dict[str, Path], name: str, girth: str
) -> None:
    measure: Measure = getattr(measurements(), girth)
    tape = measure.paths_m[0]
    normal = np.linalg.svd(tape - tape.mean(axis=0))[2][2]
    across = np.linalg.svd(normal[None])[2][1:]
    lines = loaded(files[name]).section(normal, tape.mean(axis=0)).discrete
    found = [100 * float(ConvexHull(line @ across.T).area) for line in lines]
    own = Measure((tape,), closed=True).value_cm
    assert min(abs(other - own) for other in found) < 1e-3 * own


def test_the_body_faces_along_z_with_its_left_along_x(files: dict[str, Path]) -> None:
    vertices = loaded(files["mesh.glb"]).vertices
    feet = vertices[vertices[:, 1] < 0.03]
    # toes reach farther from the ankles than heels do
    ankle_z = mesh().joints_m[7, 2]
    assert feet[:, 2].max() - ankle_z > 0.1 > ankle_z - feet[:, 2].min()
    left_wrist, right_wrist = mesh().joints_m[20], mesh().joints_m[21]
    assert left_wrist[0] > 0.5 > -0.5 > right_wrist[0]


def test_the_picture_is_an_a4_page_of_150_dots_per_inch(files: dict[str, Path]) -> None:
    with Image.open(files["sheet.png"]) as picture:
        assert picture.format == "PNG"
        assert picture.size == (1240, 1753)
        # PNG counts whole dots per metre
        assert picture.info["dpi"] == pytest.approx((150, 150), abs=0.0254)
        assert "Software" not in picture.info
        gray = np.asarray(picture.convert("L"))
    # paper all around, and something on it in each half
    assert gray[:40].min() == gray[-40:].min() == gray[:, :40].min() == gray[:, -40:].min() == 255
    assert gray[:900].min() < 60 > gray[900:].min()


def test_the_pdf_is_one_a4_page_with_all_names_values_and_bands(files: dict[str, Path]) -> None:
    reader = PdfReader(files["sheet.pdf"])
    (page,) = reader.pages
    assert [float(side) / 72 * 25.4 for side in page.mediabox[2:]] == pytest.approx(
        [210, 297], abs=0.1
    )
    text = page.extract_text()
    for name, bound in bounds(measurements()).items():
        assert f"{NAMES[name]} {bound.value_cm:.1f}" in text
        assert f"{bound.low_cm:.1f} – {bound.high_cm:.1f}" in text
    for words in (
        "Body measurements", "Ada", "2026-11-26", "Height given: 172.0 cm", "smpl-neutral",
        "4dhumans/test", "20 cm", "fair",
    ):  # fmt: skip
        assert words in text
    assert reader.metadata is not None
    assert reader.metadata.creation_date == CAPTION.made_at


def test_lines_and_letters_of_the_pdf_are_vectors_and_the_body_has_no_soft_edge(
    files: dict[str, Path],
) -> None:
    (page,) = PdfReader(files["sheet.pdf"]).pages
    images = [image.get_object() for image in page["/Resources"]["/XObject"].values()]
    images = [image for image in images if image["/Subtype"] == "/Image"]
    assert len(images) == 2
    # readers draw a transparent edge as a grey line
    assert not any("/SMask" in image for image in images)
    assert page["/Resources"]["/Font"]


def test_the_same_body_gives_the_same_bytes(files: dict[str, Path], tmp_path: Path) -> None:
    again = write_files(tmp_path, fitted(mesh()), measurements(), bounds(measurements()), CAPTION)
    assert {name: path.read_bytes() for name, path in again.items()} == {
        name: path.read_bytes() for name, path in files.items()
    }
    with zipfile.ZipFile(files["params.npz"]) as archive:
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_measurements_of_another_body_are_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    taller = measurements().scaled_to(180)
    with pytest.raises(ValueError, match=r"172\.0 cm tall, got a height of 180\.0 cm"):
        write_files(tmp_path / "new", fitted(mesh()), taller, bounds(taller))
    few = {name: bound for name, bound in bounds(measurements()).items() if name != "neck"}
    with pytest.raises(ValueError, match="all nine measures, neck missing"):
        write_files(tmp_path / "new", fitted(mesh()), measurements(), few)
    assert not (tmp_path / "new").exists()


def test_a_parameter_that_has_the_name_of_another_array_is_refused(tmp_path: Path) -> None:
    body = replace(fitted(mesh()), parameters={"shape": np.zeros(3)})
    with pytest.raises(ValueError, match="shape would be written twice"):
        write_files(tmp_path, body, measurements(), bounds(measurements()))


def test_the_page_says_what_is_in_the_files() -> None:
    words = set(re.findall(r"`([^`\n]+)`", PAGE.read_text(encoding="utf-8")))
    parameters = {*fitted(mesh()).parameters, "scale", "shape", "shape_names", "body_name"}
    files = {"params.npz", "mesh.obj", "mesh.glb", "sheet.png", "sheet.pdf"}
    assert parameters | files | {*OTHER_NAMES, *OTHER_NAMES.values()} <= words


def test_every_measure_has_a_name_on_the_page() -> None:
    assert tuple(NAMES) == MEASURES
