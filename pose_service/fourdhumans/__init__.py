"""The official nets behind the engine's seam: detector, regressor, and how they are loaded.

Except for `sizes` and `files`, every module here imports torch at its top.
"""
