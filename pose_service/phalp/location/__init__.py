"""Where people are in the picture and how near, and where each track is expected next."""
