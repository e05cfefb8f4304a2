"""The outline of ONNX files, read without a runtime."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from pose2d_kit import constant_net, saved, value

from pose_service.core.errors import EngineError
from pose_service.runtime.opening.content import WantedFile
from pose_service.runtime.opening.onnx_outline import FLOAT, FLOAT16, outline_of

WANTED = WantedFile("a net", "Fetch it.")


def with_outside_weights(path: Path, location: str, *, inside_if: bool = False) -> Path:
    """A file whose only weights are said to be in another file."""
    tensor = numpy_helper.from_array(np.ones(3, np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    out = value("y", (3,))
    if inside_if:
        constant = helper.make_node("Constant", [], ["b"], value=tensor)
        branch = helper.make_graph([constant], "branch", [], [value("b", (3,))])
        node = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
        graph = helper.make_graph([node], "net", [value("x", (), TensorProto.BOOL)], [out])
    else:
        node = helper.make_node("Add", ["x", "w"], ["y"])
        graph = helper.make_graph([node], "net", [value("x", (3,))], [out], [tensor])
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


def test_inputs_and_outputs_are_told_as_the_onnx_package_tells_them(tmp_path: Path) -> None:
    path = constant_net(tmp_path / "a.onnx", ("n", 3, 8, 6), [np.ones((17, 12)), np.ones((2,))])
    outline = outline_of(path, WANTED)
    graph = onnx.load(path).graph
    for ours, theirs in ((outline.inputs, graph.input), (outline.outputs, graph.output)):
        assert [value.name for value in ours] == [value.name for value in theirs]
        kinds = [value.type.tensor_type for value in theirs]
        assert [value.element for value in ours] == [kind.elem_type for kind in kinds]
        assert [value.shape for value in ours] == [
            tuple(axis.dim_value or None for axis in kind.shape.dim) for kind in kinds
        ]
    assert outline.inputs[0].element == FLOAT
    assert not outline.half
    assert str(outline) == "takes input (?, 3, 8, 6) and gives out0 (?, 17, 12), out1 (?, 2)"


def test_half_precision_is_known_by_the_weights(tmp_path: Path) -> None:
    outline = outline_of(
        constant_net(tmp_path / "a", (1, 3, 8, 6), [np.ones(4)], half=True), WANTED
    )
    assert outline.half
    assert outline.inputs[0].element == FLOAT16


def test_weights_that_old_files_list_as_inputs_are_none(tmp_path: Path) -> None:
    node = helper.make_node("Add", ["x", "w"], ["y"])
    inputs = [value("w", (3,)), value("x", (3,))]
    path = saved(tmp_path / "old", [node], inputs, [value("y", (3,))], {"w": np.ones(3)})
    assert [value.name for value in outline_of(path, WANTED).inputs] == ["x"]


def test_weights_in_a_second_file_of_the_same_folder_are_allowed(tmp_path: Path) -> None:
    outline = outline_of(with_outside_weights(tmp_path / "a.onnx", "a.onnx.data"), WANTED)
    assert [value.name for value in outline.outputs] == ["y"]


@pytest.mark.parametrize("location", ["../w.bin", "/etc/passwd", "sub/w.bin", "..", "", "link"])
@pytest.mark.parametrize("inside_if", [False, True])
def test_weights_in_another_folder_are_refused(
    location: str, inside_if: bool, tmp_path: Path
) -> None:
    (tmp_path / "nets").mkdir()
    (tmp_path / "w.bin").write_bytes(b"secret")
    (tmp_path / "nets/link").symlink_to(tmp_path / "w.bin")
    path = with_outside_weights(tmp_path / "nets/a.onnx", location, inside_if=inside_if)
    with pytest.raises(EngineError, match="not in its own folder") as told:
        outline_of(path, WANTED)
    assert told.value.hint == "Fetch it."


def test_what_is_no_onnx_file_is_refused_in_words(tmp_path: Path) -> None:
    whole = constant_net(tmp_path / "a.onnx", (1, 3, 8, 6), [np.ones((17, 12))]).read_bytes()
    path = tmp_path / "b.onnx"
    for content in (b"", b"<html>no</html>", whole[: len(whole) // 2], b"\x80\x02}q", whole[:9]):
        path.write_bytes(content)
        with pytest.raises(EngineError, match="it is no ONNX file"):
            outline_of(path, WANTED)
    with pytest.raises(EngineError, match="cannot be read"):
        outline_of(tmp_path / "none.onnx", WANTED)


def test_no_damage_of_a_single_byte_is_worse_than_an_error(tmp_path: Path) -> None:
    whole = constant_net(tmp_path / "a.onnx", (1, 3, 8, 6), [np.ones((2, 3))]).read_bytes()
    path = tmp_path / "b.onnx"
    rng = np.random.default_rng(0)
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            outline_of(path, WANTED)
        except EngineError as error:
            assert str(path) in str(error)
