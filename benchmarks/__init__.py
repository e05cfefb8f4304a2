"""How good, how fast and how small the service is here; `run.py` measures and writes it down."""
