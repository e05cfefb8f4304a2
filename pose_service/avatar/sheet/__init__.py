"""The measurement sheet: one A4 page."""
