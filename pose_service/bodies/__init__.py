"""Body models: parameters in, vertices and joints out."""
