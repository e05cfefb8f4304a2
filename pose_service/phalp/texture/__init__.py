"""A person's texture: what a crop shows of the body's surface, laid out flat."""
