"""A person's body from photographs: its shape, its nine measures, its files."""
