"""Scripted scenes with known answers for PHALP's tracker, and how answers are scored."""
