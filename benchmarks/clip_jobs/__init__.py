"""The clip jobs: fronts, workers, and what they share."""
