"""Finished clips in the files that other programs open: pure functions on records."""
