"""Engines: a detector, a regressor, a body, a tracker and a temporal model behind one seam."""
