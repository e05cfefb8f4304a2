"""People in the picture's plane: boxes and 17 keypoints by ONNX networks, without an engine."""
