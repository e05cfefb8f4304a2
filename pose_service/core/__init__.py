"""Records, settings, errors, skeletons and geometry: no nets, no Flask, no files."""
