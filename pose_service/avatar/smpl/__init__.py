"""SMPL bodies of what HMR 2.0 saw."""
