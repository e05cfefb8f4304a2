"""The life of a track: what is remembered of it, and when it begins, is believed and ends."""
