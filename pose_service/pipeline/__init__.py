"""Iterators of frames in, iterators of tracked people out."""
