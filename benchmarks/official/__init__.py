"""What the 4dhumans engine costs with nets of the official sizes; `fourdhumans.py` runs these."""
