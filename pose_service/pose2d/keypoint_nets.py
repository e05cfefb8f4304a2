"""RTMPose and HRNet behind the seam: a crop for each person, as many at once as the file takes."""

import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.pose2d.crops import Crops, crops_around, cut
from pose_service.pose2d.heatmaps import decode_heatmaps
from pose_service.pose2d.layouts import JOINTS, Kind, Layout
from pose_service.pose2d.session import OnnxNet
from pose_service.pose2d.simcc import decode_simcc


class TopDownNet:
    """The seam's `KeypointNet` on an ONNX file of `Kind.SIMCC` or `Kind.HEATMAPS`."""

    def __init__(self, net: OnnxNet, layout: Layout) -> None:
        self._net, self._layout = net, layout

    def keypoints(
        self, image: ImageArray, boxes_xyxy_px: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """See the seam."""
        width_px, height_px = self._layout.size_px
        crops = crops_around(boxes_xyxy_px, width_px, height_px)
        count = len(boxes_xyxy_px)
        points = np.zeros((count, JOINTS, 2))
        confidence = np.zeros((count, JOINTS))
        for begin in range(0, count, self._net.batch):
            these = slice(begin, begin + self._net.batch)
            some = Crops(crops.corners_px[these], crops.scales[these])
            pictures = np.empty((len(some.scales), 3, height_px, width_px), np.float32)
            inside = cut(image, some, pictures)
            places, seen = self._decoded(self._net.run(pictures))
            points[these] = some.to_picture(places)
            confidence[these] = seen * inside[:, None]
        return points, confidence

    def _decoded(self, outputs: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        read = [outputs[index] for index in self._layout.outputs]
        if self._layout.kind is Kind.HEATMAPS:
            return decode_heatmaps(*read)
        return decode_simcc(*read)
