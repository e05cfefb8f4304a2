"""BlazeFace: whether a picture shows a face, and where."""
