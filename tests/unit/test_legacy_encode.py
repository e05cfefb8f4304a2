"""JSON of arrays, of parts that are encoded once, and of objects too long to hold."""

import numpy as np
import orjson
import pytest

from pose_service.legacy.encode import encode, json_list, mesh_json, object_with_lists, rounded


def test_arrays_of_any_memory_layout_are_written_row_by_row() -> None:
    faces = np.arange(12).reshape(4, 3)
    for array in (faces, np.asfortranarray(faces), faces[::-1][::-1], faces.T.copy().T):
        assert orjson.loads(encode({"faces": array})) == {"faces": faces.tolist()}


def test_a_mesh_of_any_memory_layout_is_written_vertex_by_vertex() -> None:
    vertices_m = np.asfortranarray(np.arange(6.0).reshape(2, 3) / 7)
    fragment = mesh_json(vertices_m, 3)
    assert orjson.loads(encode([fragment])) == [np.round(vertices_m, 3).tolist()]


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        encode({"a": {1, 2}})


def test_rounded_numbers_have_no_float_dust() -> None:
    assert encode(rounded(np.array([0.1 + 0.2, 1 / 3], np.float32), 6)) == b"[0.3,0.333333]"


@pytest.mark.parametrize("items", [[], [b"1"], [b"1", b"2", b"[]"]])
def test_a_list_in_pieces_is_the_whole_list(items: list[bytes]) -> None:
    whole = [orjson.loads(item) for item in items]
    assert orjson.loads(b"".join(json_list(items))) == whole


def test_objects_in_pieces_can_hold_each_other() -> None:
    inner = object_with_lists({}, {"x": json_list([b"1"]), "y": json_list([])})
    outer = object_with_lists({"a": "ä"}, {"b": inner})
    assert orjson.loads(b"".join(outer)) == {"a": "ä", "b": {"x": [1], "y": []}}
