"""Pictures and clips: decoding, encoding, and the paths they may come from."""
