"""How bodies move: smoothing that knows the future, prediction that does not."""
