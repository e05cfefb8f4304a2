"""BlazePose: person detector and landmark network of the embedded engine."""
