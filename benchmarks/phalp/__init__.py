"""Measurements of PHALP's tracker: upstream's order of work beside ours."""
