"""`python .ci/post_picture.py URL`: post the drawn person to a service and check the answer."""

import base64
import json
import sys
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pose_service.commands.selftest import HEIGHT_PX, WIDTH_PX, drawn_person
from pose_service.core.skeletons import SMPL24
from pose_service.media.images import encode_png

picture = base64.b64encode(encode_png(drawn_person())).decode()
request = urllib.request.Request(
    f"{sys.argv[1]}/pose/hybrid",
    json.dumps({"image_base64": picture, "frame_number": 3}).encode(),
    {"Content-Type": "application/json"},
)
with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as response:
    answer = json.load(response)

assert [point["name"] for point in answer["keypoints"]] == list(SMPL24.joints)
assert (answer["frame_number"], answer["error"]) == (3, None)
assert (answer["frame_width"], answer["frame_height"]) == (WIDTH_PX, HEIGHT_PX)
assert answer["has_3d"] and answer["tracking_confidence"] == 1
assert len(answer["mesh_vertices_data"]) == answer["mesh_vertices"] > 1000
assert max(map(max, answer["mesh_faces_data"])) == answer["mesh_vertices"] - 1
print(f"OK    one person by {answer['model_version']} in {answer['processing_time_ms']} ms")
