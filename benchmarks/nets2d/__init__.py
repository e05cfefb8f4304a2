"""The 2D nets of /pose: what our part of a call costs beside the net's own."""
