"""Which pose a track should be in next, from the poses it was in."""
