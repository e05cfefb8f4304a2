"""Angles, balance and scores of movement, from joints; every formula is in docs/biomechanics.md."""
