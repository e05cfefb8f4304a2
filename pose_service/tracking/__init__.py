"""Who is who from frame to frame, by place and size."""
