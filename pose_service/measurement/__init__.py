"""A body at rest: its mesh in, measures as a tape takes them out."""
